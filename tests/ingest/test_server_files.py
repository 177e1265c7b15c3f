"""Files on servers of others, SFTP, S3 and WebDAV alike: each version lands once, and nothing is changed there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from obstore.store import S3Store

from civitas_assets.catalog.file_server import FileAddress, SftpAccess
from civitas_assets.connectors.reachable import LOCAL, PUBLIC, Reachable
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.connectors.transport.http import HttpClient
from civitas_assets.connectors.transport.remote_folder import RemoteFile
from civitas_assets.errors import FetchError
from civitas_assets.ingest.drop import FILE_CHANGING, take_all
from civitas_assets.ingest.probe import probe_source
from civitas_assets.ingest.server_files import ServerFolder
from civitas_assets.store.addresses import Address
from testbed.file_servers import PASSWORD, USER, find_sshd, sftp_server, webdav_server
from testbed.objects import BUCKET, KEY, SECRET
from tests.ingest.conftest import WEEK, Town

NOW = datetime(2026, 7, 3, 5, tzinfo=UTC)
ADDRESS = FileAddress.parse("webdav://host/out/*.csv")


@dataclass
class Memory:
    """A folder in memory; names in `growing` change while they are read."""

    bodies: dict[str, bytes]
    changed_at: datetime | None = NOW - timedelta(minutes=1)
    growing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def list_files(self) -> list[RemoteFile]:
        return [
            RemoteFile(name, len(body), self.changed_at, f"v{hash(body)}")
            for name, body in self.bodies.items()
        ]

    def read_file(self, file: RemoteFile, most: int) -> bytes | None:
        self.asked.append(file.name)
        return None if file.name in self.growing else self.bodies[file.name]


def take(remote: Memory, known: dict[str, Address], most: int = 1000) -> list[Any]:
    def land(request: Any, body: bytes, content_type: str, version: str) -> None:
        known[request.url] = Address(body.decode(), content_type, version)

    return take_all(ServerFolder(remote, ADDRESS, known), most, lambda: NOW, land)


def test_each_version_of_a_file_is_taken_once_under_its_own_name() -> None:
    remote, known = (
        Memory({"a.csv": b"1", "b.csv": b"2", "x.txt": b"", ".a.csv": b"", "c.csv.part": b""}),
        dict[str, Address](),
    )
    take(remote, known)
    take(remote, known)
    assert remote.asked == ["a.csv", "b.csv"]
    remote.bodies |= {"b.csv": b"3", "c.csv": remote.bodies.pop("a.csv")}  # rewritten, and renamed
    take(remote, known)
    assert remote.asked[2:] == ["b.csv", "c.csv"]
    assert {url: address.sha256 for url, address in known.items()} == {
        "webdav://host/out/a.csv": "1", "webdav://host/out/b.csv": "3", "webdav://host/out/c.csv": "1",
    }  # fmt: skip


def test_file_that_is_being_written_waits() -> None:
    """One that was changed just now is not asked for; one that changes while it is read is left, and told."""
    young, known = Memory({"a.csv": b"1"}, changed_at=NOW - timedelta(seconds=2)), dict[str, Address]()
    assert take(young, known) == []
    assert not young.asked
    growing = Memory({"a.csv": b"1", "b.csv": b"2"}, growing={"a.csv"})
    (note,) = take(growing, known)
    assert (note.code, [*known]) == (FILE_CHANGING, ["webdav://host/out/b.csv"])


def test_file_that_is_too_large_is_an_error_beside_the_others() -> None:
    known = dict[str, Address]()
    with pytest.raises(FetchError, match=r"out/a\.csv has 9 bytes: raise http\.max_bytes"):
        take(Memory({"a.csv": b"123456789", "b.csv": b"2"}), known, most=5)
    assert [*known] == ["webdav://host/out/b.csv"]


@dataclass(frozen=True)
class Server:
    """A real server: what a source says of it, and how a file gets there with an age in seconds."""

    settings: dict[str, Any]
    secrets: dict[str, str]
    put: Callable[[str, bytes, float], None]


@pytest.fixture(params=["sftp", "s3", "webdav"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served" / "out"
    (folder / "below").mkdir(parents=True)

    def put(name: str, body: bytes, age: float) -> None:
        (folder / name).write_bytes(body)
        os.utime(folder / name, (NOW.timestamp() - age,) * 2)

    with ExitStack() as stack:
        if request.param == "sftp":
            if find_sshd() is None:
                pytest.skip("sshd is not installed (Debian: openssh-server)")
            (tmp_path / "ssh").mkdir()
            ssh = stack.enter_context(sftp_server(tmp_path / "ssh"))
            known = {"host_keys": (ssh.host_key,), "private_key": {"secret": "TOWN_KEY"}}
            url = f"sftp://{ssh.user}@127.0.0.1:{ssh.port}{folder}/*.csv"
            yield Server({"url": url, "sftp": known}, {"TOWN_KEY": str(ssh.key)}, put)
        elif request.param == "webdav":
            port = stack.enter_context(webdav_server(folder.parent))
            login = {"username": USER, "password": {"secret": "TOWN_PASSWORD"}}
            url = f"webdav://127.0.0.1:{port}/out/*.csv"
            yield Server({"url": url, "basic_auth": login}, {"TOWN_PASSWORD": PASSWORD}, put)
        else:
            objects = request.getfixturevalue("object_store")

            store = S3Store(
                BUCKET,
                endpoint=objects.address,
                region="eu-central-1",
                access_key_id=KEY,
                secret_access_key=SECRET,
                client_options={"allow_http": True},
            )
            prefix = f"out {folder.parents[1].name}"

            def put_object(name: str, body: bytes, age: float) -> None:
                store.put(f"{prefix}/{name}", body)

            access = {
                "endpoint": objects.address,
                "access_key": {"secret": "TOWN_ID"},
                "secret_key": {"secret": "TOWN_KEY"},
            }
            url = f"s3://{BUCKET}/{prefix}/*.csv"
            yield Server({"url": url, "s3": access}, {"TOWN_ID": KEY, "TOWN_KEY": SECRET}, put_object)


def client(town: Town, secrets: dict[str, str], reachable: Reachable) -> HttpClient:
    return HttpClient("test", clock=lambda: town.now, secrets=secrets.__getitem__, reachable=reachable)


@pytest.mark.integration
def test_files_of_a_real_server_land_once_and_again_when_they_are_rewritten(
    town: Town, server: Server, csv: Callable[..., bytes]
) -> None:
    town.with_sources(s={**server.settings, "each": None})
    for name, body, age in (
        ("a.csv", csv(1, 2), 60), ("ä b.csv", csv(3), 60), ("other.txt", b"", 60), ("below/c.csv", csv(9), 60),
    ):  # fmt: skip
        server.put(name, body, age)
    with client(town, server.secrets, LOCAL) as town.client:
        first, second = town.fetch()["s"], town.fetch()["s"]
        assert (first.problem, second.problem) == (None, None)
        assert (first.stored, second.requests) == (2, 0)
        server.put("a.csv", csv(1, 7), 30)
        third = town.fetch()["s"]
    assert (third.problem, third.stored, third.requests) == (None, 1, 1)
    town.read()
    assert {value for _, _, value, _ in town.values()} == {1, 2, 7, 3}
    urls = {line.url.rpartition("/")[2] for m in town.landing().list_manifests() for line in m.lines}
    assert urls == {"a.csv", "%C3%A4%20b.csv"}


@pytest.mark.integration
def test_server_that_sources_may_not_reach_is_not_connected_to(town: Town, server: Server) -> None:
    town.with_sources(s={**server.settings, "each": None})
    with client(town, server.secrets, PUBLIC) as town.client:
        report = town.fetch()["s"]
    assert "may not be reached by sources" in str(report.problem)


@pytest.mark.integration
@pytest.mark.parametrize("server", ["sftp", "webdav"], indirect=True)  # the object store lets everybody in
def test_secret_that_is_wrong_is_told_and_not_repeated(town: Town, server: Server, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("hunter2")
    wrong = {name: str(tmp_path / "none") for name in server.secrets}
    town.with_sources(s={**server.settings, "each": None})
    with client(town, wrong, LOCAL) as town.client:
        told = str(town.fetch()["s"].problem)
    assert "the private key that TOWN_KEY names cannot be used" in told or "HTTP 401" in told
    assert "hunter2" not in told
    assert str(tmp_path) not in told


@pytest.mark.integration
def test_server_of_sftp_with_another_key_is_not_logged_in_to(
    town: Town, tmp_path: Path, csv: Callable[..., bytes]
) -> None:
    """What it shows is told, so that somebody can compare; where it is the right one, its files come."""
    if find_sshd() is None:
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    for folder in ("ssh", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "out" / "a.csv").write_bytes(csv(1))
    with sftp_server(tmp_path / "ssh") as ssh:
        other = f"SHA256:{'A' * 43}"
        sftp = {"host_keys": (other,), "private_key": {"secret": "TOWN_KEY"}}
        url = f"sftp://{ssh.user}@127.0.0.1:{ssh.port}{tmp_path / 'out'}/*.csv"
        town.with_sources(s={"url": url, "sftp": sftp, "each": None})
        with client(town, {"TOWN_KEY": str(ssh.key)}, LOCAL) as town.client:
            told = str(town.fetch()["s"].problem)
            shown = SftpAccess.model_validate({**sftp, "host_keys": (ssh.host_key,)}).host_keys
            assert f"it shows ssh-ed25519 {shown[0]}, which is none of sftp.host_keys" in told
            town.with_sources(s={"url": url, "sftp": {**sftp, "host_keys": (other, *shown)}, "each": None})
            assert town.fetch()["s"].stored == 1


@pytest.mark.integration
def test_probe_shows_files_of_a_server(town: Town, tmp_path: Path, csv: Callable[..., bytes]) -> None:
    """Nothing is left of it, so that the files land all the same."""
    (tmp_path / "served" / "out").mkdir(parents=True)
    for name in ("a.csv", "b.csv"):
        (tmp_path / "served" / "out" / name).write_bytes(csv(1, 2))
    with webdav_server(tmp_path / "served") as port:
        login = {"username": USER, "password": {"secret": "TOWN_PASSWORD"}}
        url = f"webdav://127.0.0.1:{port}/out/*.csv"
        tenant = town.with_sources(s={"url": url, "basic_auth": login, "each": None})
        source = tenant.sources["s"]
        with client(town, {"TOWN_PASSWORD": PASSWORD}, LOCAL) as http:
            found = probe_source(
                tenant, source, CONNECTORS["csv"], http, WEEK, tmp_path / "probe", lambda: town.now, pages=1
            )
            town.client = http
            assert town.fetch()["s"].requests == 2
    assert (found.error, found.cut, found.asked) == ("", True, (url.replace("*", "a"),))
    assert found.records["observation"].height == 2
