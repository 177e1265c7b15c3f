"""The scenario of discovering: a catalogue of two thousand datasets on loopback, as CKAN and as pages of RDF.

Half of the datasets concern the town, and forty distributions are fetched and read.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.town import Figures
from civitas_assets.catalog import Tenant
from civitas_assets.discover.discovery import discover_sources
from civitas_assets.ingest.apart import fork_reader
from civitas_assets.settings import LOOPBACK, Settings
from testbed.serving import Request, answer, serving

DATASETS, PART, PROBES = 2000, 100, 40
_TEXT = (
    "Standorte mit Namen, Art und Lage, wie sie das zuständige Amt führt und einmal im Monat fortschreibt. "
    * 4
)
_TABLE = "Nr;Name;Längengrad;Breitengrad\n" + "".join(
    f"{n};Ort {n};9,{500 + n % 400};50,{500 + n % 400}\n" for n in range(1000)
)
_KEY = "http://dcat-ap.de/def/politicalGeocoding/municipalityKey"


def _key(number: int) -> str:
    return f"{_KEY}/{'99000097' if number % 2 else '99000098'}"


def _package(root: str, number: int) -> dict[str, object]:
    return {
        "id": f"id-{number:05}", "name": f"satz-{number:05}", "title": f"Standorte {number}", "notes": _TEXT,
        "license_id": "dl-de-by-2.0", "organization": {"title": "Stadt Messstadt"},
        "tags": [{"name": "Standort"}, {"name": "Verkehr"}],
        "extras": [{"key": "politicalGeocodingURI", "value": json.dumps([_key(number)])}],
        "resources": [
            {"id": f"r-{number}-{form}", "url": f"{root}/{number}.{form}", "format": form.upper(), "name": form}
            for form in ("csv", "pdf", "html")
        ],
    }  # fmt: skip


def _search(root: str, path: str, count: int) -> bytes:
    asked = parse_qs(urlsplit(path).query)
    start, rows = int(asked["start"][0]), int(asked["rows"][0])
    found = [_package(root, number) for number in range(start, min(start + rows, count))]
    return json.dumps({"success": True, "result": {"count": count, "results": found}}).encode()


def _turtle(root: str, path: str, count: int) -> bytes:
    page = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
    here = range((page - 1) * PART, min(page * PART, count))
    lines = [
        "@prefix dcat: <http://www.w3.org/ns/dcat#> .",
        "@prefix dct: <http://purl.org/dc/terms/> .",
        "@prefix dcatde: <http://dcat-ap.de/def/dcatde/> .",
        "@prefix hydra: <http://www.w3.org/ns/hydra/core#> .",
        f"<{root}/catalog.ttl?page={page}> hydra:totalItems {count} .",
    ]
    if page * PART < count:
        lines.append(f"<{root}/catalog.ttl?page={page}> hydra:next <{root}/catalog.ttl?page={page + 1}> .")
    for number in here:
        forms = [f"<{root}/form/{number}/{form}>" for form in ("csv", "pdf", "html")]
        lines.append(
            f'<{root}/set/{number}> a dcat:Dataset ; dct:title "Standorte {number}"@de ; '
            f'dct:description "{_TEXT}"@de ; '
            f'dcat:keyword "Standort", "Verkehr" ; dcatde:politicalGeocodingURI <{_key(number)}> ; '
            f"dcat:distribution {', '.join(forms)} ."
        )
        lines.extend(
            f"{node} a dcat:Distribution ; dcat:downloadURL <{root}/{number}.{form}> ; "
            f"dct:format <http://publications.europa.eu/resource/authority/file-type/{form.upper()}> ; "
            f"dct:license <http://dcat-ap.de/def/licenses/dl-by-de/2.0> ."
            for form, node in zip(("csv", "pdf", "html"), forms, strict=True)
        )
    return "\n".join(lines).encode()


def discover_in_catalogues(folder: Path, count: int = DATASETS) -> Figures:
    """Seconds for each form of the catalogue, beside those that politeness to its host takes."""
    tenant = Tenant.model_validate({"name": "Messstadt", "ags": "99000097", "bbox": (9.4, 50.4, 10.0, 51.0)})
    settings = Settings(home=folder / "home", tenants_dir=folder / "tenants", reachable=LOOPBACK)
    fork_reader()
    figures: Figures = {}
    for form, path in (("ckan", ""), ("turtle", "/catalog.ttl")):
        asked = 0

        def get(request: Request, form: str = form) -> None:
            nonlocal asked
            asked += 1
            root = f"http://{request.headers['Host']}"
            if request.path.startswith("/api/3/action/package_search") and form == "ckan":
                answer(request, _search(root, request.path, count))
            elif request.path.startswith("/catalog.ttl") and form == "turtle":
                answer(request, _turtle(root, request.path, count))
            elif request.path.endswith(".csv"):
                answer(request, _TABLE.encode())
            else:
                answer(request, b"<html>", 404)

        with serving(get) as port:
            started = time.monotonic()
            found = discover_sources(
                settings, tenant.with_key("messstadt"), [f"http://127.0.0.1:{port}{path}"],
                seconds=600, probes=PROBES, is_national=False, is_everything=False,
            )  # fmt: skip
            seconds = time.monotonic() - started
        assert len(found.findings) == count // 2, found.notes
        assert sum(finding.state == "proposed" for finding in found.findings) == PROBES
        figures |= {f"{form}_seconds": seconds, f"{form}_requests": asked}
    return figures
