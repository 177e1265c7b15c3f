"""Landing keeps bodies as received, once each, and knows of each address what was last seen there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from civitas_assets.errors import StoreError
from civitas_assets.spool import keep_pieces, read_whole
from civitas_assets.store.addresses import Address, Line, update_addresses
from civitas_assets.store.files import Files
from civitas_assets.store.journal import Journal, Progress
from civitas_assets.store.landing import SourceLanding, hash_config
from civitas_assets.store.repeats import Repeats

NIGHT = datetime(2026, 8, 1, 2, tzinfo=UTC)


@pytest.fixture
def landing(files: Files) -> SourceLanding:
    return SourceLanding(files, "town", "counters")


def line(url: str = "u", state: str = "stored", sha256: str = "s", hours: int = 0) -> Line:
    return Line(url, state, 200, NIGHT + timedelta(hours=hours), "c", sha256)  # type: ignore[arg-type]


def test_a_body_is_kept_byte_by_byte_and_once(landing: SourceLanding, files: Files) -> None:
    body = b"\x00\xff" * 5000
    digest = landing.store(body)
    assert landing.store(body) == digest
    assert landing.holds(digest)
    assert landing.read_body(digest) == body
    (key,) = files.list_keys("landing/town/counters/bodies/")
    assert key.endswith(f"/{digest[:2]}/{digest}.zst")
    assert len(files.read(key) or b"") < len(body) / 10
    assert landing.read_body(landing.store(b"")) == b""


@pytest.mark.parametrize("sealed", [False, True])
def test_a_large_body_goes_from_file_to_file(
    files: Files, sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("spool", "store.bodies"):
        monkeypatch.setattr(f"civitas_assets.{module}.MOST_IN_MEMORY", 1000)
    landing, whole = SourceLanding(files, "town", "counters", sealed=sealed), bytes(range(256)) * 2000
    body = keep_pieces(iter([whole]))
    digest = landing.store(body)
    assert digest == landing.store(whole) == landing.store(body)
    assert landing.again == [digest, digest]
    assert 0 < landing.added_bytes == sum(landing.list_sizes().values()) < len(whole) / 10
    loaded = landing.load_body(digest, len(whole))
    assert not isinstance(loaded, bytes)
    assert read_whole(loaded) == whole == landing.read_body(digest)
    (key,) = files.list_keys("landing/town/counters/bodies/")
    files.write(key, (files.read(key) or b"")[:-9])
    with pytest.raises(StoreError, match=r"is damaged|cannot be opened"):
        landing.load_body(digest, len(whole))
    files.delete(key)
    with pytest.raises(StoreError, match="fetch the source again"):
        landing.load_body(digest, len(whole))


def test_a_lost_or_damaged_body_is_named(landing: SourceLanding, files: Files) -> None:
    digest, other = landing.store(b"one"), landing.store(b"two")
    keys = {key.rpartition("/")[2].removesuffix(".zst"): key for key in files.list_keys("landing/")}
    whole = files.read(keys[digest]) or b""
    files.write(keys[digest], whole[:-3] + b"xyz")
    with pytest.raises(StoreError, match="is damaged"):
        landing.read_body(digest)
    files.write(keys[digest], files.read(keys[other]) or b"")
    with pytest.raises(StoreError, match="its content has another hash"):
        landing.read_body(digest)
    files.delete(keys[digest])
    assert not landing.holds(digest)
    with pytest.raises(StoreError, match="fetch the source again"):
        landing.read_body(digest)


def test_manifests_come_in_the_order_in_which_they_were_written(landing: SourceLanding) -> None:
    names = [
        landing.write_manifest([line("a")]),
        landing.write_manifest([line("b"), line("c")]),
    ]
    names.append(landing.write_manifest([]))
    found = [*landing.list_manifests()]
    assert [manifest.name for manifest in found] == names == sorted({*names})
    assert [[entry.url for entry in manifest.lines] for manifest in found] == [["a"], ["b", "c"], []]
    assert [manifest.name for manifest in landing.list_manifests(after=names[0])] == names[1:]


def test_manifests_that_older_versions_have_named_by_a_clock_come_first(
    landing: SourceLanding, files: Files
) -> None:
    old = "20991231T235959999999-000.jsonl"
    files.write(f"landing/town/counters/manifests/{old}", msgspec.json.encode(line("a", sha256="1")))
    new = landing.write_manifest([line("a", sha256="2")])
    assert [manifest.name for manifest in landing.list_manifests()] == [old, new]
    assert [manifest.name for manifest in landing.list_manifests(after=old)] == [new]
    assert landing.read_addresses()["a"].sha256 == "2"


def test_a_machine_that_was_held_up_does_not_write_before_what_others_have_written(
    landing: SourceLanding, files: Files
) -> None:
    slow, other = SourceLanding(files, "town", "counters"), SourceLanding(files, "town", "counters")
    before = slow.find_last_manifest()
    parts = [other.write_manifest([line("a")]), other.write_manifest([line("b")])]
    last = other.write_manifest([line("a"), line("b")])
    other.remove_manifests(parts)
    late = slow.write_manifest([line("c")])
    assert before < parts[0] < last < late
    assert [manifest.name for manifest in landing.list_manifests(after=last)] == [late]


def test_a_landing_that_was_restored_goes_on_behind_what_was_read_of_it(
    landing: SourceLanding, files: Files
) -> None:
    journal = Journal(files, "town")
    names = [landing.write_manifest([line("a")]) for _ in range(3)]
    journal.advance("counters", Progress(names[-1]))
    restored = SourceLanding(files, "town", "counters")
    restored.remove_manifests(names[1:])
    assert restored.write_manifest([line("a")]) > names[-1]


def test_a_line_survives_its_manifest(landing: SourceLanding) -> None:
    full = Line("u", "unchanged", 304, NIGHT, "c", "s", 5, "role", {"a": "b"}, "text/csv", '"e"', "yesterday")
    landing.write_manifest([full])
    ((only,),) = (manifest.lines for manifest in landing.list_manifests())
    assert only == full


def test_the_index_of_addresses_can_be_rebuilt_from_the_manifests(landing: SourceLanding) -> None:
    first = landing.write_manifest([line("a", sha256="1"), line("b", sha256="2")])
    second = landing.write_manifest([line("a", sha256="3", hours=24), line("b", "not_found", "")])
    known = landing.read_addresses()
    assert known == {
        "a": Address(
            "3",
            seen_on="2026-08-02",
            seen_at=NIGHT + timedelta(hours=24),
            seen_in=second,
            before="1",
            before_in=first,
        ),
        "b": Address("2", seen_on="2026-08-01", seen_at=NIGHT, seen_in=first),
    }
    landing.write_addresses({"a": known["a"]}, second)
    assert landing.read_addresses() == {"a": known["a"]}


def test_the_body_before_is_that_which_another_one_took_the_place_of() -> None:
    known = dict[str, Address]()
    for number, digest in enumerate(("1", "1", "2", "2"), 1):
        update_addresses(known, [line("a", sha256=digest)], f"m{number}")
    assert (known["a"].sha256, known["a"].before, known["a"].before_in) == ("2", "1", "m2")


def test_bodies_that_come_again_are_noted_ahead_of_the_manifest_that_says_so(landing: SourceLanding) -> None:
    digest = landing.store(b"x")
    landing.write_manifest([line("a", sha256=digest)])
    assert landing.read_repeats() is None
    assert landing.store(b"x") == digest
    landing.write_manifest([line("a", "unchanged", digest)])
    assert landing.read_repeats() is None, "it has stood all the time"
    name = landing.write_manifest([line("b", sha256=digest)])
    assert landing.read_repeats() == Repeats(name, {digest: name})


def test_an_address_that_is_not_found_keeps_what_was_known_of_it() -> None:
    known = {"u": Address("old")}
    update_addresses(known, [line(state="not_found", sha256="")])
    assert known == {"u": Address("old")}


def test_sources_and_tenants_do_not_see_each_other(landing: SourceLanding, files: Files) -> None:
    digest = landing.store(b"x")
    assert not SourceLanding(files, "town", "other").holds(digest)
    assert not SourceLanding(files, "other", "counters").holds(digest)


def test_the_hash_of_settings_depends_on_them_and_not_on_their_order() -> None:
    assert hash_config({"a": 1, "b": 2}) == hash_config({"b": 2, "a": 1}) != hash_config({"a": 1, "b": 3})
