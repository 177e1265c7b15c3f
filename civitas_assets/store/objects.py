"""Files by key in S3-compatible object storage, by obstore: an object is put whole, or on a condition, or not at all.

Credentials and endpoint are the usual `AWS_*` variables, which obstore reads itself; none of them is in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from civitas_assets.errors import StoreError
from civitas_assets.store.files import Arrival, Change, Stamp
from civitas_assets.store.object_errors import explain_error
from civitas_assets.store.object_keys import check_key, split_key

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, RetryConfig

_AT_A_TIME = 16  # requests wait for the network most of their time
_ATTEMPTS = 5  # at a change that others get in the way of
_LARGE = 1024 * 1024  # above this, asking whether an object is there costs less than sending it in vain
_PART = 16 * 1024 * 1024  # larger objects are sent in parts, and still appear at once
_PARTS_AT_A_TIME = 4  # each of them has to arrive within the timeout of a request, also over a slow line
_STREAMED = 1024 * 1024  # bytes that are handed on at a time

_CLIENT: ClientConfig = {
    "allow_http": True,  # only where the endpoint that the operator names says so
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(seconds=120),
}
_RETRY: RetryConfig = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=10),
        "base": 2,
    },
}

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Version:
    """An object as it was at one time: what it held, its tag, and when the storage's clock says it was put."""

    body: bytes
    tag: str
    put_at: datetime


class ObjectFiles:
    """Objects below a prefix of a bucket."""

    def __init__(self, url: str, retry: RetryConfig | None = None) -> None:
        self._url = url.rstrip("/")
        try:
            self._store = S3Store.from_url(
                self._url, client_options=_CLIENT, retry_config={**_RETRY, **(retry or {})}
            )
        except BaseError as error:
            raise StoreError(
                f"{self._url} cannot be opened ({type(error).__name__}): look at the AWS_* variables"
            ) from None

    def read(self, key: str) -> bytes | None:
        version = self.version(key)
        return version.body if version else None

    def read_all(self, keys: Sequence[str]) -> list[bytes | None]:
        return _each(self.read, keys)

    def read_ends(self, keys: Sequence[str], size: int) -> list[bytes]:
        return _each(lambda key: self._end(key, size), keys)

    def _end(self, key: str, size: int) -> bytes:
        with self._asking("read", key):
            found = obstore.get(self._store, check_key(key), options={"range": {"suffix": size}})
            return bytes(found.bytes())

    def version(self, key: str) -> Version | None:
        """The object with its tag, or None where there is none."""
        with self._asking("read", key):
            try:
                found = obstore.get(self._store, check_key(key))
                return Version(bytes(found.bytes()), found.meta["e_tag"] or "", found.meta["last_modified"])
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

    def write(self, key: str, body: bytes) -> None:
        with self._asking("write", key):
            obstore.put(self._store, check_key(key), body, use_multipart=len(body) > _PART, chunk_size=_PART)

    def write_once(self, key: str, body: bytes) -> bool:
        if len(body) > _LARGE and self.exists(key):
            return False
        for _ in range(_ATTEMPTS):
            with self._asking("write", key):
                try:
                    obstore.put(self._store, check_key(key), body, mode="create")
                except AlreadyExistsError:
                    pass
                else:
                    return True
            # Of several that put at the same time, the storage may refuse all.
            if self.exists(key):
                return False
        raise StoreError(f"{self._url}/{key} is contended for: try again")

    def copy_in(self, key: str, file: Path) -> None:
        with self._asking("write", key):
            obstore.put(self._store, check_key(key), file, chunk_size=_PART, max_concurrency=_PARTS_AT_A_TIME)

    def read_parts(self, key: str, first: int, size: int) -> Iterator[bytes] | None:
        if not size:
            return iter(()) if self.exists(key) else None
        with self._asking("read", key):
            try:
                found = obstore.get(self._store, check_key(key), options={"range": (first, first + size)})
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None
        return self._read_stream(key, found)

    def _read_stream(self, key: str, found: obstore.GetResult) -> Iterator[bytes]:
        """The answer in parts; where it takes longer than a request may, the next one goes on where it ended.

        obstore (0.12.1) does so for as long as it repeats requests, which is shorter.
        """
        (at, end), tag = found.range, found.meta["e_tag"]
        with self._asking("read", key):
            while True:
                begun = at
                try:
                    for part in found.stream(min_chunk_size=_STREAMED):
                        at += len(part)
                        yield bytes(part)
                except BaseError:
                    if at == begun:
                        raise
                    found = obstore.get(self._store, key, options={"range": (at, end), "if_match": tag})
                else:
                    return

    def put_if(self, key: str, body: bytes, tag: str | None) -> str | None:
        """Put the object if it still has this tag, or without one is not there; its new tag, None if it is not so."""
        with self._asking("write", key):
            try:
                mode: Any = {"e_tag": tag} if tag else "create"
                return obstore.put(self._store, check_key(key), body, mode=mode)["e_tag"] or ""
            except (AlreadyExistsError, PreconditionError):
                pass
            except FileNotFoundError as error:  # what Amazon S3 says to a tag of what is gone
                if "NoSuchBucket" in str(error):
                    raise
        # An answer that was lost is asked for again, and meets what was put the first time.
        found = self.version(key)
        return found.tag if found and found.body == body else None

    def change_all(self, changes: Mapping[str, Change]) -> None:
        _each(lambda key: self._change(key, changes[key]), [*changes])

    def _change(self, key: str, change: Change) -> None:
        """On the condition that nobody else has changed the object meanwhile: then what they put is changed."""
        for _ in range(_ATTEMPTS):
            found = self.version(key)
            body = change(found.body if found else None)
            if self.put_if(key, body, found.tag if found else None) is not None:
                return
        raise StoreError(
            f"{self._url}/{key} is changed by others all the time: end the other runs, try again"
        )

    def exists(self, key: str) -> bool:
        with self._asking("look for", key):
            try:
                obstore.head(self._store, check_key(key))
            except FileNotFoundError:
                return False
            return True

    def list_keys(self, prefix: str, after: str = "") -> list[str]:
        return [*self._list(prefix, after)]

    def list_folders(self, prefix: str) -> list[str]:
        with self._asking("list", prefix):
            found = obstore.list_with_delimiter(self._store, check_key(prefix.rstrip("/")))
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"])

    def list_stamps(self, prefix: str) -> Mapping[str, Stamp]:
        return {key: _stamp(meta) for key, meta in self._list(prefix).items()}

    def list_arrivals(self, prefix: str) -> Mapping[str, Arrival]:
        with self._asking("list", prefix):
            found = obstore.list_with_delimiter(self._store, check_key(prefix.rstrip("/")))["objects"]
        by_name = {meta["path"].rpartition("/")[2]: meta for meta in found}
        return {
            name: Arrival(_stamp(m), m["last_modified"].timestamp()) for name, m in sorted(by_name.items())
        }

    def _list(self, prefix: str, after: str = "") -> Mapping[str, Any]:
        with self._asking("list", prefix):
            found = obstore.list(
                self._store, check_key(prefix.rstrip("/")), offset=after or None, chunk_size=1000
            ).collect()
        return {meta["path"]: meta for meta in sorted(found, key=lambda meta: meta["path"])}

    def list_unfinished(self, prefix: str, before: datetime | None = None) -> Mapping[str, int]:
        return {}  # parts of an upload that was cut short are the bucket's to drop, by a rule of its lifecycle

    def delete(self, key: str) -> None:
        self.delete_all([key])

    def delete_all(self, keys: Iterable[str]) -> None:
        wanted = [check_key(key) for key in keys]
        for start in range(0, len(wanted), 1000):
            with self._asking("delete", wanted[start]):
                obstore.delete(self._store, wanted[start : start + 1000])

    def clear(self, prefix: str) -> None:
        self.delete_all(self.list_keys(prefix))

    def move_all(self, keys: Mapping[str, str]) -> None:
        def copy(key: str) -> None:
            with self._asking("move", key):
                obstore.copy(self._store, check_key(key), check_key(keys[key]))

        _each(copy, [*keys])
        self.delete_all(keys)

    def move_if(self, key: str, to: str, stamp: Stamp) -> bool:
        if not self._is_still(key, stamp):
            return False
        with self._asking("move", key):
            obstore.copy(self._store, check_key(key), check_key(to))
        if not self._is_still(key, stamp):
            self.delete(to)
            return False
        self.delete(key)
        return True

    def _is_still(self, key: str, stamp: Stamp) -> bool:
        with self._asking("look for", key):
            return _stamp(obstore.head(self._store, check_key(key))) == stamp

    def locate(self, key: str) -> str:
        return f"{self._url}/{check_key(key)}"

    def fetch_copies(self, keys: Sequence[str], folder: Path) -> list[Path]:
        return _each(lambda key: self._copy(key, folder), keys)

    def _copy(self, key: str, folder: Path) -> Path:
        target = folder.joinpath(*split_key(key))
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}-{token_hex(8)}")
        with self._asking("read", key), temporary.open("wb") as file:
            file.writelines(self._read_stream(key, obstore.get(self._store, key)))
        return temporary.rename(target)

    @contextmanager
    def _asking(self, verb: str, key: str) -> Iterator[None]:
        """Errors of the storage become ours, which say what to do; what servers write into theirs is not repeated."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise StoreError(f"cannot {verb} {self._url}/{key}: {explain_error(error)}") from None


def _stamp(meta: ObjectMeta) -> Stamp:
    return Stamp(meta["size"], meta["e_tag"] or "")


def _each(make: Callable[[_Given], _Made], given: Sequence[_Given]) -> list[_Made]:
    """What is made of each, several at a time; all have ended when the first fault is raised."""
    if len(given) < 2:
        return [make(one) for one in given]
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="objects") as pool:
        jobs = [pool.submit(make, one) for one in given]
    return [job.result() for job in jobs]
