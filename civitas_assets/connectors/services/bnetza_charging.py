"""The register of charging installations of the Bundesnetzagentur: the newest edition that its page links to.

What is in the file is read in `charging_register.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import ClassVar, Literal
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field

from civitas_assets.catalog import Source, Window
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.services.charging_register import read_register
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, Title
from civitas_assets.errors import ReadError
from civitas_assets.records import RawTable

_LINK = re.compile(rb'href="([^"]*Ladesaeulenregister[^"/]*\.csv(?:[?;][^"]*)?)"', re.IGNORECASE)
_EDITION = re.compile(r"\d{4}-\d{2}-\d{2}")


class BnetzaChargingSource(Source):
    """The register around the tenant's box; `url` is the page that links to its editions, or an edition itself."""

    connector: Literal["bnetza_charging"]
    title: Title = "Ladesäulenregister der Bundesnetzagentur"
    licence: ServiceLicence = "CC-BY-4.0"
    attribution: Attribution = "Bundesnetzagentur"
    url: Root = "https://www.bundesnetzagentur.de/DE/Fachthemen/ElektrizitaetundGas/E-Mobilitaet/Ladesaeulenkarte/start.html"
    allow_hosts: tuple[str, ...] = Field(
        ("data.bundesnetzagentur.de",), description="Other hosts that the page's link may lead to."
    )
    rows: Literal["installations", "points"] = Field(
        "installations",
        description="points: one for each charging point, with its EVSE id, of installations that describe all theirs.",
    )

    lists_whole: ClassVar[frozenset[str]] = frozenset({"charge_point"})

    def record_types(self) -> frozenset[str]:
        """Charge points."""
        return frozenset({"charge_point"})


class BnetzaChargingConnector:
    """Fetches and reads the register of charging installations."""

    name = "bnetza_charging"
    source_model: type[Source] = BnetzaChargingSource

    def fetch(
        self, source: BnetzaChargingSource, window: Window, zone: ZoneInfo, session: FetchSession
    ) -> None:
        """The page, and the newest edition that it links to."""

        def edition(answer: Payload) -> Iterator[Request]:
            if answer.request.role == "page":
                yield Request(find_newest_edition(answer.body, answer.request.url))

        is_file = urlsplit(source.url).path.lower().endswith(".csv")
        fetch_all(session, [Request(source.url, role="data" if is_file else "page")], edition)

    def read(self, source: BnetzaChargingSource, payload: Payload) -> Iterator[RawTable]:
        """The installations or points near the tenant's box; the page only leads to them."""
        if payload.role == "page":
            find_newest_edition(payload.body, payload.url)
        else:
            yield read_register(payload.body, source.box, by_point=source.rows == "points")


def find_newest_edition(page: bytes, url: str) -> str:
    """The address of the register with the latest day in its name, of those that the page links to.

    Raises:
        ReadError: it links to none.
    """
    links = [unescape(link.decode(errors="replace")) for link in _LINK.findall(page)]
    if not links:
        raise ReadError(
            "links to no file Ladesaeulenregister….csv: look for it there, and say its address as url"
        )
    newest = max(links, key=lambda link: max(_EDITION.findall(link), default=""))
    try:
        address: str = urljoin(url, newest)
    except ValueError as error:
        raise ReadError(f"links to {newest!r}, which is no address: {error}") from None
    return address
