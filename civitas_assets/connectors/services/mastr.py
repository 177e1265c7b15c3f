"""Units of the Marktstammdatenregister by municipality: what makes or stores electricity, without persons.

The list is the one that the register's own overview asks for; what is in a unit is read in `mastr_units.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.mapping.service_rows import build_raw_table
from civitas_assets.connectors.pagination.pagination import Completeness, check_all
from civitas_assets.connectors.services.mastr_units import (
    COLUMNS,
    build_unit_rows,
    decode_page,
    list_units,
    redact_units,
)
from civitas_assets.connectors.services.service import (
    Attribution,
    MunicipalSource,
    Root,
    ServiceLicence,
    Title,
)
from civitas_assets.errors import FetchError
from civitas_assets.records import RawTable

_ADVICE = "fetch again; if it stays so, the register counts otherwise than it lists"


class MastrSource(MunicipalSource):
    """Units of municipalities by their official keys, or of those whose middle is in the tenant's box."""

    connector: Literal["mastr"]
    title: Title = "Marktstammdatenregister: Einheiten der Stromerzeugung"
    licence: ServiceLicence = "dl-de/by-2-0"
    attribution: Attribution = "Marktstammdatenregister, Bundesnetzagentur"
    url: Root = (
        "https://www.marktstammdatenregister.de/MaStR/Einheit/EinheitJson/"
        "GetErweiterteOeffentlicheEinheitStromerzeugung"
    )
    page_size: int = Field(1000, ge=1, le=25_000, description="How many units are asked for at once.")

    lists_whole: ClassVar[frozenset[str]] = frozenset({"energy_unit"})

    def record_types(self) -> frozenset[str]:
        """Energy units."""
        return frozenset({"energy_unit"})

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """Of each unit what is read, and of those that a person runs nothing that names the person."""
        return redact_units(body)


class MastrConnector:
    """Fetches and reads units of the register."""

    name = "mastr"
    source_model: type[Source] = MastrSource

    def fetch(self, source: MastrSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """The pages of each municipality's list, until as many units have come as the register counts.

        Raises:
            FetchError: there is no municipality, the register has no unit of any, or it did not list all.
        """
        keys = source.check_keys(session, "so that there is none to ask for")
        if not keys:
            raise FetchError("nobody says which municipalities: name them by their official keys")
        lists = {key: Completeness(f"units of {key}") for key in keys}

        def further(answer: Payload) -> Iterator[Request]:
            key = answer.variables["municipality"]
            page = answer.parse(decode_page)
            units, broken = list_units(page, key)
            pages = lists[key]
            pages.add([unit["MaStRNummer"] for unit in units] + [None] * len(broken), page.Total)
            if not pages.is_at_end(source.page_size):
                yield _ask(source, key, pages.pages + 1)

        for answer in session.crawl((_ask(source, key, 1) for key in keys), further):
            if not answer.found:
                raise FetchError(f"{answer.url} was not found (404): check url, or fetch later")
        if not any(pages.received for pages in lists.values()):
            raise FetchError(f"the register has no unit of {', '.join(keys)}: check the official keys")
        check_all(lists.values(), _ADVICE)

    def read(self, source: MastrSource, payload: Payload) -> Iterator[RawTable]:
        """The units of a page."""
        units, broken = list_units(payload.parse(decode_page), payload.variables.get("municipality", ""))
        yield replace(build_raw_table("energy_unit", build_unit_rows(units), COLUMNS), broken=tuple(broken))


def _ask(source: MastrSource, key: str, page: int) -> Request:
    query = {
        "sort": "MaStRNummer-asc",
        "page": page,
        "pageSize": source.page_size,
        "filter": f"Gemeindeschlüssel~eq~'{key}'",
    }
    return Request(
        f"{source.url}?{urlencode(query, quote_via=quote)}", role="units", variables={"municipality": key}
    )
