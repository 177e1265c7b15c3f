"""A tenant's faulty file: all others go on, it is told wherever people look, and what is mended goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from civitas_assets.catalog.cadence import Cadence
from civitas_assets.definitions import build_definitions
from civitas_assets.defs.batch import make_batch_name, make_batch_op_name
from tests.integration.conftest import CivitasIn, Server, Workplace

CADENCE: Cadence = "nightly"


@pytest.fixture
def neighbours(workplace: Workplace, town: Server, open_town: Callable[[], Server]) -> str:
    """The small town, another one, and the right file of that."""
    workplace.copy_tenant("kleinstadt", url=town.url)
    text: str = workplace.template("kleinstadt", url=open_town().url)
    workplace.write_tenant("nachbarstadt", text)
    return text


def test_a_command_goes_on_for_all_others_and_fails(
    workplace: Workplace, neighbours: str, command_in: CivitasIn
) -> None:
    civitas = command_in(workplace)
    workplace.write_tenant("nachbarstadt", neighbours.replace("licence:", "license:"))
    workplace.write_tenant("neustadt", "sources: [")
    ran = civitas("run")
    assert ran.exit_code == 1
    assert "neustadt.yaml:2" in ran.output
    assert workplace.ask("kleinstadt", "select count(*) > 0 from observation") == [(True,)]
    checked = civitas("validate")
    assert (checked.exit_code, "ok kleinstadt" in checked.output) == (1, True)
    assert "nachbarstadt.yaml" in checked.output
    told = civitas("status")
    assert (told.exit_code, "neustadt.yaml:2" in told.output, "kleinstadt" in told.output) == (0, True, True)
    assert civitas("status", "kleinstadt", "--check").exit_code == 0
    assert civitas("status", "nachbarstadt", "--check").exit_code == 1
    found = json.loads(civitas("status", "--json").stdout)["tenants"]
    assert [bool(found[slug]["file_faults"]) for slug in sorted(found)] == [False, True, True]
    page = (workplace.settings.reports / "index.en.html").read_text(encoding="utf-8")
    assert page.count("left out: its file has faults") == 2


def test_a_batch_goes_on_with_the_last_good_state_until_the_file_is_mended(
    workplace: Workplace, neighbours: str
) -> None:
    def batch() -> Any:
        job = build_definitions(workplace.deployment).resolve_job_def(make_batch_name(CADENCE))
        return job.execute_in_process(instance=workplace.instance, raise_on_error=False)

    def wrong(ran: Any) -> set[tuple[str | None, str]]:
        checks = [
            entry.get_dagster_event().asset_check_evaluation_data
            for entry in workplace.instance.all_logs(
                ran.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
            )
        ]
        return {(c.partition, c.check_name) for c in checks if not c.passed}

    assert not wrong(batch())
    workplace.write_tenant("nachbarstadt", neighbours.replace("licence:", "license:"))
    faulty = batch()
    assert wrong(faulty) == {("nachbarstadt", "nothing_is_wrong")}
    assert workplace.ask("nachbarstadt", "select count(*) > 0 from observation") == [(True,)]
    page = (workplace.settings.reports / "nachbarstadt" / "index.en.html").read_text(encoding="utf-8")
    assert "The tenant&#39;s file has" in page or "The tenant's file has" in page
    assert "license" in page
    workplace.write_tenant("nachbarstadt", neighbours)
    assert not wrong(batch())


def test_who_is_asked_for_and_is_not_known_fails_alone(workplace: Workplace, neighbours: str) -> None:
    workplace.write_tenant("neustadt", "sources: [")
    job = build_definitions(workplace.deployment).resolve_job_def(make_batch_name(CADENCE))
    ran = job.execute_in_process(
        instance=workplace.instance,
        raise_on_error=False,
        run_config={
            "ops": {make_batch_op_name(CADENCE): {"config": {"tenants": ["kleinstadt", "neustadt"]}}}
        },
    )
    assert not ran.success
    made = workplace.instance.all_logs(ran.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert {entry.asset_materialization.partition for entry in made} == {"kleinstadt"}
    assert workplace.instance.get_run_by_id(ran.run_id).tags["civitas/outcome"] == "failed"
