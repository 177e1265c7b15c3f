"""Tables of a GENESIS database by their keys, such as those of Regionalstatistik, Destatis and statistical offices.

The interface takes forms by POST alone, and who asks is in headers; what a table holds is read in `genesis_table.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from civitas_assets.catalog import SecretRef, Source, Window
from civitas_assets.catalog.access import require_header
from civitas_assets.connectors.base import FetchSession, Payload, Request
from civitas_assets.connectors.services.genesis_table import check_answer, read_statistics
from civitas_assets.connectors.services.service import Attribution, Root, ServiceLicence, Title
from civitas_assets.errors import FetchError
from civitas_assets.records import RawTable

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TableKey = Annotated[str, Field(pattern=r"^[0-9A-Z][0-9A-Za-z-]{3,24}$")]


class GenesisSource(Source):
    """Tables by their keys, of the areas that are named or of all."""

    connector: Literal["genesis"]
    title: Title = "Regionaldatenbank Deutschland"
    licence: ServiceLicence = "dl-de/by-2-0"
    attribution: Attribution = "Statistische Ämter des Bundes und der Länder"
    url: Root = "https://www.regionalstatistik.de/genesisws/rest/2020"
    tables: tuple[TableKey, ...] = Field(min_length=1, description="Keys of tables, such as 12411-01-01-5.")
    areas: tuple[Annotated[str, Field(pattern=r"^[0-9A-Z]{1,12}$")], ...] = Field(
        (), description="Official keys of areas, as the table has them, such as 05515; without, all."
    )
    area_variable: str | None = Field(
        None,
        pattern=r"^[A-Z0-9]{1,10}$",
        description="Code of the variable that areas are of, such as KREISE.",
    )
    start_year: int | None = Field(None, ge=1900, le=2100, description="First year that is asked for.")
    username: SecretRef | None = Field(None, description="Name or token of the account, as a secret.")
    password: SecretRef | None = Field(
        None, description="Password of the account, as a secret; a token has none."
    )
    decimal: Literal[".", ","] = ","

    def record_types(self) -> frozenset[str]:
        """Statistics."""
        return frozenset({"statistic"})

    @model_validator(mode="before")
    @classmethod
    def _with_account(cls, said: Any) -> Any:
        """The headers that say who asks."""
        if not isinstance(said, Mapping):
            return said
        name, password, headers = said.get("username"), said.get("password"), said.get("headers", {})
        if isinstance(name, str) or isinstance(
            password, str
        ):  # without repeating what may be the secret itself
            raise ValueError("username and password must be {secret: NAME}, names of environment variables")
        if name is None or not isinstance(headers, Mapping):
            return said
        account = {"username": name, "password": "" if password is None else password}
        return {**said, "headers": {**account, **headers}}

    @model_validator(mode="after")
    def _may_ask(self) -> GenesisSource:
        require_header(self.headers, "username", "username")
        return self


class GenesisConnector:
    """Fetches and reads tables of GENESIS."""

    name = "genesis"
    source_model: type[Source] = GenesisSource

    def fetch(self, source: GenesisSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """Each table as a flat file.

        Raises:
            FetchError: a table was not found, or the database refuses it.
        """

        def check(answer: Payload) -> Iterator[Request]:
            check_answer(answer.body)
            yield from ()

        for answer in session.crawl((_ask(source, table) for table in source.tables), check):
            if not answer.found:
                raise FetchError(f"{answer.url} was not found (404): check url")

    def read(self, source: GenesisSource, payload: Payload) -> Iterator[RawTable]:
        """The figures of a table."""
        table, areas = payload.variables.get("table", ""), frozenset(source.areas)
        yield read_statistics(payload.body, table, source, areas, source.area_variable)


def _ask(source: GenesisSource, table: str) -> Request:
    form: dict[str, str] = {
        "name": table,
        "area": "all",
        "compress": "false",
        "format": "ffcsv",
        "language": "de",
        "job": "false",
    }
    if source.start_year is not None:
        form["startyear"] = str(source.start_year)
    if source.area_variable is not None:
        form["regionalvariable"] = source.area_variable
    if source.areas:
        form["regionalkey"] = ",".join(source.areas)
    url = f"{source.url.rstrip('/')}/data/tablefile?{urlencode(form)}"
    return Request(url, role="table", variables={"table": table}, headers=_FORM, method="POST")
