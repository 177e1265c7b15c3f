"""What towns share meets in the commons in the run that publishes it, and leaves them once consent ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conftest import CivitasIn, Server, Workplace

SHARE = "share: [parking_status, {table: parking_site, withhold: [name]}]\n"
ROWS = "select tenant, tenant_name, count(*) from commons.parking_status group by all order by all"


@pytest.fixture
def two_towns(workplace: Workplace, town: Server) -> Any:
    """Two towns with the same car park, of which both share it."""
    for slug, name in (("kleinstadt", "Kleinstadt"), ("neustadt", "Neustadt")):
        workplace.write_tenant(
            slug, workplace.template("kleinstadt", url=town.url).replace("Kleinstadt", name, 1) + SHARE
        )
    return workplace


def unshare(workplace: Workplace, slug: str) -> None:
    file = workplace.settings.tenants_dir / f"{slug}.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(SHARE, ""), encoding="utf-8")


def test_what_two_towns_share_is_in_the_commons_and_goes_with_their_consent(
    two_towns: Any, town: Server, command_in: CivitasIn
) -> None:
    civitas = command_in(two_towns)
    assert civitas("query", "commons", "select 1").output.startswith("error nobody shares anything yet")
    assert two_towns.run("kleinstadt").ok
    assert two_towns.run("neustadt").ok
    assert two_towns.ask("commons", ROWS) == [("kleinstadt", "Kleinstadt", 1), ("neustadt", "Neustadt", 1)]
    assert two_towns.ask("commons", "select distinct licence, name from commons.parking_site") == [
        ("CC0-1.0", None)
    ]
    answer = civitas("query", "commons", "select tenant, free from parking_status order by tenant")
    assert answer.exit_code == 0
    assert "neustadt" in answer.stdout

    # The same day again with another value: the commons follow in the same run.
    town.pages["/parking.json"] = town.pages["/parking.json"].replace(b'"free": 3', b'"free": 8')
    assert two_towns.run("kleinstadt").ok
    free = "select tenant, free from commons.parking_status order by all"
    assert two_towns.ask("commons", free) == [("kleinstadt", 8), ("neustadt", 3)]

    # Nothing new, and consent ends: the rows of a town go in its own next run.
    unshare(two_towns, "kleinstadt")
    outcome = two_towns.run("kleinstadt")
    assert outcome.ok
    assert two_towns.ask("commons", free) == [("neustadt", 3)]
    # A town that is gone altogether: whoever runs next takes its rows out.
    (two_towns.settings.tenants_dir / "neustadt.yaml").unlink()
    assert two_towns.run("kleinstadt").ok
    assert two_towns.ask("commons", "select count(*) from duckdb_views() where schema_name = 'commons'") == [
        (0,)
    ]


def test_consent_counts_even_where_the_night_fails_and_a_failure_of_the_commons_undoes_nothing(
    two_towns: Any, town: Server
) -> None:
    assert two_towns.run("kleinstadt").ok
    commons = two_towns.published("commons")
    good = commons.read_bytes()
    commons.write_bytes(b"damaged" * 1000)
    town.pages["/parking.json"] = town.pages["/parking.json"].replace(b'"free": 3', b'"free": 8')
    outcome = two_towns.run("kleinstadt")
    assert [error.partition(":")[0] for error in outcome.errors] == ["commons_duckdb"]
    assert "remove it to have it made anew" in outcome.errors[0]
    assert two_towns.ask("kleinstadt", "select free from parking_status") == [(8,)]
    commons.write_bytes(good)
    assert two_towns.run("kleinstadt").ok, "the next run makes up for it although nothing is new"
    assert two_towns.ask("commons", "select free from commons.parking_status") == [(8,)]

    town.pages["/parking.json"] = None
    unshare(two_towns, "kleinstadt")
    assert not two_towns.run("kleinstadt").ok
    assert two_towns.ask("commons", "select count(*) from duckdb_views() where schema_name = 'commons'") == [
        (0,)
    ]


def test_a_share_of_what_is_not_there_is_a_fault_of_the_file(two_towns: Any, command_in: CivitasIn) -> None:
    two_towns.write_tenant(
        "altstadt", two_towns.template("kleinstadt", url="http://127.0.0.1:9") + "share: [parkng]\n"
    )
    called = command_in(two_towns)("validate")
    assert called.exit_code == 1
    assert (
        "altstadt.yaml:26: share.0.table: 'parkng' is no shared model; did you mean parking_s"
        in called.output
    )
