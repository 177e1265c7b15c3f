"""What the browser shows, as documents that hold all they show: no script, no tiles, and texts of sources stay texts.

Rows are read with no other rights than those of `civitas query`. What the first page does without is in `drawings.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.dictionary.contracts import Contract
from civitas_assets.errors import PublishError
from civitas_assets.publish.query import QueryResult, ask_tables
from civitas_assets.publish.reading import open_published
from civitas_assets.report.elements import Markup, html
from civitas_assets.report.html_document import enclose
from civitas_assets.report.language import Language
from civitas_assets.settings import Settings

ROWS = 200
_SHORT = 40  # characters
_LANGUAGE = Language.from_code("en", ZoneInfo("UTC"))  # whose texts have neither numbers nor times


def read_models(settings: Settings, tenant: str) -> Mapping[str, Contract]:
    """The tenant's models by name, with the contracts under which they were published.

    Raises:
        PublishError: the tenant has no output yet, or it is not one that has contracts.
    """
    if tenant == COMMONS:
        raise PublishError("the browser shows tenants; ask what they share by civitas query commons")
    with open_published(settings, tenant) as tables:
        return dict(sorted(tables.read_contracts().items()))


def draw_dictionary(contract: Contract) -> str:
    """What a row is, and what each column means."""
    columns = [
        (name, column.type, column.unit or column.unit_column or "", column.description)
        for name, column in contract.columns.items()
    ]
    return enclose(
        _LANGUAGE, html.p(contract.description), _grid(("column", "type", "unit", "meaning"), columns)
    )


def draw_rows(settings: Settings, tenant: str, sql: str) -> str:
    """The first rows of the answer to a query, or why there is none."""
    try:
        answer = ask_tables(settings, tenant, sql, ROWS)
    except PublishError as error:
        return enclose(_LANGUAGE, html.p(str(error)))
    return enclose(_LANGUAGE, html.p(_count(answer)), _grid(answer.columns, answer.rows))


def _count(answer: QueryResult) -> str:
    return f"{len(answer.rows)} rows" + (f": the first {ROWS} of more" if answer.more else "")


def _grid(names: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    head = html.tr(*(html.th(name, scope="col") for name in names))
    body = [html.tr(*map(_cell, row)) for row in rows]
    return html.div(html.table(html.thead(head), html.tbody(*body)), class_="scroll")


def _cell(value: object) -> Markup:
    """A value as it is; only what is long is broken into lines."""
    text = "" if value is None else str(value)
    return html.td(text, class_="nowrap" if len(text) <= _SHORT else None)
