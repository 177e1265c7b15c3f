"""A deployment on one machine, started by the very commands of the systemd units, beside the sample servers.

What has to come of it is no question of this module.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorType, ScheduleInstigatorData

from civitas_assets.demo.servers import SampleServers
from civitas_assets.demo.towns import write_towns
from civitas_assets.endpoint import find_free_port
from civitas_assets.settings import PROJECT_DIR

LAUNCH = """
mutation ($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
JOBS = {"repositoryLocationName": "civitas_assets", "repositoryName": "__repository__"}
UNITS = PROJECT_DIR / "deploy" / "systemd"
INSTALLED = "/srv/civitas"
_PATIENCE = 240  # seconds; a machine that is busy with other tests takes its time


@dataclass(frozen=True)
class Machine:
    """What runs on the machine: where the UI is, and where the towns' data lands."""

    url: str
    home: Path
    environment: Mapping[str, str]
    daemon: ExitStack

    @contextmanager
    def without_daemon(self) -> Iterator[None]:
        """Within, the daemon does not run; then it is started again."""
        self.daemon.close()
        try:
            yield
        finally:
            self.daemon.enter_context(_started("civitas-daemon.service", self.environment, self.home.parent))

    def turn_back(self, instance: dg.DagsterInstance, span: timedelta) -> None:
        """As if the daemon had been gone for this long: what it left behind says so. It must not run meanwhile."""
        now = datetime.now(UTC)
        then = (now - span).timestamp()
        for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
            assert isinstance(state.instigator_data, ScheduleInstigatorData)
            begun = ScheduleInstigatorData(state.instigator_data.cron_schedule, start_timestamp=then)
            instance.update_instigator_state(state.with_data(begun))
            instance.purge_ticks(state.instigator_origin_id, state.selector_id, now.timestamp())
        for sign in instance.get_daemon_heartbeats().values():
            instance.add_daemon_heartbeat(sign._replace(timestamp=then))

    @contextmanager
    def edited(self, town: str) -> Iterator[Callable[[Callable[[str], str]], None]]:
        """What edits a town's file on the machine; in the end it is as it was."""
        file = Path(self.environment["CIVITAS_TENANTS_DIR"]) / f"{town}.yaml"
        before = file.read_text(encoding="utf-8")

        def edit(change: Callable[[str], str]) -> None:
            text = file.read_text(encoding="utf-8")
            changed = change(text)
            assert changed != text, "nothing was edited"
            file.write_text(changed, encoding="utf-8")

        try:
            yield edit
        finally:
            file.write_text(before, encoding="utf-8")

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The answer of Dagster's GraphQL interface."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code != 500:  # with which Dagster says in the usual form what it has refused
                raise
            answer = json.load(error)
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, job: str, tenant: str = "", **scope: Any) -> Any:
        """What becomes of launching a job, for a tenant with what the launchpad is told."""
        parameters = {
            "selector": {**JOBS, "jobName": job},
            "runConfigData": {"resources": {"scope": {"config": scope}}} if scope else {},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": tenant}] if tenant else []},
        }
        return self.ask(LAUNCH, {"parameters": parameters})["launchRun"]

    def run(self, job: str, tenant: str = "", **scope: Any) -> tuple[str, str]:
        """Launch a job and wait until its run has ended; the run's id, and how it ended."""
        run: str = self.launch(job, tenant, **scope)["run"]["runId"]
        return run, self.run_ends(run)

    def run_ends(self, run_id: str) -> str:
        """Wait until the run has ended; how it did."""
        query = "query ($id: ID!) {runOrError(runId: $id) {... on Run {status}}}"

        def ended() -> Any:
            status = self.ask(query, {"id": run_id})["runOrError"]["status"]
            return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

        return str(until(ended))

    def read_log(self, run_id: str) -> str:
        """What the log of a run says, a line for each message; at its end what failed steps say."""
        query = """query ($id: ID!) {logsForRun(runId: $id) {... on EventConnection {events {
            ... on MessageEvent {message}
            ... on ExecutionStepFailureEvent {
                failureMetadata {description metadataEntries {label ... on TextMetadataEntry {text}}}}}}}}"""
        events = self.ask(query, {"id": run_id})["logsForRun"]["events"]
        lines = [event["message"] for event in events]
        for failure in filter(None, (event.get("failureMetadata") for event in events)):
            lines.append(failure["description"])
            lines += [f"{entry['label']}: {entry.get('text')}" for entry in failure["metadataEntries"]]
        return "\n".join(lines)

    def read_tags(self, run_id: str) -> dict[str, str]:
        """The tags of a run."""
        query = "query ($id: ID!) {runOrError(runId: $id) {... on Run {tags {key value}}}}"
        return {tag["key"]: tag["value"] for tag in self.ask(query, {"id": run_id})["runOrError"]["tags"]}

    def runs(self, tenant: str) -> list[str]:
        """Ids of the tenant's runs, the newest first."""
        query = "query ($f: RunsFilter) {runsOrError(filter: $f) {... on Runs {results {runId}}}}"
        tags = [{"key": "dagster/partition", "value": tenant}]
        results = self.ask(query, {"f": {"tags": tags}})["runsOrError"]["results"]
        return [run["runId"] for run in results]

    def civitas(self, *arguments: str) -> str:
        """What the command prints for this deployment."""
        command = [sys.executable, "-m", "civitas_assets.cli", *arguments]
        done = subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout


def until(answered: Any) -> Any:
    """Ask again and again until there is an answer that is not None."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if (answer := answered()) is not None:
            return answer
        time.sleep(0.3)
    raise AssertionError(f"no answer within {_PATIENCE} seconds")


@contextmanager
def serve_machine(folder: Path, models: Path | None = None) -> Iterator[Machine]:
    """The three towns on a machine whose files are in the folder, perhaps with dbt models of its own."""
    home, tenants = folder / "home", folder / "tenants"
    (home / "dagster").mkdir(parents=True)
    shutil.copy(PROJECT_DIR / "deploy" / "dagster.yaml", home / "dagster")
    code, ui = find_free_port(), find_free_port()
    given = {
        "CIVITAS_HOME": str(home),
        "CIVITAS_TENANTS_DIR": str(tenants),
        "CIVITAS_DBT_PROJECT_DIR": str(PROJECT_DIR / "dbt_project"),
        "DAGSTER_HOME": str(home / "dagster"),
        "CIVITAS_CODE_PORT": str(code),
        "CIVITAS_UI_PORT": str(ui),
        "CIVITAS_UI_URL": f"http://127.0.0.1:{ui}",
        "CIVITAS_REACHABLE": "127.0.0.0/8",
        "NO_COLOR": "1",
        **({"CIVITAS_MODELS_DIR": str(models)} if models else {}),
    }
    environment = {**os.environ, **_settings_of_units(), **given}
    url = f"http://127.0.0.1:{ui}"
    with ExitStack() as stack:
        servers = stack.enter_context(SampleServers(datetime.now(UTC).date()))
        write_towns(tenants, servers.url, servers.queue)
        for unit in ("code", "webserver"):
            stack.enter_context(_started(f"civitas-{unit}.service", environment, folder))
        daemon = stack.enter_context(ExitStack())
        daemon.enter_context(_started("civitas-daemon.service", environment, folder))
        until(lambda: _answer(f"{url}/server_info"))
        yield Machine(url, home, environment, daemon)


@contextmanager
def _started(unit: str, environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """The unit's process, as the service manager starts it: after what goes before, until what goes after is done."""
    commands = _commands(unit)
    for command in commands.get("ExecStartPre", []):
        subprocess.run(
            _here(command, environment), env=environment, check=True, capture_output=True, cwd=PROJECT_DIR
        )
    log = folder / f"{unit}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _here(commands["ExecStart"][0], environment),
            env=environment,
            stdout=output,
            stderr=output,
            cwd=PROJECT_DIR,
            start_new_session=True,
        )
        try:
            for command in commands.get("ExecStartPost", []):
                subprocess.run(
                    _here(command, environment),
                    env=environment,
                    check=True,
                    capture_output=True,
                    timeout=_PATIENCE,
                )
            assert process.poll() is None, log.read_text(errors="replace")
            yield
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started, as the service manager does with a unit's group."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def _commands(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, command in re.findall(
        r"^(ExecStart\w*)=(.+)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(key, []).append(command)
    return found


def _here(command: str, environment: Mapping[str, str]) -> list[str]:
    """The command as it is on this machine: the same programs, where they are here."""
    programs = command.replace(f"{INSTALLED}/.venv/bin", str(Path(sys.executable).parent))
    moved = programs.replace(INSTALLED, str(PROJECT_DIR))
    return [re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], part) for part in shlex.split(moved)]


def _settings_of_units() -> dict[str, str]:
    lines = (UNITS / "civitas.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _answer(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            body: bytes = response.read()
            return body
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
