"""The dictionary's files: what a page shows, what goes when a model goes, and what may be released."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from civitas_assets.dictionary.contracts import TYPES, Contract, ForeignKey, ModelColumn
from civitas_assets.dictionary.documents import (
    Release,
    derive_documents,
    find_release_faults,
    read_last_release,
    render_documents,
    write_release,
)
from civitas_assets.dictionary.json_schema import (
    build_json_schema,
    make_disambiguator,
    make_logical_urn,
    make_model_urn,
)
from civitas_assets.errors import DictionaryError

SITE = Contract(
    name="site",
    version="1.0.0",
    grain="One row per site.",
    description="One row per site. Closed ones stay.",
    standard="Own model",
    example="select name from site",
    replaced="replace_all",
    key=("site_key",),
    columns={
        "site_key": ModelColumn("varchar", "Key.", nullable=False),
        "opened_on": ModelColumn("date", "First day."),
        "geometry_wkb": ModelColumn("blob", "Outline."),
    },
)
STATUS = Contract(
    name="status",
    version="1.2.0",
    grain="One row per site and time.",
    description="One row per site and time.",
    standard="DATEX II",
    example="select free from status",
    replaced="replace_days",
    key=("site_key", "observed_at"),
    columns={
        "site_key": ModelColumn("varchar", "Key of the site.", nullable=False),
        "observed_at": ModelColumn("timestamptz", "When (UTC).", nullable=False),
        "free": ModelColumn("integer", "Free | spare.", unit="1"),
        "value": ModelColumn("double", "Value.", unit_column="unit"),
        "unit": ModelColumn("varchar", "Unit."),
        "state": ModelColumn("varchar", "State.", codes=("open", "closed")),
    },
    relations=(ForeignKey("site_key", "site", "site_key"),),
)
CONTRACTS: Mapping[str, Contract] = {"site": SITE, "status": STATUS}
MOMENT = "2026-08-20T12:00:00Z"
ROW = {"site_key": "a", "observed_at": MOMENT, "free": 3, "value": 1.5, "unit": "m", "state": "open"}


def valid(row: Mapping[str, object], contract: Contract = STATUS) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(build_json_schema(contract), format_checker=checker).is_valid(row)


def test_a_page_has_grain_key_columns_units_standard_example_and_a_picture() -> None:
    lines = render_documents(CONTRACTS)["status.md"].splitlines()
    assert {
        "| grain | One row per site and time. |",
        "| key | `site_key`, `observed_at` |",
        "| rows are replaced | by day: a run replaces the days for which something has changed |",
        "| standard | DATEX II |",
        "| version | 1.2.0 |",
        f"| URN | `{make_model_urn(STATUS)}` |",
        "| `observed_at` | timestamptz | no |  | When (UTC). |",
        "| `free` | integer | yes | `1` | Free \\| spare. |",
        "| `value` | double | yes | in `unit` | Value. |",
        "| `state` | varchar | yes |  | State. One of `open`, `closed`. |",
        "select free from status",
        "- `site_key` is [site](site.md)'s `site_key`.",
        '    site |o--o{ status : "site_key"',
        "        varchar site_key PK, FK",
        "        integer free",
    } <= set(lines)
    assert "- [status](status.md) refers here with `site_key`." in render_documents(CONTRACTS)["site.md"]
    assert (
        "| [status](status.md) | One row per site and time. | 1.2.0 | DATEX II |"
        in render_documents(CONTRACTS)["README.md"]
    )


def test_a_neighbour_shows_what_relates_and_no_more() -> None:
    page = render_documents(CONTRACTS)["status.md"]
    assert "    site {\n        varchar site_key PK\n    }" in page


def test_a_schema_is_json_schema_and_accepts_just_the_rows_of_its_model() -> None:
    for contract in CONTRACTS.values():
        jsonschema.Draft202012Validator.check_schema(build_json_schema(contract))
    assert valid(ROW)
    assert valid({**ROW, "free": None, "state": None})
    assert valid({**ROW, "added_later": 1})
    for wrong in (
        {"site_key": None},
        {"free": "3"},
        {"free": 2**31},
        {"free": 1.5},
        {"state": "ajar"},
        {"observed_at": 1_700_000_000},
    ):
        assert not valid({**ROW, **wrong}), wrong
    assert not valid({name: value for name, value in ROW.items() if name != "observed_at"})
    site = {
        "site_key": "jena:a:1",
        "opened_on": "2026-08-20",
        "geometry_wkb": base64.b64encode(b"\1").decode(),
    }
    assert valid(site, SITE)
    assert not valid({**site, "opened_on": "20.08.2026"}, SITE)


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("nullable", [True, False])
def test_every_type_has_its_schema(kind: str, nullable: bool) -> None:
    schema = build_json_schema(
        replace(SITE, columns={"site_key": ModelColumn(kind, "Key.", nullable=nullable)})
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    assert ("null" in schema["properties"]["site_key"]["type"]) == nullable


def test_a_schema_says_what_json_schema_has_no_words_for() -> None:
    schema = build_json_schema(STATUS)
    assert schema["x-key"] == ["site_key", "observed_at"]
    assert schema["required"] == ["site_key", "observed_at"]
    assert schema["properties"]["free"]["x-unit"] == "1"
    assert schema["properties"]["value"]["x-unit-property"] == "unit"
    assert schema["properties"]["site_key"]["x-references"] == {
        "model": make_logical_urn("site"),
        "property": "site_key",
    }
    assert build_json_schema(SITE)["properties"]["geometry_wkb"]["contentEncoding"] == "base64"


def test_a_urn_is_stable_and_has_the_nine_parts_of_the_registry() -> None:
    assert make_model_urn(STATUS) == "urn:core:standard:civitas-assets:element:common:status:i1rr4d8jzc:1.2.0"
    assert build_json_schema(STATUS)["$id"] == make_model_urn(STATUS)
    assert make_model_urn(replace(STATUS, version="2.0.0")) == f"{make_logical_urn('status')}:2.0.0"
    assert make_logical_urn("site") != make_logical_urn("status")


def test_the_disambiguator_is_the_one_that_the_registry_derives() -> None:
    assert make_disambiguator("openurbanapps#kiezbaum") == "f1i2sjhgvq"  # as published in its catalogue


def test_files_follow_the_contracts(tmp_path: Path) -> None:
    assert set(derive_documents(tmp_path, CONTRACTS).renew()) == set(render_documents(CONTRACTS))
    assert derive_documents(tmp_path, CONTRACTS).list_outdated() == ()
    assert json.loads(
        (tmp_path / "schemas/status.schema.json").read_text(encoding="utf-8")
    ) == build_json_schema(STATUS)
    assert derive_documents(tmp_path, CONTRACTS).renew() == ()
    (tmp_path / "site.md").write_text("by hand", encoding="utf-8")
    assert derive_documents(tmp_path, CONTRACTS).list_outdated() == ("site.md",)
    alone = {"site": SITE}
    assert derive_documents(tmp_path, alone).list_outdated() == (
        "README.md",
        "schemas/status.schema.json",
        "site.md",
        "status.md",
    )
    derive_documents(tmp_path, alone).renew()
    assert derive_documents(tmp_path, alone).list_outdated() == ()
    assert not (tmp_path / "status.md").exists()


def test_a_release_is_remembered_as_it_was(tmp_path: Path) -> None:
    assert read_last_release(tmp_path) == Release()
    write_release(tmp_path, CONTRACTS, "0.1.0")
    assert read_last_release(tmp_path) == Release("0.1.0", CONTRACTS)
    assert derive_documents(tmp_path, {}).list_outdated() == (
        "README.md",
    )  # the release is no document that could be stale


def test_a_breaking_change_is_not_released_without_a_major_version(tmp_path: Path) -> None:
    write_release(tmp_path, CONTRACTS, "0.1.0")
    narrowed = replace(SITE, columns={name: c for name, c in SITE.columns.items() if name != "opened_on"})
    with pytest.raises(DictionaryError, match=r"site 1\.0\.0 was released before .* 2\.0\.0 or higher"):
        write_release(tmp_path, {**CONTRACTS, "site": narrowed}, "0.1.0")
    assert read_last_release(tmp_path).models == CONTRACTS
    write_release(tmp_path, {**CONTRACTS, "site": replace(narrowed, version="2.0.0")}, "0.1.0")
    assert read_last_release(tmp_path).models["site"].version == "2.0.0"


@pytest.mark.parametrize(
    ("before", "version", "may"),
    [
        ("0.1.0", "0.1.1", False),
        ("0.1.0", "0.2.0", True),
        ("1.1.0", "1.2.0", False),
        ("1.1.0", "2.0.0", True),
    ],
)
def test_a_model_is_dropped_only_with_a_breaking_version_of_the_package(
    before: str, version: str, may: bool
) -> None:
    assert (not find_release_faults(Release(before, CONTRACTS), {"status": STATUS}, version)) == may


def test_a_damaged_release_says_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "contracts.json").write_text('{"version": 1', encoding="utf-8")
    with pytest.raises(
        DictionaryError, match=r"contracts\.json does not hold released contracts.*restore it from git"
    ):
        read_last_release(tmp_path)
