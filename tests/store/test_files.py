"""Objects are replaced whole, written once where that is asked for, and never outside their place."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from civitas_assets.errors import StoreError
from civitas_assets.store.files import Files


def test_what_is_written_is_read_and_what_is_not_there_is_none(files: Files) -> None:
    assert files.read("a/b") is None
    assert not files.exists("a/b")
    files.write("a/b", b"1")
    files.write("a/b", b"2")
    assert files.read("a/b") == b"2"
    assert files.exists("a/b")
    assert files.read_all(["x", "a/b", "y"]) == [None, b"2", None]


def test_the_end_of_objects_is_read_without_what_is_before(files: Files) -> None:
    files.write("a", b"12345")
    files.write("b", b"6")
    assert files.read_ends(["b", "a"], 3) == [b"6", b"345"]


def test_readers_that_open_files_get_the_objects_as_files(files: Files, tmp_path: Path) -> None:
    files.write("a/1", b"one")
    files.write("a/2", b"two")
    first = files.fetch_copies(["a/1", "a/2"], tmp_path / "folder")
    assert [path.read_bytes() for path in first] == [b"one", b"two"]
    assert [path.name for path in first] == ["1", "2"]
    assert files.fetch_copies(["a/2"], tmp_path / "folder") == first[1:]


def test_a_reader_that_holds_the_old_file_open_keeps_it(files: Files, tmp_path: Path) -> None:
    files.write("a", b"old")
    with files.fetch_copies(["a"], tmp_path / "folder")[0].open("rb") as reader:
        files.write("a", b"new")
        assert reader.read() == b"old"
    assert files.read("a") == b"new"


def test_of_many_that_write_once_exactly_one_wins(files: Files) -> None:
    bodies = [bytes([number]) * 1000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        won = [*pool.map(lambda body: files.write_once("x/once", body), bodies)]
    assert won.count(True) == 1
    assert files.read("x/once") == bodies[won.index(True)]
    large = b"x" * 2_000_000
    assert [files.write_once("x/large", large) for _ in range(2)] == [True, False]


def test_objects_are_changed_from_what_they_are(files: Files) -> None:
    files.write("a", b"1")
    files.change_all({"a": lambda body: (body or b"") + b"2", "b": lambda body: repr(body).encode()})
    assert files.read_all(["a", "b"]) == [b"12", b"None"]


def test_a_change_that_fails_leaves_its_object_and_no_other_behind(files: Files) -> None:
    files.write("a", b"1")

    def fails(_: bytes | None) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        files.change_all({"a": fails, "b": lambda _: b"2"})
    assert files.read_all(["a", "b"]) == [b"1", b"2"]


@pytest.mark.parametrize(
    "key", ["", "/", "..", "../a", "a/../../b", "a//b", "/etc/passwd", "a/", "./a", "a\\b"]
)
def test_a_key_cannot_lead_out_of_its_place(files: Files, key: str, tmp_path: Path) -> None:
    for use in (files.read, files.exists, files.delete):
        with pytest.raises(StoreError, match="is no key"):
            use(key)
    with pytest.raises(StoreError, match="is no key"):
        files.write(key, b"")
    with pytest.raises(StoreError, match="is no key"):
        files.write_once(key, b"")
    with pytest.raises(StoreError, match="is no key"):
        files.fetch_copies([key], tmp_path / "folder")


def test_keys_are_listed_in_order_and_from_one_on(files: Files) -> None:
    for key in ("t/b/2", "t/a", "t/b/1", "u/a", "tt/a"):
        files.write(key, b"")
    assert files.list_keys("t/") == ["t/a", "t/b/1", "t/b/2"]
    assert files.list_keys("t/", after="t/b/1") == ["t/b/2"]
    assert files.list_keys("none/") == []


def test_stamps_change_with_what_an_object_holds(files: Files) -> None:
    files.write("t/a", b"one")
    files.write("t/b", b"four")
    before = files.list_stamps("t/")
    assert {key: stamp.size for key, stamp in before.items()} == {"t/a": 3, "t/b": 4}
    files.write("t/a", b"two")
    after = files.list_stamps("t/")
    assert after["t/a"] != before["t/a"]
    assert after["t/b"] == before["t/b"]


def test_what_is_moved_is_under_its_new_key_only(files: Files) -> None:
    files.write("a/1", b"one")
    files.write("a/2", b"two")
    files.move_all({"a/1": "b/c/1", "a/2": "b/c/2"})
    assert files.list_keys("a/") == []
    assert files.read_all(["b/c/1", "b/c/2"]) == [b"one", b"two"]


def test_what_arrives_is_listed_with_its_time_and_no_further_down(files: Files) -> None:
    for key in ("drop/Zählung 1.csv", "drop/100%+#.csv", "drop/done/old.csv", "dropped/no"):
        files.write(key, b"x")
    found = files.list_arrivals("drop/")
    assert [*found] == ["100%+#.csv", "Zählung 1.csv"]
    assert all(abs(arrival.changed_at - time.time()) < 600 for arrival in found.values())
    assert found["Zählung 1.csv"].stamp == files.list_stamps("drop/")["drop/Zählung 1.csv"]
    assert files.read("drop/100%+#.csv") == b"x"
    assert files.list_arrivals("none/") == {}


def test_an_object_is_moved_only_as_it_was_seen(files: Files) -> None:
    files.write("drop/Zählung 1.csv", b"one")
    seen = files.list_arrivals("drop/")["Zählung 1.csv"].stamp
    files.write("drop/Zählung 1.csv", b"two")
    assert not files.move_if("drop/Zählung 1.csv", "drop/done/1", seen)
    assert files.list_keys("drop/") == ["drop/Zählung 1.csv"], "what came meanwhile stays"
    now = files.list_arrivals("drop/")["Zählung 1.csv"].stamp
    assert files.move_if("drop/Zählung 1.csv", "drop/done/1", now)
    assert files.list_keys("drop/") == ["drop/done/1"]
    assert files.read("drop/done/1") == b"two"


def test_people_are_told_where_an_object_is(files: Files, tmp_path: Path) -> None:
    told = files.locate("drop/town")
    assert told == str(tmp_path / "drop" / "town") or re.fullmatch(r"s3://civitas/\w+/drop/town", told)


def test_deleting_twice_is_deleting_once(files: Files) -> None:
    for key in ("a", "b/1", "b/2"):
        files.write(key, b"")
    files.delete("a")
    files.delete("a")
    files.delete_all(["b/1", "b/2", "b/3"])
    files.delete_all([])
    assert not any(files.exists(key) for key in ("a", "b/1", "b/2"))


def test_everything_below_a_prefix_is_cleared_and_nothing_beside_it(files: Files) -> None:
    for key in ("a/b/1", "a/b/c/2", "a/bb/3", "a/4"):
        files.write(key, b"x")
    files.clear("a/b/")
    files.clear("nothing/")
    assert files.list_keys("a/") == ["a/4", "a/bb/3"]


def test_folders_are_listed_without_looking_into_them(files: Files) -> None:
    for key in ("a/x/1", "a/y/2/3", "a/4", "b/z/5"):
        files.write(key, b"")
    assert files.list_folders("a/") == ["x", "y"]
    assert files.list_folders("c/") == []


def test_a_file_becomes_an_object_that_is_read_in_parts(files: Files, tmp_path: Path) -> None:
    body = bytes(range(256)) * 20_000
    source = tmp_path / "source"
    source.write_bytes(body)
    files.copy_in("a/large", source)
    for first, size in ((0, len(body)), (1, len(body) - 1), (3_000_000, 17), (0, 0), (len(body) - 1, 1)):
        parts = files.read_parts("a/large", first, size)
        assert parts is not None
        assert b"".join(parts) == body[first : first + size]
    assert [files.read_parts("a/none", 0, size) for size in (0, 1)] == [None, None]
    source.write_bytes(b"new")
    files.copy_in("a/large", source)
    assert files.read("a/large") == b"new"
