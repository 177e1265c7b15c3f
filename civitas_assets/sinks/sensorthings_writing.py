"""A SensorThings server as a sink needs it: entities found by a mark that the sink gave them, and observations.

Source: OGC SensorThings API 1.1, https://docs.ogc.org/is/18-088/18-088.html, clauses 10 (create, update, delete) and 14
(data arrays). `$batch` is not used: servers answer it with success and do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from civitas_assets.connectors.transport.http_writer import HttpWriter, WriteReply
from civitas_assets.errors import ExportError
from civitas_assets.export.described_entities import MARK

_COMPONENTS = ("phenomenonTime", "resultTime", "result", "resultQuality")
_NEEDED = frozenset({"@iot.id", "phenomenonTime", "result", "resultQuality"})
_ROWS = 1000  # of a data array
_PAGES = (1000, 100)  # entities of a page; some servers refuse more than they give
_MARGIN = timedelta(days=1)  # around a span, since servers compare intervals by their start or by their end


@dataclass(frozen=True)
class Marked:
    """An entity of ours on the server: its id there, and all that it says."""

    id: Any
    content: Mapping[str, Any]


@dataclass(frozen=True)
class GivenObservation:
    """What an observation is to be, in UTC; without an end, it is of an instant."""

    start: datetime
    end: datetime | None
    result: float
    result_at: datetime
    quality: str

    @property
    def content(self) -> dict[str, Any]:
        """The entity."""
        begin, end = format_time(self.start), format_time(self.end) if self.end else ""
        return {
            "phenomenonTime": f"{begin}/{end}" if end else begin,
            "resultTime": format_time(self.result_at),
            "result": self.result,
            "resultQuality": {"code": self.quality},
        }


@dataclass(frozen=True)
class KeptObservation:
    """An observation as the server has it."""

    id: Any
    start: datetime
    end: datetime | None
    result: Any
    quality: Any

    def is_as(self, given: GivenObservation) -> bool:
        """Whether it says what it was to say."""
        is_quality = isinstance(self.quality, Mapping) and self.quality.get("code") == given.quality
        end = None if self.end == self.start else self.end
        return self.result == given.result and is_quality and end == given.end


class SensorThingsServer:
    """One server."""

    def __init__(self, writer: HttpWriter, parallel: int) -> None:
        self._writer, self._parallel = writer, parallel
        root = writer.read("")
        said = root.get("serverSettings", {}).get("conformance", []) if isinstance(root, dict) else []
        self.takes_arrays = any("data-array" in str(each) for each in said)
        is_large = writer.send("GET", f"Sensors?$top={_PAGES[0]}").ok
        self._page = _PAGES[0] if is_large else _PAGES[1]
        # None is a server that says so and has not shown it yet.
        self._reads_arrays: bool | None = None if self.takes_arrays else False

    def list_marked(self, entity_set: str) -> dict[str, Marked]:
        """Our entities of a set by their marks; of two with the same one, that of the lower id."""
        found = dict[str, Marked]()
        for entity in self._read_pages(f"{entity_set}?$orderby=id&$top={self._page}"):
            properties = entity.get("properties")
            mark = properties.get(MARK) if isinstance(properties, Mapping) else None
            if isinstance(mark, str):
                marked = Marked(entity["@iot.id"], entity)
                if mark not in found or str(found[mark].id) > str(marked.id):
                    found[mark] = marked
        return found

    def create(self, path: str, content: Mapping[str, Any]) -> Any:
        """Make an entity; its id.

        Raises:
            ExportError: the server does not say that it has made it.
        """
        reply = self._writer.send("POST", path, content)
        said = reply.decode()
        if not reply.ok:
            raise ExportError(f"{path}: HTTP {reply.status} {reply.reason}".strip())
        if isinstance(said, Mapping) and "@iot.id" in said:
            return said["@iot.id"]
        inner = reply.location.rpartition("(")[2].rstrip(")")
        if not inner:
            raise ExportError(f"{path}: the server does not say where it put what it made")
        return inner[1:-1] if inner.startswith("'") else int(inner) if inner.isdigit() else inner

    def update(self, entity_set: str, identity: Any, content: Mapping[str, Any]) -> WriteReply:
        """Change what the content names."""
        return self._writer.send("PATCH", make_entity_path(entity_set, identity), content)

    def move_thing(self, identity: Any, location: Mapping[str, Any]) -> None:
        """Let a Thing lie elsewhere: its Location is changed; where there is none, or it cannot be, a new one is made.

        Raises:
            ExportError: the server does not say that it has done so.
        """
        there = next(iter(self._read_pages(f"{make_entity_path('Things', identity)}/Locations")), None)
        if there is not None and self.update("Locations", there["@iot.id"], location).ok:
            return
        self.create("Locations", {**location, "Things": [{"@iot.id": identity}]})
        if there is not None:
            self.delete("Locations", there["@iot.id"])

    def delete(self, entity_set: str, identity: Any) -> WriteReply:
        """Remove an entity, and with a Thing or Datastream all of it."""
        return self._writer.send("DELETE", make_entity_path(entity_set, identity))

    def read_observations(self, stream: Any, first: datetime, last: datetime) -> list[KeptObservation]:
        """The observations of a datastream that begin from the first moment on and before the last one."""
        span = (
            f"phenomenonTime ge {format_time(first - _MARGIN)} and "
            f"phenomenonTime lt {format_time(last + _MARGIN)}"
        )
        path = f"{make_entity_path('Datastreams', stream)}/Observations?$filter={quote(span)}&$orderby=id"
        kept = map(_read_observation, self._read_rows(path))
        return [one for one in kept if first <= one.start < last]

    def _read_rows(self, path: str) -> Sequence[Mapping[str, Any]]:
        """Observations as arrays, which cost a server a third, and as entities where it gives no such arrays.

        Components are not selected: a server that does not fetch the others asks its database for each one.
        """
        if self._reads_arrays is not False:
            try:
                rows = [*self._read_pages(f"{path}&$resultFormat=dataArray&$top={_ROWS}")]
            except ExportError:
                if self._reads_arrays:
                    raise
            else:
                if all(row.keys() >= _NEEDED for row in rows):
                    self._reads_arrays = True if rows else self._reads_arrays
                    return rows
            self._reads_arrays = False
        return [*self._read_pages(f"{path}&$top={self._page}")]

    def create_observations(
        self, rows: Sequence[tuple[Any, GivenObservation]], *, one_by_one: bool = False
    ) -> None:
        """Ask for these, each of its datastream; what became of them is to be read."""
        if one_by_one or not self.takes_arrays:
            self._ask_all(
                ("POST", "Observations", {**row.content, "Datastream": {"@iot.id": stream}})
                for stream, row in rows
            )
            return
        for begin in range(0, len(rows), _ROWS):
            arrays = dict[str, dict[str, Any]]()
            for stream, row in rows[begin : begin + _ROWS]:
                content = row.content
                array = arrays.setdefault(
                    str(stream),
                    {"Datastream": {"@iot.id": stream}, "components": _COMPONENTS, "dataArray": []},
                )
                array["dataArray"].append([content[name] for name in _COMPONENTS])
            self._writer.send("POST", "CreateObservations", [*arrays.values()])

    def change_observations(self, rows: Iterable[tuple[Any, GivenObservation]]) -> None:
        """Ask for other content of these; what became of them is to be read."""
        self._ask_all(("PATCH", make_entity_path("Observations", key), row.content) for key, row in rows)

    def delete_observations(self, identities: Iterable[Any]) -> None:
        """Ask for these to go; what became of them is to be read."""
        self._ask_all(("DELETE", make_entity_path("Observations", key), None) for key in identities)

    def _ask_all(self, asked: Iterable[tuple[str, str, object]]) -> None:
        with ThreadPoolExecutor(self._parallel, "sink") as pool:
            jobs = [pool.submit(self._writer.send, *one) for one in asked]
        for job in jobs:
            job.result()

    def _read_pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        """The entities of all pages, each once: where a server cuts pages without an order, one may come twice."""
        seen, known = set[str](), set[str]()
        while path:
            if path in seen:
                raise ExportError(f"the pages of {path.partition('?')[0]} lead in a circle")
            seen.add(path)
            page = self._writer.read(path)
            for entity in _list_entities(page):
                key = str(entity.get("@iot.id"))
                if key not in known:
                    known.add(key)
                    yield entity
            path = page.get("@iot.nextLink") or ""


def _list_entities(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entities of a page, in whatever form; servers call the id in an array as they like."""
    for entity in page.get("value", ()):
        if "dataArray" in entity:
            names = ["@iot.id" if name == "id" else name for name in entity["components"]]
            yield from (dict(zip(names, row, strict=False)) for row in entity["dataArray"])
        else:
            yield entity


def make_entity_path(entity_set: str, identity: Any) -> str:
    """The address of an entity: texts are in quotation marks, which are doubled within."""
    key = f"'{quote(identity.replace(chr(39), chr(39) * 2))}'" if isinstance(identity, str) else identity
    return f"{entity_set}({key})"


def format_time(moment: datetime) -> str:
    """An instant as ISO 8601 in UTC, with as many decimals as it has."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}".rstrip("0") + "Z" if moment.microsecond else f"{text}Z"


def _read_observation(entity: Mapping[str, Any]) -> KeptObservation:
    begin, _, end = str(entity.get("phenomenonTime")).partition("/")
    try:
        start, stop = datetime.fromisoformat(begin), datetime.fromisoformat(end) if end else None
    except ValueError:
        raise ExportError(f"the server has an observation at {begin!r}, which is no time") from None
    return KeptObservation(
        entity.get("@iot.id"), start, stop, entity.get("result"), entity.get("resultQuality")
    )
