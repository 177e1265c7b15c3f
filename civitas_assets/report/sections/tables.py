"""The tables that can be asked, by their contracts, and whom the licences of sources ask to be named."""

from __future__ import annotations

from civitas_assets.dictionary.contracts import Column, Contract
from civitas_assets.report.document import below, grid, lead, section, table
from civitas_assets.report.elements import Markup, html, join
from civitas_assets.report.language import Language
from civitas_assets.report.morning import Morning

_LICENCES = dict.fromkeys(("source", "licence", "attribution", "address"), "")


def dictionary_section(morning: Morning, t: Language) -> Markup:
    """The columns of what is published, with their units."""
    if not morning.figures:
        return section(t, "dictionary", html.p(t("no_output")))
    counts = morning.figures.row_counts
    filled = [
        _contract(contract, counts[name], t)
        for name, contract in morning.contracts.items()
        if counts.get(name)
    ]
    empty = [html.code(name) for name in morning.contracts if not counts.get(name)]
    told = Markup(", ".join(empty))
    return section(
        t,
        "dictionary",
        lead(t("dictionary.intro")),
        html.div(*filled, class_="tables"),
        lead(html.br(), t("dictionary.empty"), told, ".") if empty else "",
    )


def _contract(contract: Contract, rows: int, t: Language) -> Markup:
    name = contract.name
    heads = [html.th(t(f"column.{key}"), scope="col") for key in ("column", "type", "unit", "meaning")]
    caption = join(f"{name} {contract.version} · ", html.span(contract.standard, lang="en"))
    return html.details(
        html.summary(
            html.strong(html.code(name)),
            " ",
            below(t("dictionary.rows", count=rows), " · ", html.span(contract.grain, lang="en")),
        ),
        grid(name, caption, heads, (_column(*column, t) for column in contract.columns.items()), "wide"),
    )


def _column(name: str, column: Column, t: Language) -> Markup:
    unit = t("dictionary.unit_column", column=column.unit_column) if column.unit_column else column.unit
    return html.tr(
        html.th(html.code(name), scope="row"),
        html.td(html.code(column.type)),
        html.td(unit or "–", class_="nowrap"),
        html.td(column.description, lang="en"),
    )


def licences_section(morning: Morning, t: Language) -> Markup:
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
    return section(t, "licences", lead(t("licences.intro")), table(t, t("licences.caption"), _LICENCES, rows))
