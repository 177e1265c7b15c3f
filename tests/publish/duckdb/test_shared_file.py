"""A published file in object storage: whichever machine publishes, readers get one version, and no other is kept."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from civitas_assets.errors import OutdatedError, PublishError
from civitas_assets.publish.commons import Commons, Member
from civitas_assets.publish.destinations import make_commons, remove_unpublished_commons
from civitas_assets.publish.duckdb.published_file import Statement, find_published_file
from civitas_assets.publish.duckdb.published_files import PublishedFiles
from civitas_assets.settings import Settings
from civitas_assets.store.storage import make_storage, open_objects
from tests.publish.conftest import Towns
from tests.publish.destinations.conftest import Town
from tests.publish.duckdb.conftest import Machines

D1, D2 = date(2026, 7, 31), date(2026, 8, 1)
SAID = Statement({}, "run 1")
COUNTED = "select day::varchar, free from status order by day"


def status(day: date, free: int, note: str = "") -> dict[str, Any]:
    at = f"{day}T12:00:00Z"
    return {"site_key": "x", "observed_at": at, "day": day, "free": free, "note": note}


def test_each_machine_goes_on_with_what_another_has_published(machines: Machines) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, run_id="a", status=[status(D1, 1)])
    assert not there.destination.plan_migration(there.project), "nothing has to be made anew"
    assert there.destination.read_publication().startswith("a ")
    assert not machines.copy(there).exists(), "nobody fetches a file to ask what it says of itself"
    there.publish([D2], run_id="b", status=[status(D2, 2)])
    assert here.ask(COUNTED) == there.ask(COUNTED) == [(f"{D1}", 1), (f"{D2}", 2)]
    here.publish([D1], run_id="c", status=[status(D1, 3)])
    assert there.ask(COUNTED) == [(f"{D1}", 3), (f"{D2}", 2)]
    assert len(machines.stored) == 2, "the pointer, and one version"


def test_a_file_is_fetched_once_and_again_when_it_has_changed_or_is_not_what_was_fetched(
    machines: Machines,
) -> None:
    here, there, asked = machines.here, machines.there, machines.server.asked
    here.publish([D1], rebuild=True, status=[status(D1, 1)])

    def fetched(town: Town) -> int:
        begun = len(asked)
        assert town.ask(COUNTED) == [(f"{D1}", 1)]
        return sum(line.startswith("GET") and line.endswith(".duckdb") for line in asked[begun:])

    assert [fetched(here), fetched(there), fetched(there)] == [0, 1, 0]
    machines.copy(there).write_bytes(b"of something else")
    assert fetched(there) == 1
    assert machines.copy(there).stat().st_mode & 0o777 == 0o640


def test_who_is_too_late_moves_nothing_and_leaves_nothing(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    pointer = f"/{machines.prefix}/published/town/current.json"
    turns = iter([True])

    def meanwhile(moment: str, asked: str, _: bytes) -> None:
        if moment == "before" and asked.startswith("PUT") and asked.endswith(pointer) and next(turns, False):
            there.publish([D1], run_id="other", status=[status(D1, 9)])

    monkeypatch.setattr(machines.server, "watch", meanwhile)
    with pytest.raises(OutdatedError, match="another run has published"):
        here.publish([D1], run_id="late", status=[status(D1, 5)])
    assert here.ask(COUNTED) == there.ask(COUNTED) == [(f"{D1}", 9)]
    assert len(machines.stored) == 2


def test_run_that_is_delayed_after_it_has_published_leaves_the_next_version_alone(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    moved, next_is_sent = threading.Event(), threading.Event()
    pointer = f"/{machines.prefix}/published/town/current.json"
    turns = iter(["late", "next"])

    def take_turns(moment: str, asked: str, _: bytes) -> None:
        if not (asked.startswith("PUT") and asked.endswith(pointer)):
            return
        if moment == "after" and next(turns, "") == "late":
            moved.set()
            next_is_sent.wait(10)
        elif moment == "before" and moved.is_set():
            next_is_sent.set()
            late.join(10)

    monkeypatch.setattr(machines.server, "watch", take_turns)
    late = threading.Thread(target=lambda: here.publish([D1], run_id="late", status=[status(D1, 2)]))
    late.start()
    assert moved.wait(10)
    there.publish([D1], run_id="next", status=[status(D1, 3)])
    assert not late.is_alive()
    assert here.ask(COUNTED) == [(f"{D1}", 3)]
    assert len(machines.stored) == 2


def test_machine_that_cannot_keep_a_copy_has_published_all_the_same(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])

    def fill_up(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("civitas_assets.publish.duckdb.shared_file.SharedPublishedFile._take", fill_up)
        here.publish([D1], status=[status(D1, 2)])
        with pytest.raises(PublishError, match="is full"):
            there.ask(COUNTED)
    assert "it is published" in caplog.text
    assert [*machines.copy(there).parent.iterdir()] == []
    assert len(machines.stored) == 2
    assert here.ask(COUNTED) == there.ask(COUNTED) == [(f"{D1}", 2)]


def test_who_may_only_read_the_copy_that_is_there_reads_it(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.here.publish([D1], rebuild=True, status=[status(D1, 1)])

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    for name in ("chmod", "touch", "write_bytes"):
        monkeypatch.setattr(f"pathlib.Path.{name}", refuse)
    assert machines.here.ask(COUNTED) == [(f"{D1}", 1)]
    with pytest.raises(PublishError, match=r"cannot be copied to .*Operation not permitted"):
        machines.there.ask(COUNTED)


def test_a_damaged_pointer_is_named_and_contracts_of_another_form_have_the_output_made_anew(
    machines: Machines,
) -> None:
    here = machines.here
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    files, key = machines.file(here)._files, "published/town/current.json"
    said = msgspec.json.decode(files.read(key) or b"")
    files.write(key, msgspec.json.encode({**said, "contracts": {"status": "of another release"}}))
    assert here.ask(COUNTED) == [(f"{D1}", 1)]
    (reason,) = here.destination.plan_migration(here.project).reasons
    assert reason == "the output does not say what contracts it follows"
    files.write(key, b'{"key": ')
    for use in (here.destination.read_publication, lambda: here.ask(COUNTED)):
        with pytest.raises(
            PublishError, match=r"published/town/current\.json is damaged .*; remove that object"
        ):
            use()


@pytest.mark.parametrize("request_of", ["copy_in", "put_if"])
def test_run_that_ends_before_the_pointer_has_moved_leaves_readers_what_there_was(
    machines: Machines, request_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.here.publish([D1], rebuild=True, status=[status(D1, 1)])
    with monkeypatch.context() as patched:
        patched.setattr(f"civitas_assets.store.objects.ObjectFiles.{request_of}", _crash)
        with pytest.raises(KeyboardInterrupt):
            machines.here.publish([D1], status=[status(D1, 2)])
    assert machines.there.ask(COUNTED) == machines.here.ask(COUNTED) == [(f"{D1}", 1)]
    machines.there.publish([D1], status=[status(D1, 3)])
    assert len(machines.stored) == 2, "what it had uploaded is gone"


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_version_that_was_never_published_goes_and_its_late_writer_cannot_publish_it(
    machines: Machines,
) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    file = machines.file(there)
    late = file.find()
    stray = f"{machines.prefix}/published/town/0123.duckdb"
    machines.server.fill([stray])
    assert file.remove_unpublished() == 1
    assert "0123.duckdb" not in machines.stored
    assert file.remove_unpublished() == 0
    copy = there.settings.home / "copy"
    file.copy_current(copy)
    with pytest.raises(OutdatedError):
        file.replace(copy, late, SAID)
    assert here.ask(COUNTED) == [(f"{D1}", 1)]
    machines.server.fill([stray])
    there.publish([D1], status=[status(D1, 2)])
    assert len(machines.stored) == 2


def test_reader_who_is_overtaken_gets_the_next_version(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    turns = iter([True])

    def meanwhile(moment: str, asked: str, _: bytes) -> None:
        if (
            moment == "before"
            and asked.startswith("GET")
            and asked.endswith(".duckdb")
            and next(turns, False)
        ):
            here.publish([D1], status=[status(D1, 2)])

    monkeypatch.setattr(machines.server, "watch", meanwhile)
    assert there.ask(COUNTED) == [(f"{D1}", 2)]


def test_a_pointer_to_what_is_gone_has_the_output_made_anew(machines: Machines) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    (version,) = (key for key in machines.stored if key.endswith(".duckdb"))
    machines.file(here)._files.delete(f"published/town/{version}")
    with pytest.raises(PublishError, match="remove that object"):
        there.ask(COUNTED)
    assert there.destination.plan_migration(there.project).reasons == ("there is no output yet",)
    there.publish([D1], rebuild=True, status=[status(D1, 2)])
    assert here.ask(COUNTED) == [(f"{D1}", 2)]


def test_what_is_forgotten_is_in_no_object_and_in_no_copy(machines: Machines) -> None:
    here, there, text = machines.here, machines.there, "left on the seat of car NF-XY 4711"
    here.publish([D1], rebuild=True, status=[status(D1, n, text) for n in range(3)])
    assert there.ask("select count(*) from status") == [(3,)]
    left = machines.copy(there).parent / ".rebuild"
    left.mkdir()
    (left / "town_db.duckdb").write_bytes(text.encode())
    for path in (left / "town_db.duckdb", left):
        os.utime(path, (0, 0))
    here.publish([D1], status=[])
    assert len(machines.versions) == 1
    assert text.encode() not in machines.versions[0] + machines.copy(here).read_bytes()
    assert text.encode() in machines.copy(there).read_bytes(), "until it comes by"
    os.utime(there.settings.published / ".swept", (0, 0))
    never = machines.copy(there, "hamlet").parent / ".rebuild"  # it began to publish, and another one did
    never.mkdir(parents=True)
    os.utime(never, (0, 0))
    there.neighbour("village").publish([D1], rebuild=True)
    assert not machines.copy(there).exists()
    assert not left.exists()
    assert not never.exists()
    assert there.ask("select count(*) from status") == [(0,)]


def test_output_that_is_taken_away_is_nowhere(machines: Machines) -> None:
    here, there = machines.here, machines.there
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    there.neighbour("village").publish([D1], rebuild=True)
    file = machines.file(there)
    assert there.ask(COUNTED)
    assert here.ask(COUNTED)
    sizes = file.measure()
    assert len(sizes) == 4, "pointer and version, copy and mark"
    there.destination.clear()
    assert (file.measure(), file.find(), machines.stored) == ([], None, set())
    with pytest.raises(PublishError, match=r"no output in s3://.* \(there is: village\)"):
        here.ask(COUNTED)
    assert not machines.copy(here).exists()


def test_only_one_publishes_first_also_where_the_storage_repeats_what_was_asked(machines: Machines) -> None:
    here, there = machines.here, machines.there
    file, found = machines.file(there), machines.file(there).find()
    assert found is None
    machines.server.answer_lost += ["PUT", "PUT"]
    here.publish([D1], rebuild=True, status=[status(D1, 1)])
    assert not machines.server.answer_lost
    copy = there.settings.home / "copy"
    file.copy_current(copy)
    with pytest.raises(OutdatedError):
        file.replace(copy, found, SAID)
    assert len(machines.stored) == 2


def test_commons_bring_in_what_other_machines_have_published_and_are_changed_by_any(
    towns: Towns, member: Callable[..., Member], storage_url: str, tmp_path: Path
) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    members = {"anton": anton, "berta": berta}

    def commons(machine: str) -> Commons:
        settings = Settings(home=tmp_path / machine, storage_url=storage_url)
        return make_commons(settings, make_storage(settings).files, "duckdb")

    for number, slug in enumerate(members):
        towns.publish(slug, {D1: number})
        made = find_published_file(towns.folder / "published", slug)
        PublishedFiles(tmp_path / slug, open_objects(Settings(storage_url=storage_url))).find(slug).replace(
            made, None, Statement(towns.contracts, "run 1")
        )
        commons("here").announce(slug, "run", [D1], towns.contracts, whole=True)
        commons("here").confirm(slug, "run")
    assert not commons("here").is_current("anton", members)
    commons("here").refresh("anton", members, towns.contracts)
    assert commons("there").is_current("anton", members)
    assert [commons("there").count_rows_of(slug) for slug in members] == [1, 1]
    files = make_storage(Settings(storage_url=storage_url)).files
    files.write("published/commons/0123.duckdb", b"of a machine that ended before it was published")
    remove_unpublished_commons(Settings(home=tmp_path / "there", storage_url=storage_url))
    assert len(files.list_keys("published/commons/")) == 2
    assert commons("there").forget("anton") == 1
    assert [commons("here").count_rows_of(slug) for slug in members] == [0, 1]
