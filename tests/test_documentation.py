"""README and docs say what is there: options, settings, commands, tables; links lead somewhere, YAML is valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from civitas_assets.catalog import TimeRule, load_catalog
from civitas_assets.catalog.model import HttpPolicy, Model, Source
from civitas_assets.cli import app
from civitas_assets.connectors.files.tabular import Unpivot
from civitas_assets.connectors.lorawan.lorawan_profiles import Quantity
from civitas_assets.connectors.registry import CONNECTORS, SOURCE_MODELS
from civitas_assets.connectors.transport.mqtt_queue import Queue
from civitas_assets.records import RECORD_TYPES
from civitas_assets.settings import Settings

PROJECT_DIR = Path(__file__).resolve().parents[1]
README = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(PROJECT_DIR).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(PROJECT_DIR.glob("*.md")), *sorted((PROJECT_DIR / "docs").rglob("*.md")))
}
DEFAULTS = "# tenants/defaults.yaml\n"
TENANT = 'name: Musterstadt\nags: "99000001"\nbbox: [9.95, 50.95, 10.1, 51.1]\n'


def _yaml_blocks() -> Iterator[tuple[str, int, str]]:
    for page, text in PAGES.items():
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)):
            yield page, number, block


def _in_first_column(page: str) -> set[str]:
    rows = re.findall(r"^\| (`[^|]*) \|", PAGES[page], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_setting_is_in_the_readme_with_its_meaning() -> None:
    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `CIVITAS_{name.upper()}` \| (.*?) \|", README, re.MULTILINE)
        assert row, name
        assert row[1].startswith(str(field.description)), name


def test_every_command_and_target_is_in_the_readme() -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {
        str(group.name or group.typer_instance.info.name)
        for group in app.registered_groups
        if group.typer_instance
    }
    assert set(re.findall(r"^\| `civitas (\w+)", README, re.MULTILINE)) == commands
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}
    rows = "".join(re.findall(r"^\| (`make [^|]*)\|", README, re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", rows)) == targets


def test_every_shared_model_is_in_the_readme() -> None:
    models = {path.stem for path in (PROJECT_DIR / "dbt_project" / "models" / "shared").rglob("*.sql")}
    listed = README.split("| table | one row per |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", listed, re.MULTILINE)) == models


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_option_of_a_connector_is_on_its_page(connector: str) -> None:
    own = SOURCE_MODELS[connector].model_fields.keys() - Source.model_fields.keys()
    # Of settings within settings; excel.md refers to csv.md, mqtt.md to lorawan.md.
    inner: dict[str, list[type[BaseModel]]] = {"csv": [Unpivot], "lorawan": [Quantity, Queue]}
    more = {name for model in inner.get(connector, []) for name in model.model_fields}
    assert _in_first_column(f"docs/connectors/{connector}.md") == own | more


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_option_of_a_connector_is_in_an_example_on_its_page(connector: str) -> None:
    used = set[str]()
    for page, _, block in _yaml_blocks():
        if page == f"docs/connectors/{connector}.md":
            for source in yaml.safe_load(block)["sources"].values():
                assert source["connector"] == connector
                used |= source.keys()
    own = SOURCE_MODELS[connector].model_fields.keys() - Source.model_fields.keys()
    # Members that services have a default for belong to every source.
    assert own <= used


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_page_says_what_becomes_of_the_data_what_is_rejected_and_how_to_ask(connector: str) -> None:
    text = PAGES[f"docs/connectors/{connector}.md"]
    assert re.search(r"^\|.* becomes \|$|^## What becomes of", text, re.MULTILINE)
    for heading in ("What is rejected", "Licence and etiquette"):
        said = re.search(rf"^## {heading}\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert said, heading
        assert len(said[1].split()) > 15, heading


@pytest.mark.parametrize(
    ("page", "models"), [("docs/sources.md", (Source, HttpPolicy)), ("docs/time.md", (TimeRule,))]
)
def test_every_common_option_is_described(page: str, models: tuple[type[Model], ...]) -> None:
    listed = _in_first_column(page)
    assert {name for model in models for name in model.model_fields} <= listed


def test_every_field_of_a_record_type_is_listed() -> None:
    for name, record_type in RECORD_TYPES.items():
        row = re.search(rf"^\| `{name}` \| (.*) \|$", PAGES["docs/sources.md"], re.MULTILINE)
        assert row, name
        assert set(re.findall(r"`(\w+)`", row[1])) == set(record_type.accepted), name


@pytest.mark.parametrize(("page", "number", "block"), list(_yaml_blocks()), ids=lambda value: str(value)[:40])
def test_yaml_in_the_documentation_is_valid(page: str, number: int, block: str, tmp_path: Path) -> None:
    del page, number
    content = yaml.safe_load(block)
    if "sources" in content:
        text = block if re.search("^ags:", block, re.MULTILINE) else TENANT + block
        if DEFAULTS in text:
            text = f"{TENANT}defaults: all\n"
        if "defaults" in yaml.safe_load(text):
            (shown,) = (found for _, _, found in _yaml_blocks() if DEFAULTS in found)
            (tmp_path / "defaults.yaml").write_text(shown, encoding="utf-8")
        (tmp_path / "musterstadt.yaml").write_text(text, encoding="utf-8")
        assert load_catalog(tmp_path, SOURCE_MODELS).tenants["musterstadt"].sources
    elif "time" in content:
        TimeRule.model_validate(content["time"])


def test_links_lead_to_files_that_exist() -> None:
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if not re.match(r"https?://", target):
                assert (PROJECT_DIR / page).parent.joinpath(target).exists(), f"{page} links to {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [PROJECT_DIR / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text(encoding="utf-8"))
        waiting.extend(page.parent / link for link in links)
    assert reached == {PROJECT_DIR / page for page in PAGES}


SECURITY = {page: text for page, text in PAGES.items() if page.startswith("docs/security")}


def test_proofs_that_pages_on_security_name_are_there() -> None:
    for page, text in SECURITY.items():
        for proof in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", text):
            assert (PROJECT_DIR / proof).exists(), f"{page} names {proof}"


def test_pages_in_both_languages_say_as_much() -> None:
    pairs = [
        (page, page.replace(".md", ".de.md")) for page in SECURITY if page.replace(".md", ".de.md") in PAGES
    ]
    assert pairs
    for english, german in pairs:
        for form in (r"^#+ ", r"^\| ", r"^- ", r"^```", r"^\d\. "):
            count = [len(re.findall(form, PAGES[page], re.MULTILINE)) for page in (english, german)]
            assert count[0] == count[1], f"{english} and {german}: {form}"


def test_pictures_of_pages_are_there_and_small() -> None:
    """A page shows what is there, says what is on it to who does not see it, and is not slow to load."""
    shown = [
        (page, said, (PROJECT_DIR / page).parent / file)
        for page, text in PAGES.items()
        for said, file in re.findall(r"!\[([^\]]*)\]\(([^)]+\.png)\)", text)
    ]
    assert {page for page, *_ in shown} == {"README.md", "docs/first-steps.md"}
    for page, said, file in shown:
        body = file.read_bytes()
        assert len(said) > 20, page
        assert (int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")) == (1280, 800), file
        assert len(body) < 150_000, file
    assert {file.resolve() for *_, file in shown} == {*(PROJECT_DIR / "docs/_static").glob("*.png")}
