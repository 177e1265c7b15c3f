"""The files of a deployment fit together: names that they use of each other, ports, secrets, versions."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from civitas_assets.settings import PROJECT_DIR, Settings

DEPLOY = PROJECT_DIR / "deploy"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def values() -> Any:
    return yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text(encoding="utf-8"))


def test_only_the_proxy_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["inside"] == {"internal": True}
    outside = {
        name for name, service in compose["services"].items() if "outside" in service.get("networks", ())
    }
    assert outside == {"code", "login-webserver", "login-viewer", "login-pages", "proxy"}


def test_services_wait_for_services_that_are_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", [])) <= services.keys()


def test_files_that_containers_see_are_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).is_file(), source
            elif not source.startswith("$"):
                assert source in compose["volumes"]


def test_images_are_pinned_and_secrets_are_not_written_down(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":[\w.-]*\d", service["image"]) or service["image"].startswith("${"), name
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", variable):
                assert value.startswith("${"), variable


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    example = (DEPLOY / "compose" / "example.env").read_text(encoding="utf-8")
    assert used - {"CIVITAS_IMAGE"} == set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))


def test_settings_of_a_deployment_are_settings_of_the_package(compose: dict[str, Any], values: Any) -> None:
    known = {f"CIVITAS_{name.upper()}" for name in Settings.model_fields}
    own = {"CIVITAS_CODE_HOST", "CIVITAS_CODE_PORT", "CIVITAS_UI_HOST", "CIVITAS_UI_PORT"}  # of the units
    units = (DEPLOY / "systemd" / "civitas.env").read_text(encoding="utf-8")
    pods = values["dagster-user-deployments"]["deployments"][0]["env"]
    used = {
        *re.findall(r"^(CIVITAS_\w+)=", units, re.MULTILINE),
        *(name for name in compose["services"]["code"]["environment"] if name.startswith("CIVITAS_")),
        *(variable["name"] for variable in pods),
    }
    assert used <= known | own


def test_a_pod_mounts_the_volumes_that_it_has(values: Any) -> None:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    volumes = {volume["name"] for volume in deployment["volumes"]}
    assert {mount["name"] for mount in deployment["volumeMounts"]} == volumes


def test_limits_on_kubernetes_are_those_of_one_machine(values: Any) -> None:
    instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
    here = instance["concurrency"]["runs"]["tag_concurrency_limits"]
    there = values["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"][
        "tagConcurrencyLimits"
    ]
    assert here == there
    assert (
        values["dagsterDaemon"]["runMonitoring"]["maxRuntimeSeconds"]
        == instance["run_monitoring"]["max_runtime_seconds"]
    )


def test_the_image_has_what_production_needs_as_it_was_tested() -> None:
    def pins(file: Path) -> dict[str, str]:
        return dict(
            re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        )

    tested, deployed = pins(PROJECT_DIR / "requirements.lock"), pins(DEPLOY / "requirements.lock")
    assert deployed.items() <= tested.items()
    assert {"dagster", "dagster-k8s", "dagster-postgres", "duckdb"} <= deployed.keys()
    assert not {"pytest", "playwright", "moto"} & deployed.keys()


def test_the_webserver_is_guarded_whoever_starts_it(compose: dict[str, Any]) -> None:
    """By systemd, compose and `make dev` as a module; by the Helm chart under Dagster's own name."""
    ours = "-m civitas_assets.webserver"
    assert ours in (DEPLOY / "systemd" / "civitas-webserver.service").read_text(encoding="utf-8")
    for name in ("webserver", "viewer"):
        assert ours in " ".join(compose["services"][name]["command"])
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    assert "-m civitas_assets.webserver.develop dev" in makefile
    line = re.search(r"^RUN (printf .*) > /venv/bin/dagster-webserver$", _dockerfile(), re.MULTILINE)
    assert line
    script = subprocess.run(["sh", "-c", line[1]], check=True, capture_output=True, text=True).stdout
    assert script == f'#!/bin/sh\nexec /venv/bin/python {ours} "$@"\n'
    everything = [path.read_text(encoding="utf-8") for path in (DEPLOY / "systemd").iterdir()]
    everything += [str(service.get("command")) for service in compose["services"].values()]
    assert not [text for text in everything if "dagster-webserver" in text]


def _dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_the_command_is_called_in_the_code_location(compose: dict[str, Any], values: Any) -> None:
    """It has the tenants' files, the stores and the secrets of sources, and an account that owns its home."""
    page = (PROJECT_DIR / "docs/deploy.md").read_text(encoding="utf-8")
    (service,) = re.findall(r"compose\.yaml exec (\w+) civitas", page)
    code = compose["services"][service]
    assert "code-server" in " ".join(code["command"])
    assert [file["path"] for file in code["env_file"]] == ["./secrets.env"]
    assert any(volume.endswith(":/etc/civitas/tenants:ro") for volume in code["volumes"])
    (release,) = re.findall(r"helm upgrade --install (\w+) dagster/dagster", page)
    (pod,) = re.findall(r"exec deploy/([\w-]+) -- civitas", page)
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert pod == f"{release}-dagster-user-deployments-{deployment['name']}"


def test_scripts_are_valid_shell() -> None:
    script = DEPLOY / "compose" / "databases.sh"
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_units_are_understood(tmp_path: Path) -> None:
    """What is not there on a machine for tests is the installation itself."""
    for unit in (DEPLOY / "systemd").glob("civitas*.[st]*"):
        shutil.copy(unit, tmp_path)
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    faults = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "civitas" in line]
    assert [line for line in faults if "is not executable" not in line] == []
