"""The tables that can be asked, by their contracts, and whom the licences of sources ask to be named."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.report.elements import Markup, html, join_markup
from civitas_assets.report.html_document import (
    render_below,
    render_grid,
    render_lead,
    render_section,
    render_table,
)
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning

_LICENCES = dict.fromkeys(("source", "licence", "attribution", "address"), "")


def render_dictionary_section(morning: Morning, t: Language) -> Markup:
    """The columns of what is published, with their units."""
    if not morning.figures:
        return render_section(t, "dictionary", html.p(t("no_output")))
    counts = morning.figures.row_counts
    filled = [
        _contract(contract, counts[name], t)
        for name, contract in morning.contracts.items()
        if counts.get(name)
    ]
    empty = [html.code(name) for name in morning.contracts if not counts.get(name)]
    told = Markup(", ".join(empty))
    return render_section(
        t,
        "dictionary",
        render_lead(t("dictionary.intro")),
        html.div(*filled, class_="tables"),
        render_lead(html.br(), t("dictionary.empty"), told, ".") if empty else "",
    )


def _contract(contract: Contract, rows: int, t: Language) -> Markup:
    name = contract.name
    heads = [html.th(t(f"column.{key}"), scope="col") for key in ("column", "type", "unit", "meaning")]
    caption = join_markup(f"{name} {contract.version} · ", html.span(contract.standard, lang="en"))
    return html.details(
        html.summary(
            html.strong(html.code(name)),
            " ",
            render_below(t("dictionary.rows", count=rows), " · ", html.span(contract.grain, lang="en")),
        ),
        render_grid(name, caption, heads, [_columns(tuple(contract.columns.items()), t)], "wide"),
    )


def prepare_dictionary(contracts: Iterable[Contract], t: Language) -> None:
    """Make what the sections of all tenants have in common, before processes for them are forked."""
    for contract in contracts:
        _columns(tuple(contract.columns.items()), t)


@lru_cache(maxsize=256)  # a quarter of what a page takes, and the same for all tenants
def _columns(columns: tuple[tuple[str, ModelColumn], ...], t: Language) -> Markup:
    return join_markup(*(_column(name, column, t) for name, column in columns))


def _column(name: str, column: ModelColumn, t: Language) -> Markup:
    unit = t("dictionary.unit_column", column=column.unit_column) if column.unit_column else column.unit
    return html.tr(
        html.th(html.code(name), scope="row"),
        html.td(html.code(column.type)),
        html.td(unit or "–", class_="nowrap"),
        html.td(column.description, lang="en"),
    )


def render_licences_section(morning: Morning, t: Language) -> Markup:
    """The licence of each source."""
    rows = [
        html.tr(
            html.th(source.title, scope="row"),
            html.td(source.licence, class_="nowrap"),
            html.td(source.attribution or "–"),
            html.td(source.url, class_="detail"),
        )
        for source in morning.tenant.sources.values()
    ]
    return render_section(
        t,
        "licences",
        render_lead(t("licences.intro")),
        render_table(t, t("licences.caption"), _LICENCES, rows),
    )
