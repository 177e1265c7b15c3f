"""What is hidden is in no file beyond landing, other periods have other pseudonyms, and answers are kept as is said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.catalog import Source
from civitas_assets.errors import SecretMissing, StoreError
from civitas_assets.ingest.privacy_filter import find_unhideable_fields
from civitas_assets.records import RECORD_TYPES
from civitas_assets.store.discard import discard_read
from civitas_assets.store.files import LocalFiles
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.record_archive import archive_records
from civitas_assets.store.tenant_keys import name_key_variable, tenant_key
from civitas_assets.store.tombstones import Tombstones
from tests.ingest.conftest import Publisher, Town

DEVICE = "KENNZEICHEN-4711"
ROWS = (
    "t,id,v\n2026-06-30T10:00:00Z,KENNZEICHEN-4711,1\n2026-07-01T10:00:00Z,KENNZEICHEN-4711,2\n"
    "2026-07-01T11:00:00Z,other,3\n2026-07-01T12:00:00Z,KENNZEICHEN-4711,no number\n2026-07-01,KENNZEICHEN-4711,1,9\n"
)
HIDDEN: dict[str, Any] = {
    "pseudonymise": ("datastream_id", "station_name"), "constants": {"unit": "1"}
}  # fmt: skip


def holding(home: Path, text: str, *without: str) -> set[str]:
    """The first folders in which some file, packed as Parquet is or not, holds the text."""
    import polars as pl  # noqa: PLC0415

    found = set()
    for file in home.rglob("*"):
        if not file.is_file() or file.relative_to(home).parts[0] in without:
            continue
        body = file.read_bytes()
        if file.suffix == ".parquet":
            body += json.dumps(pl.read_parquet(file).cast(pl.String, strict=False).to_dicts()).encode()
        if text.encode() in body:
            found.add(file.relative_to(home).parts[0])
    return found


def ids(town: Town) -> list[str]:
    return [row[0] for row in town.values("datastream_id")]


def test_hidden_values_are_nowhere_beyond_landing(town: Town, publisher: Publisher) -> None:
    town.with_sources(s=HIDDEN)
    publisher.bodies["a.csv"] = ROWS.encode()
    assert town.night().counts["observation"].rejected == 2
    assert holding(town.home, DEVICE, "landing") == set()
    # Pseudonyms are as random as the tenant's key: which one sorts first says nothing.
    ((first, often), (other, once)) = Counter(ids(town)).most_common()
    assert (often, once) == (2, 1)
    assert len(first) == 32
    rejected = town.stores.quarantine.read_rows()
    assert any(first in raw for raw in rejected["raw"]), "so that rejected rows can be told from each other"
    assert {*town.stores.records.read_rows(RECORD_TYPES["datastream"], [])["datastream_id"]} == {first, other}


def test_the_same_id_has_one_name_everywhere_and_another_one_in_another_town(
    town: Town, publisher: Publisher
) -> None:
    town.with_sources(s=HIDDEN)
    publisher.bodies["a.csv"] = ROWS.encode()
    town.night()
    before = ids(town)
    archive_records(town.files, "town")
    town.night()
    assert ids(town) == before, "also when it is read again"
    assert tenant_key(town.files, "town", "pseudonym") != tenant_key(town.files, "village", "pseudonym")
    assert tenant_key(town.files, "town", "pseudonym") != tenant_key(town.files, "town", "landing")


@pytest.mark.parametrize(
    ("period", "differ"), [("never", 1), ("year", 1), ("month", 2), ("week", 1), ("day", 2)]
)
def test_pseudonyms_of_other_periods_are_others(
    town: Town, publisher: Publisher, period: str, differ: int
) -> None:
    town.with_sources(s={**HIDDEN, "pseudonym_period": period})
    publisher.bodies["a.csv"] = "".join(ROWS.splitlines(keepends=True)[:3]).encode()
    town.night()
    assert len({*ids(town)}) == differ
    # Datastreams that rows describe have the names of those rows.
    described = town.stores.records.read_rows(RECORD_TYPES["datastream"], [])["datastream_id"]
    assert {*described} == {*ids(town)}


def test_a_key_is_for_the_account_of_the_deployment_alone_or_in_a_secret(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tenant_key(town.files, "town", "x")
    file = town.home / "keys" / "town" / "key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert tenant_key(town.files, "town", "x") == made
    with pytest.raises(StoreError, match="has a key in keys/town/key already"):
        name_key_variable(town.files, "town", "TOWN_KEY")
    name_key_variable(town.files, "village", "VILLAGE_KEY")
    name_key_variable(town.files, "village", "VILLAGE_KEY")
    with pytest.raises(SecretMissing, match="VILLAGE_KEY"):
        tenant_key(town.files, "village", "x")
    monkeypatch.setenv("VILLAGE_KEY", "of the village")
    assert len(tenant_key(town.files, "village", "x")) == 32
    assert b"of the village" not in (town.home / "keys" / "village" / "key").read_bytes()


def test_answers_are_kept_encrypted_and_read_as_ever(town: Town, publisher: Publisher) -> None:
    import zstandard  # noqa: PLC0415

    town.with_sources(s={"landing": "encrypt"})
    publisher.bodies["a.csv"] = ROWS.encode()
    town.night()
    (file,) = (town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")
    with pytest.raises(zstandard.ZstdError):
        zstandard.ZstdDecompressor().decompress(file.read_bytes())
    landing = SourceLanding(town.files, "town", "s")
    digest = file.stem
    assert landing.read_body(digest) == ROWS.encode()
    archive_records(town.files, "town")
    town.night()
    assert len(ids(town)) == 3
    (town.home / "keys" / "town" / "key").write_text("00" * 32, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be opened"):
        landing.read_body(digest)


def test_answers_are_discarded_once_they_were_read(town: Town, publisher: Publisher) -> None:
    town.with_sources(s={"landing": "discard"})
    publisher.bodies["a.csv"] = ROWS.encode()
    assert town.night().ok
    assert [*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")] == []
    before = ids(town)
    assert town.night().ok, "an answer that is as before"
    publisher.bodies["a.csv"] = ROWS.encode() + b"2026-07-01T13:00:00Z,other,4\n"
    town.night()
    assert len(ids(town)) == len(before) + 1
    assert [*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")] == []
    archive_records(town.files, "town")
    assert town.night().ok, "nothing is missed"
    assert len(ids(town)) == len(before) + 1, "and what was read stays as it was read"


@pytest.mark.parametrize("operation", ["write", "delete_all"])
def test_a_crash_while_read_answers_go_is_made_up_for(
    town: Town, publisher: Publisher, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far they are gone is said before they go: reading landing again carries over what was made of them."""
    town.with_sources(s={"landing": "encrypt"})
    publisher.bodies["a.csv"] = ROWS.encode()
    assert town.night().ok
    before = ids(town)
    town.with_sources(s={"landing": "discard"})

    def crash(*_: object) -> None:
        raise OSError("the machine went down")

    with monkeypatch.context() as going:
        going.setattr(LocalFiles, operation, crash)
        with pytest.raises(OSError, match="went down"):
            discard_read(town.stores, "town", "s")
    archive_records(town.files, "town")
    assert all(report.ok for report in town.read().values())
    assert ids(town) == before
    assert [*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")] == []


def test_what_cannot_be_read_is_kept_until_it_can(town: Town, publisher: Publisher) -> None:
    town.with_sources(s={"landing": "discard", "delimiter": ";"})
    publisher.bodies["a.csv"] = ROWS.encode()
    assert not town.night().ok
    assert len([*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")]) == 1
    town.with_sources(s={"landing": "discard"})
    assert town.night().ok
    assert len(ids(town)) == 3
    assert [*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")] == []


def test_what_was_erased_is_not_taken_when_it_comes_again(town: Town, publisher: Publisher) -> None:
    Tombstones(town.files, "town").add([("datastream_id", DEVICE)], town.now)
    publisher.bodies["a.csv"] = ROWS.encode()
    town.night()
    assert ids(town) == ["other"]
    assert holding(town.home, DEVICE) == set(), "not even in landing"
    assert town.night().ok
    assert [*(town.home / "landing" / "town" / "s" / "bodies").rglob("*.zst")] == [], (
        "nor when it is there still"
    )
    archive_records(town.files, "town")
    assert town.night().ok
    assert ids(town) == ["other"], "and what was beside it stays"


def test_only_texts_can_be_hidden(town: Town) -> None:
    town.with_sources(s={"pseudonymise": ("value", "datastream_id", "owner")})
    faults = dict(find_unhideable_fields(town.tenant))
    assert [*faults] == [("sources", "s", "pseudonymise", 0), ("sources", "s", "pseudonymise", 2)]
    assert "'value' is no text of it; there are: datastream_id" in faults["sources", "s", "pseudonymise", 0]


def test_a_source_says_what_it_hides() -> None:
    fields = Source.model_fields
    assert fields["pseudonymise"].default == ()
    assert fields["landing"].default == "keep"
