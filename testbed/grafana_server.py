"""What Grafana's server answers to its front end: the queries of panels, from PostgreSQL, as frames.

Sources: "Macros" of the PostgreSQL data source and "Data frames" in Grafana's documentation, version 13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import psycopg

from testbed.serving import Loopback, answer

KIND = "grafana-postgresql-datasource"
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
TIMES = {"date", "timestamp", "timestamptz"}


@dataclass(frozen=True)
class Frame:
    """What a query gives: columns with their types, and rows."""

    types: Mapping[str, str]
    rows: Sequence[tuple[Any, ...]]

    def column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = [*self.types].index(name)
        return [row[place] for row in self.rows]


def ask(connection: psycopg.Connection, target: Mapping[str, Any], begin: datetime, end: datetime) -> Frame:
    """What the data source gets for a panel: its macros are as texts, which the database takes for times."""
    first, last = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z" for moment in (begin, end))
    sql = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN '{first}' AND '{last}'", target["rawSql"])
    assert "$" not in sql, "a macro or variable that this server does not know"
    cursor = connection.execute(sql.encode())
    described = cursor.description or ()
    types = {c.name: psycopg.adapters.types[c.type_code].name for c in described}
    assert len(types) == len(described), "two columns of a name"
    return Frame(types, cursor.fetchall())


def encode_frame(frame: Frame, target: Mapping[str, Any]) -> dict[str, Any]:
    """As the front end takes it; the long rows of time series become a column for each metric."""
    fields = [{"name": name, "type": _kind(kind)} for name, kind in frame.types.items()]
    columns = [[_plain(value) for value in frame.column(name)] for name in frame.types]
    if target["format"] == "time_series" and frame.rows:
        metrics = sorted({*frame.column("metric")})
        lines: dict[Any, dict[str, Any]] = {}
        for time, metric, value in zip(*columns, strict=True):
            lines.setdefault(time, {})[metric] = value
        fields = [fields[0], *({"name": metric, "type": "number"} for metric in metrics)]
        columns = [[*lines], *([line.get(metric) for line in lines.values()] for metric in metrics)]
    return {"schema": {"refId": target["refId"], "fields": fields}, "data": {"values": columns}}


def _kind(kind: str) -> str:
    if kind in TIMES:
        return "time"
    return "number" if kind in NUMBERS else "boolean" if kind == "bool" else "string"


def _plain(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(
        value, datetime
    ):  # for Grafana a day is its first moment in UTC
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value


@contextmanager
def serve_dashboard(
    front: Path, board: Mapping[str, Any], sources: Mapping[str, psycopg.Connection]
) -> Iterator[str]:
    """The address of a dashboard on these data sources, of which each is a connection."""

    class Grafana(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(front))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            if self.path == "/dashboard.json":
                self._send(board)
            elif self.path == "/sources.json":
                self._send([{"uid": f"of_{name}", "name": name, "type": KIND} for name in sources])
            else:
                super().do_GET()

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            begin, end = (datetime.fromtimestamp(int(asked[key]) / 1000, UTC) for key in ("from", "to"))
            results: dict[str, Any] = {}
            for target in asked["queries"]:
                connection = sources[target["datasource"]["uid"].removeprefix("of_")]
                try:
                    frames = [encode_frame(ask(connection, target, begin, end), target)]
                    results[target["refId"]] = {"status": 200, "frames": frames}
                except psycopg.Error as error:
                    connection.rollback()
                    results[target["refId"]] = {"status": 400, "error": str(error), "frames": []}
            self._send({"results": results})

        def _send(self, document: Any) -> None:
            answer(self, json.dumps(document).encode())

    with closing(Loopback(Grafana)) as server:
        yield f"http://127.0.0.1:{server.port}/"
