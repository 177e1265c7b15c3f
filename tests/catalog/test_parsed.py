"""What was made of tenants' files is kept: for the same files alone, for their owner alone, and never a fault."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import parsed as module
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.last_good import LastGood
from civitas_assets.catalog.load import Catalog, read_catalog
from civitas_assets.catalog.parsed import ParsedTenants
from civitas_assets.catalog.yaml_text import parse_yaml
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.demo.towns import write_towns

TOWN = 'name: {name}\nags: "05500001"\nbbox: [7, 51.8, 7.8, 52.1]\n'
DEFAULTS = "sources:\n  air: {connector: uba, title: Luft}\n"


class Installation:
    """A folder of tenants' files, and what of them was parsed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tenants, self.kept = folder / "tenants", folder / "home" / "tenants.parsed"
        self.tenants.mkdir()
        self.last_good = LastGood(folder / "home" / "last_good")
        self.read: list[str] = []

        def note_and_parse(name: str, *given: Any) -> Any:
            self.read.append(name)
            return parse_yaml(name, *given)

        monkeypatch.setattr("civitas_assets.catalog.yaml_document.parse_yaml", note_and_parse)

    def write(self, slug: str, text: str) -> Path:
        file = self.tenants / f"{slug}.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    def load(self, *, checks_name: str = "", frame: Frame | None = None, keep: bool = True) -> Catalog:
        self.read.clear()
        parsed = ParsedTenants(self.kept, checks_name)
        given = {"frame": frame} if frame else {}
        return read_catalog(self.tenants, SOURCE_MODELS, self.last_good, keep=keep, parsed=parsed, **given)


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Two towns, of which one takes over what the defaults have."""
    found = Installation(tmp_path, monkeypatch)
    found.write("defaults", DEFAULTS)
    found.write("ost", TOWN.format(name="Ost"))
    found.write("west", TOWN.format(name="West") + "defaults: all\n")
    return found


def test_nothing_is_parsed_again_and_all_is_the_same(installation: Installation) -> None:
    first = installation.load()
    assert sorted(installation.read) == ["defaults.yaml", "ost.yaml", "west.yaml"]
    again = installation.load()
    assert again == first
    assert not installation.read
    assert [*again.tenants["west"].sources] == ["air"]
    assert again.tenants["west"].slug == "west"


def test_every_connector_of_the_demo_towns_comes_back_as_it_was(installation: Installation) -> None:
    write_towns(installation.tenants, "http://127.0.0.1:9", "127.0.0.1:8")
    first, again = installation.load(), installation.load()
    assert again == first
    assert len(first.connectors) > 5
    assert not {f"{slug}.yaml" for slug in first.tenants} & {*installation.read}


@pytest.mark.parametrize(
    ("change", "parsed"),
    [
        (lambda i: i.write("ost", TOWN.format(name="Ostend")), {"ost.yaml"}),
        (lambda i: i.write("defaults", DEFAULTS + "  water: {connector: pegelonline, title: W}\n"), None),
        (lambda i: i.write("nord", TOWN.format(name="Nord")), None),  # whose secrets begin with NORD_ now
        (lambda i: (i.tenants / "ost.yaml").unlink(), None),
        (lambda i: i.last_good.find_file("ost").unlink(), {"ost.yaml"}),
    ],
    ids=["a file", "the defaults", "a new tenant", "one that is gone", "no copy to go back to"],
)
def test_what_has_changed_is_parsed(
    installation: Installation, change: Callable[[Installation], object], parsed: set[str] | None
) -> None:
    installation.load()
    change(installation)
    found = installation.load()
    own = {f"{slug}.yaml" for slug in found.tenants}
    assert own & {*installation.read} == (own if parsed is None else parsed)
    alone = read_catalog(installation.tenants, SOURCE_MODELS)
    assert found == alone
    assert not found.faulty
    assert all(installation.last_good.find_file(slug).is_file() for slug in found.tenants)
    assert installation.load() == found
    assert not installation.read


def test_another_frame_or_another_code_is_another_state(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.load()
    low = replace(Frame(), max_pages=3)
    assert installation.load(frame=low).tenants["west"].sources["air"].frame == low
    installation.load()
    monkeypatch.setattr(module, "_fingerprint", lambda: "newer")
    installation.load()
    assert "ost.yaml" in installation.read


def test_the_code_is_another_where_a_file_of_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    fingerprint = module._fingerprint.__wrapped__
    (tmp_path / "below" / "__pycache__").mkdir(parents=True)
    (file := tmp_path / "below" / "code.py").write_text("1", encoding="utf-8")
    before = fingerprint()
    (tmp_path / "below" / "__pycache__" / "code.pyc").write_bytes(b"made of it")
    assert fingerprint() == before
    file.write_text("12", encoding="utf-8")
    assert fingerprint() != before


def test_faults_are_not_kept_but_told_each_time(installation: Installation) -> None:
    installation.load()
    installation.write("ost", "name: 3\n")
    for _ in range(2):
        found = installation.load()
        assert found.tenants["ost"].name == "Ost"
        assert found.faulty["ost"]
        assert "ost.yaml" in installation.read
        assert "west.yaml" not in installation.read
    assert b"ost.yaml" not in installation.kept.read_bytes()


def test_who_checks_less_takes_what_was_checked_and_leaves_it(installation: Installation) -> None:
    installation.load(checks_name="shares of one project")
    before = installation.kept.read_bytes()
    assert installation.load(keep=False).tenants
    assert not installation.read
    installation.write("ost", TOWN.format(name="Ostend"))
    installation.load()
    assert installation.kept.read_bytes() == before, "it was not held against the same"
    installation.load(checks_name="shares of another project")
    assert {"ost.yaml", "west.yaml"} <= {*installation.read}


def test_only_its_owner_can_read_it_and_only_his_own_is_read(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.load()
    assert stat.S_IMODE(installation.kept.stat().st_mode) == 0o600
    installation.kept.chmod(0o640)
    installation.load(keep=False)
    assert "ost.yaml" in installation.read
    assert "not this user's alone" in caplog.text
    installation.kept.chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    installation.load(keep=False)
    assert "ost.yaml" in installation.read
    monkeypatch.undo()
    elsewhere = installation.kept.rename(installation.kept.with_name("elsewhere"))
    installation.kept.symlink_to(elsewhere)
    assert installation.load(keep=False).tenants


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"\0" + b[41:]])
def test_what_is_damaged_is_as_nothing(installation: Installation, damage: Callable[[bytes], bytes]) -> None:
    first = installation.load()
    installation.kept.write_bytes(damage(installation.kept.read_bytes()))
    assert installation.load() == first
    assert "ost.yaml" in installation.read
    assert installation.load() == first
    assert not installation.read


class _Forged:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


def test_a_forged_tenant_calls_nothing(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(os, "system", called.append)
    parsed = ParsedTenants(installation.kept)
    parsed.begin(["same"])
    body = b"name: Forged"
    parsed._new["ost.yaml"] = hashlib.sha256(body).hexdigest(), pickle.dumps(_Forged())
    parsed.finish()
    again = ParsedTenants(installation.kept)
    again.begin(["same"])
    assert again.find("ost.yaml", body) is None
    assert not called
