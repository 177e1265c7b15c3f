"""The commons in PostgreSQL are views that show what is shared, and a reader of them reaches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal
from pydantic import SecretStr

from civitas_assets.catalog.basis import COMMONS
from civitas_assets.catalog.licence import CHANGED, LICENCES
from civitas_assets.dictionary.contracts import Contract, ModelColumn
from civitas_assets.errors import PublishError
from civitas_assets.publish.commons import Member
from civitas_assets.publish.postgres.commons_postgres import PostgresCommons
from civitas_assets.publish.postgres.postgres_names import PUBLICATION, Names
from civitas_assets.publish.postgres.postgres_roles import count_objects, grant_roles, remove_roles
from civitas_assets.publish.postgres.postgres_server import Server
from civitas_assets.publish.postgres.postgres_tables import Platform, TableLayout
from civitas_assets.publish.query import ask_tables
from civitas_assets.settings import Settings

DAY = date(2026, 8, 1)
STATUS = "select tenant, tenant_name, free, licence, attribution from commons.status order by tenant, free"
Make = Callable[..., Member]


@dataclass
class Schemas:
    """Towns with published schemas in one database, and their commons."""

    url: str
    contracts: Mapping[str, Contract]
    folder: Path

    @property
    def server(self) -> Server:
        return Server(SecretStr(self.url), lock_timeout=0.3)

    @property
    def commons(self) -> PostgresCommons:
        return PostgresCommons(replace(self.server, pause=lambda _: None))

    def publish(self, slug: str, free: int, contracts: Mapping[str, Contract] | None = None) -> None:
        """Tables with one row each, made anew."""
        contracts, names = contracts or self.contracts, Names(slug)
        grant_roles(self.server, names)
        with psycopg.connect(self.url) as connection:
            run = connection.execute
            run(SQL("set role {}").format(Identifier(names.writer)))
            run(SQL("create table if not exists {} (contracts text)").format(names.quote_table(PUBLICATION)))
            run(SQL("delete from {}").format(names.quote_table(PUBLICATION)))
            text = msgspec.json.encode(contracts).decode()
            run(SQL("insert into {} values ({})").format(names.quote_table(PUBLICATION), Literal(text)))
            values: dict[str, object] = {
                "tenant": slug, "source": "s", "licence": "CC0-1.0", "attribution": f"Town {slug}", "site_key": "P1",
                "operator": "Geheimrat", "day": DAY, "free": free,
            }  # fmt: skip
            for contract in contracts.values():
                layout = TableLayout(names, contract, Platform(150_000, None))
                run(SQL("drop table if exists {}").format(layout.table))
                for statement in layout.create():
                    run(statement)
                row = [values.get(column) for column in contract.columns]
                run(SQL("insert into {} values ({})").format(layout.table, SQL(", ").join(map(Literal, row))))

    def refresh(self, slug: str, *members: Member, contracts: Mapping[str, Contract] | None = None) -> Any:
        return self.commons.refresh(slug, {m.slug: m for m in members}, contracts or self.contracts)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """What somebody gets who may read the commons."""
        settings = Settings(home=self.folder, tenants_dir=self.folder, postgres_url=SecretStr(self.url))
        return [tuple(row) for row in ask_tables(settings, COMMONS, sql, 100).rows]


@pytest.fixture
def schemas(postgres_url: str, contracts: Mapping[str, Contract], tmp_path: Path) -> Schemas:
    """No town yet."""
    return Schemas(postgres_url, contracts, tmp_path)


def test_views_show_tenant_name_licence_and_attribution_at_once(schemas: Schemas, member: Make) -> None:
    with pytest.raises(PublishError, match="nobody shares anything yet"):
        schemas.ask("select 1")
    anton, berta = member("anton", "status"), member("berta", "status", "source")
    schemas.publish("anton", 3)
    schemas.publish("berta", 5)
    assert dict(schemas.refresh("anton", anton, berta).rows) == {"status": 1}
    schemas.refresh("berta", anton, berta)
    assert schemas.ask(STATUS) == [
        ("anton", "Anton", 3, "CC0-1.0", "Town anton"), ("berta", "Berta", 5, "CC0-1.0", "Town berta")
    ]  # fmt: skip
    assert schemas.ask("select * from commons.source") == [
        ("berta", "Berta", "s", "CC0-1.0", "Town berta", LICENCES["CC0-1.0"].address, CHANGED)
    ]
    with psycopg.connect(schemas.url) as connection:
        connection.execute("update anton.status set free = 4")
    assert [row[2] for row in schemas.ask(STATUS)] == [4, 5]
    members = {"anton": anton, "berta": berta}
    assert schemas.commons.is_current("anton", members)
    assert not schemas.commons.is_current("berta", {"anton": anton}), "a town that is gone"


@pytest.mark.parametrize(
    "sql",
    [
        "select * from anton.status", "select * from anton.site", "select operator from anton.site",
        "select * from anton.source", "select * from anton._publication", "select * from commons._holding",
        "select * from berta.site", "insert into commons.status (tenant) values ('x')", "drop view commons.status",
        "set role civitas_reader_anton", "create table commons.mine (a int)", "select * from pg_catalog.pg_authid",
    ],
)  # fmt: skip
def test_a_reader_of_the_commons_reaches_nothing_else(schemas: Schemas, member: Make, sql: str) -> None:
    schemas.publish("anton", 3)
    schemas.publish("berta", 3)
    schemas.refresh("anton", member("anton", "status", site={"operator"}))
    with psycopg.connect(schemas.url, autocommit=True) as connection:
        connection.execute("create role commons_login login in role commons_reader")
        try:
            connection.execute("set session authorization commons_login")
            connection.execute("select * from commons.status")
            refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)
            with pytest.raises(refused):  # the second: such a view takes no rows from anybody
                connection.execute(sql.encode())
        finally:
            connection.execute("reset session authorization")
            connection.execute("drop role commons_login")


def test_a_withheld_column_is_in_no_view_and_its_owner_may_not_read_it(
    schemas: Schemas, member: Make
) -> None:
    schemas.publish("anton", 3)
    schemas.refresh("anton", member("anton", site={"operator"}))
    assert schemas.ask("select site_key, operator from commons.site") == [("P1", None)]
    with psycopg.connect(schemas.url) as connection:
        connection.execute("set role civitas_commons")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select operator from anton.site")


def test_consent_withdrawn_takes_rows_columns_and_rights(schemas: Schemas, member: Make) -> None:
    anton, berta = member("anton", "status", "site"), member("berta", "status", "site")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
        schemas.refresh(town.slug, anton, berta)
    discreet = {"anton": member("anton", site={"operator"}), "berta": berta}
    assert schemas.commons.unshare(discreet) == 1
    assert [row[0] for row in schemas.ask(STATUS)] == ["berta"]
    sites = "select tenant, operator from commons.site order by tenant"
    assert schemas.ask(sites) == [("anton", None), ("berta", "Geheimrat")]
    assert schemas.commons.unshare(discreet) == 0
    assert schemas.commons.unshare({"berta": berta}) == 1
    with psycopg.connect(schemas.url) as connection:
        connection.execute("set role civitas_commons")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select site_key from anton.site")
    schemas.refresh("anton", anton, berta)
    assert schemas.ask(sites) == [("anton", "Geheimrat"), ("berta", "Geheimrat")]


def test_a_town_that_is_forgotten_and_removed_takes_nobody_else_along(schemas: Schemas, member: Make) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
        schemas.refresh(town.slug, anton, berta)
    assert schemas.commons.count_rows_of("anton") == 1
    assert schemas.commons.forget("anton") == 1
    remove_roles(schemas.server, Names("anton"))
    assert count_objects(schemas.server, Names("anton")) == 0
    assert count_objects(schemas.server, Names("berta")) > 0
    assert [row[0] for row in schemas.ask(STATUS)] == ["berta"]
    assert schemas.commons.count_rows_of("anton") == 0


def test_tables_that_change_leave_the_views_first_and_come_back_by_name(
    schemas: Schemas, member: Make, widened: Mapping[str, Contract]
) -> None:
    anton, berta = member("anton", "status", "site"), member("berta", "status", "site")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
        schemas.refresh(town.slug, anton, berta)
    schemas.commons.announce("anton", "r", [DAY], widened, whole=False)
    assert [row[0] for row in schemas.ask(STATUS)] == ["berta"], "nothing is in the way of the tables"
    schemas.publish("anton", 4, widened)
    schemas.refresh("anton", anton, berta, contracts=widened)
    assert schemas.ask("select tenant, run_by, level_count from commons.site order by tenant") == [
        ("anton", None, None),
        ("berta", "Geheimrat", None),
    ]
    assert [row[2] for row in schemas.ask(STATUS)] == [4, 3]


def test_rows_that_mean_something_else_are_left_out_until_they_are_made_anew(
    schemas: Schemas, member: Make
) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
        schemas.refresh(town.slug, anton, berta)
    status = schemas.contracts["status"]
    dozens = {**status.columns, "free": ModelColumn("integer", "Free, in dozens.", unit="{dozen}")}
    now = {**schemas.contracts, "status": replace(status, columns=dozens)}
    for town, expected in ((anton, ["anton"]), (berta, ["anton", "berta"])):
        schemas.commons.announce(town.slug, "r", [], now, whole=True)
        schemas.publish(town.slug, 36, now)
        schemas.refresh(town.slug, anton, berta, contracts=now)
        assert [row[0] for row in schemas.ask(STATUS)] == expected


def test_a_query_that_holds_the_views_delays_and_then_fails_a_change_that_the_next_run_makes(
    schemas: Schemas, member: Make
) -> None:
    anton, berta = member("anton", "status"), member("berta", "status")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
    schemas.refresh("anton", anton, berta)
    with psycopg.connect(schemas.url) as reader:
        reader.execute("select * from commons.status")
        with pytest.raises(PublishError, match="left as they were"):
            schemas.refresh("berta", anton, berta)
    assert not schemas.commons.is_current("berta", {"anton": anton, "berta": berta})
    schemas.refresh("berta", anton, berta)
    assert [row[0] for row in schemas.ask(STATUS)] == ["anton", "berta"]


def test_sources_that_are_not_open_or_not_known_and_small_counts_are_in_no_view(
    schemas: Schemas, member: Make
) -> None:
    status = schemas.contracts["status"]
    free = ModelColumn("integer", "The free.", counts="true")
    counting = {**schemas.contracts, "status": replace(status, columns={**status.columns, "free": free})}
    open_, few, closed = (member("anton", status=entries) for entries in (set(), {"k=5"}, {"source=s"}))
    schemas.publish("anton", 0, counting)
    for town, free_, shown in ((few, 4, [None]), (few, 5, [5]), (closed, 5, []), (open_, 4, [4])):
        with psycopg.connect(schemas.url) as connection:
            connection.execute("update anton.status set free = %s", [free_])
        schemas.refresh("anton", town, contracts=counting)
        assert [row[2] for row in schemas.ask(STATUS)] == shown
    with psycopg.connect(schemas.url) as connection:
        connection.execute("delete from anton.source")
    assert schemas.ask(STATUS) == [], "of which nobody knows the licence"


def test_who_is_left_out_for_faults_keeps_what_is_there(schemas: Schemas, member: Make) -> None:
    anton, berta = member("anton", site={"operator"}), member("berta", "site")
    for town in (anton, berta):
        schemas.publish(town.slug, 3)
        schemas.refresh(town.slug, anton, berta)
    sites = "select tenant, tenant_name, operator from commons.site order by tenant"
    held = [("anton", "Anton", None), ("berta", "Berta", "Geheimrat")]
    members = {"anton": Member("anton", "anton", {}, left_out=True), "berta": berta}
    assert schemas.commons.unshare(members) == 0
    assert schemas.commons.is_current("berta", members)
    schemas.refresh("berta", *members.values())
    assert schemas.ask(sites) == held
    assert schemas.commons.unshare({"berta": berta}) == 1, "whose file is gone"
