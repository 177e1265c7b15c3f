"""How a handed-over folder describes itself: a DCAT catalogue as JSON-LD, and a page for whoever unpacks it.

The files themselves are written in `handover.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from civitas_assets.catalog import Source, Tenant
from civitas_assets.catalog.licence import find_terms_of_licence
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.dictionary.json_schema import make_model_urn

_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
}
_PARQUET = "application/vnd.apache.parquet"

_README = """\
# {name}

Everything that an installation of civitas_assets held of {name} on {day}.

| place | content |
| --- | --- |
| `models/` | the shared models as they were published, one Parquet file each |
| `contracts/` | the JSON Schema of each model: columns, types, units, keys, standard |
| `records/` | all accepted records with every revision, by type and day, as Parquet |
| `quarantine/` | rejected records with the rule that they broke |
| `retention/` | from when on records are kept; marks of what was erased, by a key that is not here |
{landing}| `tenant.yaml` | sources and settings; of secrets it holds the names only |
| `catalogue.json` | sources and models in DCAT, with licences and who must be named |
| `checksums.sha256` | to check all files: `sha256sum --check checksums.sha256` |

Times are UTC, days those of {timezone}. Another installation of civitas_assets takes all of it by
`civitas tenant import FOLDER`, and makes the models anew{again}.
"""


def render_readme(tenant: Tenant, now: datetime, *, with_landing: bool) -> str:
    """The page that explains the folder."""
    landing = "| `landing/` | bodies as received, and the manifest of every fetch |\n" if with_landing else ""
    return _README.format(
        name=tenant.name,
        day=now.date(),
        landing=landing,
        timezone=tenant.timezone,
        again="" if with_landing else "; `landing/` was not asked for",
    )


def build_dcat_catalogue(  # noqa: PLR0917 - each argument is of another kind
    tenant: Tenant,
    contracts: Mapping[str, Contract],
    now: datetime,
    sums: Mapping[str, str],
    sizes: Mapping[str, int],
    rows: Mapping[str, int],
) -> dict[str, Any]:
    """The catalogue: a dataset per model with its file, and one per source with its licence."""
    return {
        "@context": _CONTEXT,
        "@type": "dcat:Catalog",
        "dct:title": tenant.name,
        "dct:identifier": tenant.slug,
        "dct:spatial": {
            "dct:identifier": tenant.ags,
            "dcat:bbox": "POLYGON(({0} {1}, {2} {1}, {2} {3}, {0} {3}, {0} {1}))".format(*tenant.bbox),
        },
        "dct:issued": now.isoformat(),
        "dcat:dataset": [
            *_models(contracts, sums, sizes, rows),
            *(_source(name, source) for name, source in tenant.sources.items()),
        ],
    }


def _models(
    contracts: Mapping[str, Contract],
    sums: Mapping[str, str],
    sizes: Mapping[str, int],
    rows: Mapping[str, int],
) -> Iterator[dict[str, Any]]:
    for model, count in rows.items():
        contract, file = contracts.get(model), f"models/{model}.parquet"
        distribution: dict[str, Any] = {
            "@type": "dcat:Distribution",
            "dcat:downloadURL": file,
            "dcat:mediaType": _PARQUET,
            "dcat:byteSize": sizes[file],
            "spdx:checksum": {"spdx:algorithm": "sha256", "spdx:checksumValue": sums[file]},
            "rows": count,
        }
        dataset: dict[str, Any] = {"@type": "dcat:Dataset", "dct:identifier": model, "dct:title": model}
        if contract:
            dataset["dct:description"] = contract.description
            dataset["dcat:version"] = contract.version
            distribution["dct:conformsTo"] = {
                "@id": make_model_urn(contract),
                "dcat:downloadURL": f"contracts/{model}.schema.json",
            }
        yield {**dataset, "dcat:distribution": [distribution]}


def _source(name: str, source: Source) -> dict[str, Any]:
    """A source: its rows carry its name, so licence and attribution hold for those rows of every model."""
    licence: dict[str, Any] = {"dct:identifier": source.licence}
    terms = find_terms_of_licence(source.licence)
    if terms.address:
        licence["@id"] = terms.address
    dataset: dict[str, Any] = {
        "@type": "dcat:Dataset",
        "dct:identifier": f"source/{name}",
        "dct:title": source.title,
        "dct:license": licence,
        "dct:source": source.url,
        "dct:rights": terms.build_notice(source.licence),
    }
    if source.attribution:
        dataset["dct:publisher"] = {"@type": "foaf:Agent", "foaf:name": source.attribution}
    if source.description:
        dataset["dct:description"] = source.description
    return dataset
