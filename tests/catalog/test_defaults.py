"""Sources that many towns take over from `defaults.yaml`, and whose file a fault of them names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from civitas_assets.catalog.defaults import Defaults, render_resolved
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.load import read_catalog
from civitas_assets.catalog.outline import read_outlines
from civitas_assets.catalog.starter import TenantTemplate, write_tenant_file
from civitas_assets.catalog.yaml_text import BOUNDS
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError

DEFAULTS = """\
sources:
  water: {connector: pegelonline, title: "Pegel um {name}"}
  air: {connector: uba, title: Luft}
  trees:
    title: Bäume
    connector: csv
    licence: dl-de/by-2-0
    url: "https://land.example/{ags}/{name}.csv?bbox={bbox}&kind={kind}"
    each: {kind: [oak, elm]}
    record_type: place
    fields: {place_id: id, name: name, lon: x, lat: y}
    cadence: hourly
"""
TOWN = 'name: Bad Ort\nags: "0550000{number}"\nbbox: [7, 51.8, 7.8, 52.1]\ndefaults: {taken}\n'


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes `defaults.yaml` and towns that take something of it; their folder."""

    def written(*taken: str, defaults: str = DEFAULTS, more: str = "") -> Path:
        folder = tmp_path / "tenants"
        folder.mkdir(exist_ok=True)
        (folder / "defaults.yaml").write_text(defaults, encoding="utf-8")
        for number, what in enumerate(taken):
            text = TOWN.replace("{number}", str(number)).replace("{taken}", what)
            (folder / f"ort_{number}.yaml").write_text(text + more, encoding="utf-8")
        return folder

    return written


def _faults(folder: Path, slug: str = "ort_0") -> list[str]:
    return [str(fault) for fault in read_catalog(folder, SOURCE_MODELS).faulty.get(slug, ())]


def test_towns_take_over_all_or_some_with_what_is_theirs(write: Any) -> None:
    tenants = read_catalog(write("all", "[air]"), SOURCE_MODELS).tenants
    assert {slug: [*town.sources] for slug, town in tenants.items()} == {
        "ort_0": ["water", "air", "trees"],
        "ort_1": ["air"],
    }
    trees: Any = tenants["ort_0"].sources["trees"]
    assert trees.url == "https://land.example/05500000/Bad%20Ort.csv?bbox=7,51.8,7.8,52.1&kind={kind}"
    assert tenants["ort_0"].sources["water"].title == "Pegel um Bad Ort"


def test_what_a_town_says_itself_goes_before(write: Any) -> None:
    more = "sources:\n  air: {title: Unsere Luft}\n  own: {connector: pegelonline}\n"
    town = read_catalog(write("all", more=more), SOURCE_MODELS).tenants["ort_0"]
    assert [*town.sources] == ["water", "air", "trees", "own"]
    assert (town.sources["air"].title, town.sources["air"].connector) == ("Unsere Luft", "uba")


@pytest.mark.parametrize(
    ("taken", "defaults", "more", "said"),
    [
        ("all", DEFAULTS.replace("Luft}", "Luft, licens: x}"), "",
         "defaults.yaml:3: sources.air.licens: is not known here; did you mean licence?"),
        ("all", DEFAULTS.replace("    licence: dl-de/by-2-0\n", ""), "",
         "defaults.yaml:4: sources.trees.licence: is missing (for ort_0)"),
        ("all", DEFAULTS, "sources:\n  air: {licens: x}\n", "ort_0.yaml:6: sources.air.licens: is not known here"),
        ("all", DEFAULTS + "name: Stadt\n", "", "defaults.yaml:13: name: is not known here; allowed: sources"),
        ("all", "sources: [water]\n", "", "defaults.yaml:1: sources: must map source names to their settings"),
        ("all", "sources: {water: 1}\n", "", "defaults.yaml:1: sources.water: must hold the source's settings"),
        ("all", "a: &a [*a]\n", "", "defaults.yaml:1: (file): *a stands within itself"),
        ("[aire]", DEFAULTS, "", "ort_0.yaml:4: defaults.0: has no source aire; did you mean air?"),
        ("some", DEFAULTS, "", "ort_0.yaml:4: defaults: must be all, or a list of sources in defaults.yaml"),
        ("all", f"sources: {{air: {{connector: uba, title: '{'{name}' * 10_000}'}}}}\n", "",
         f"defaults.yaml:1: sources.air: has a text of over {BOUNDS.text} characters once it is filled (for ort_0)"),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_and_the_line_where_it_is_mended(
    write: Any, taken: str, defaults: str, more: str, said: str
) -> None:
    folder = write(taken, defaults=defaults, more=more)
    (folder / "other.yaml").write_text(TOWN.replace("{number}", "9").replace("defaults: {taken}\n", ""))
    assert any(fault.startswith(said) for fault in _faults(folder)), _faults(folder)
    assert "other" in read_catalog(folder, SOURCE_MODELS).tenants  # nobody who takes nothing notices


def test_without_a_file_of_defaults_there_is_nothing_to_take(write: Any) -> None:
    folder = write("all")
    (folder / "defaults.yaml").unlink()
    assert _faults(folder) == ["ort_0.yaml:4: defaults: there is no defaults.yaml beside this file"]


def test_the_last_state_without_faults_keeps_what_was_taken_over_then(write: Any, tmp_path: Path) -> None:
    folder, last_good = write("all"), LastGood(tmp_path / "last_good")
    read_catalog(folder, SOURCE_MODELS, last_good, keep=True)
    assert last_good.list_changed(folder) == set()
    (folder / "defaults.yaml").write_text("sources: {water: 1}\n")
    assert last_good.list_changed(folder) == {"ort_0"}
    town = read_catalog(folder, SOURCE_MODELS, last_good).tenants["ort_0"]
    assert [*town.sources] == ["water", "air", "trees"]
    assert town.faults


def test_overviews_see_what_was_taken_over(write: Any) -> None:
    found = read_outlines(write("all"))
    assert {slug: dict(town.cadences) for slug, town in found.items()} == {
        "ort_0": {"water": "nightly", "air": "nightly", "trees": "hourly"}
    }


def test_what_a_file_resolves_to_says_the_same_by_itself(write: Any, tmp_path: Path) -> None:
    folder = write("all", more="sources:\n  air: {title: Unsere Luft}\n")
    alone = tmp_path / "alone"
    alone.mkdir()
    text = render_resolved(Defaults(folder).open(folder / "ort_0.yaml"))
    assert "defaults" not in yaml.safe_load(text)
    (alone / "ort_0.yaml").write_text(text, encoding="utf-8")
    assert read_catalog(alone, SOURCE_MODELS).tenants == read_catalog(folder, SOURCE_MODELS).tenants


def test_a_new_tenant_takes_over_what_there_is(write: Any) -> None:
    folder = write("[air]")
    write_tenant_file(
        folder,
        TenantTemplate("neu", "Neu", "05500005", (7.0, 51.8, 7.8, 52.1), takes_defaults=True),
        SOURCE_MODELS,
    )
    assert [*read_catalog(folder, SOURCE_MODELS).tenants["neu"].sources] == ["water", "air", "trees"]
    with pytest.raises(CatalogError, match="must not be one of them"):
        write_tenant_file(
            folder.parent, TenantTemplate("defaults", "D", "05500006", (7.0, 51.8, 7.8, 52.1)), SOURCE_MODELS
        )
