"""What a deployment's files keep from each process: rights, secrets, networks, and what is beside its work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from civitas_assets.settings import PROJECT_DIR

DEPLOY = PROJECT_DIR / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = {"prepare", "code", "daemon", "webserver", "viewer"}
KNOWS_SECRETS = {"prepare", "code"}
SECRET = re.compile(r"PGPASSWORD|POSTGRES_URL|AWS_|CLIENT_SECRET|COOKIE_SECRET")


def _text(*parts: str) -> str:
    return DEPLOY.joinpath(*parts).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> Any:
    return yaml.safe_load(_text("compose.yaml"))["services"]


@pytest.fixture(scope="module")
def values() -> Any:
    return yaml.safe_load(_text("kubernetes", "values.yaml"))


@pytest.fixture(scope="module")
def cluster() -> list[Any]:
    return list(yaml.safe_load_all(_text("kubernetes", "hardening.yaml")))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_a_unit_hardly_exposed(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= 2.0


def _settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def test_the_code_location_alone_knows_secrets_and_has_its_account_for_itself() -> None:
    units = {unit.stem: _settings(unit) for unit in UNITS}
    knowing = {
        name for name, unit in units.items() if any("secrets" in file for file in unit["EnvironmentFile"])
    }
    assert knowing == {"civitas-code"}
    accounts = [unit["User"] for unit in units.values()]
    assert len({account for (account,) in accounts}) == len(units)
    for name in units.keys() - knowing:
        assert any("/etc/civitas/secrets.env" in place for place in units[name]["InaccessiblePaths"])
        assert any("/var/lib/civitas/landing" in place for place in units[name]["InaccessiblePaths"])
    shared = _text("systemd", "civitas.env")
    assert not SECRET.search(re.sub(r"^#.*$", "", shared, flags=re.MULTILINE))


def test_nobody_else_reads_what_is_made_and_nothing_is_told_to_others() -> None:
    for unit in UNITS:
        settings = _settings(unit)
        assert int(settings["UMask"][0], 8) & 0o027 == 0o027
        assert "DAGSTER_DISABLE_TELEMETRY=1" in settings["Environment"][0]
    for file in ("dagster.yaml", "dagster-postgres.yaml"):
        assert yaml.safe_load(_text(file))["telemetry"] == {"enabled": False}
    image = _text("Dockerfile")
    assert "DAGSTER_DISABLE_TELEMETRY=1" in image
    assert 'ENTRYPOINT ["civitas-start"]' in image
    assert "BASH_ENV=/etc/civitas-environment.sh" in image, "the chart starts webserver and daemon by bash"
    for script in re.findall(
        r"printf '(.*?)' > (?:/usr/local/bin/civitas-start|/etc/civitas-environment\.sh)", image
    ):
        assert "umask 0027" in script
    assert "DAGSTER_DISABLE_TELEMETRY=1" in (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")


def test_production_installs_what_was_locked_with_its_hashes() -> None:
    assert "--require-hashes -r deploy/requirements.lock" in _text("Dockerfile")
    makefile = (PROJECT_DIR / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nproduction:", 1)[1].split("\n\n", 1)[0]
    assert "--require-hashes" in recipe
    assert "deploy/requirements.lock" in recipe
    assert "make -C /srv/civitas production" in (PROJECT_DIR / "docs" / "deploy.md").read_text(
        encoding="utf-8"
    )


def test_containers_have_no_rights_and_bounded_resources(services: Any) -> None:
    adding = {name: service["cap_add"] for name, service in services.items() if "cap_add" in service}
    assert adding == {"proxy": ["NET_BIND_SERVICE"], "proxy-volumes": ["CHOWN"]}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], (
            "and no other seccomp profile than Docker's"
        )
        assert {"mem_limit", "pids_limit", "cpus"} <= service.keys(), name
        assert "privileged" not in service
        if name not in OURS:
            root = service["user"].startswith("0")
            assert root == (name == "proxy-volumes"), name
    assert services["proxy-volumes"]["network_mode"] == "none"
    assert re.search(r"^USER 10001:10001$", _text("Dockerfile"), re.MULTILINE), "of those that say no user"


def test_containers_of_dagster_have_accounts_and_secrets_of_their_own(services: Any) -> None:
    users = {name: services[name].get("user", "image") for name in OURS - {"prepare"}}
    assert len(set(users.values())) == len(users)
    for name in OURS:
        knows = {key for key in services[name]["environment"] if SECRET.search(key)}
        assert bool(knows) == (name in KNOWS_SECRETS), name
        volumes = {volume.split(":")[1] for volume in services[name]["volumes"]}
        assert ("/data" in volumes) == (name in KNOWS_SECRETS), name
    assert [name for name in services if "env_file" in services[name]] == ["code"]


def test_a_webserver_is_reached_through_the_login_alone_and_the_login_believes_the_proxy_alone(
    services: Any,
) -> None:
    # What has no login in front of it has no secret, no way to the others, and reads nothing but pages.
    assert services["open-data"]["networks"] == ["front"]
    assert services["open-data"]["environment"] == {"CIVITAS_HOME": "/data"}
    assert services["open-data"]["volumes"] == ["pages:/data/reports:ro"]
    assert services["features-files"]["network_mode"] == "none"
    assert services["features"]["networks"] == ["front"]
    assert services["features"]["volumes"] == ["features:/features:ro"]
    assert all(services[name]["profiles"] == ["features"] for name in ("features", "features-files"))
    near = {name for name, service in services.items() if "ui" in service.get("networks", ())}
    assert near == {"webserver", "viewer", "login-webserver", "login-viewer", "login-pages"}
    assert "inside" not in services["proxy"]["networks"]
    for login in ("login-webserver", "login-viewer", "login-pages"):
        version = services[login]["image"].split(":v")[1].split("@")[0]
        assert tuple(map(int, version.split("."))) >= (7, 15, 2), "before that, logins could be passed by"
        assert services[login]["command"] == ["--trusted-proxy-ip=172.30.77.2/32"]
        assert "inside" not in services[login]["networks"]
        assert not [key for key in services[login]["environment"] if "SKIP_AUTH" in key or "PING_USER" in key]
    assert services["proxy"]["networks"]["front"]["ipv4_address"] == "172.30.77.2"
    for ui in ("webserver", "viewer"):
        assert services[ui]["environment"]["CIVITAS_UI_USER_HEADER"] == "X-Forwarded-Email"
        assert services[ui]["environment"]["CIVITAS_UI_GROUPS_HEADER"] == "X-Forwarded-Groups"
        assert "pages:/data/reports:ro" in services[ui]["volumes"]
    # Who needs no group there reaches nothing but pages, each of which asks for one.
    open_to_all = [
        name
        for name, one in services.items()
        if one.get("environment", {}).get("OAUTH2_PROXY_ALLOWED_GROUPS") == ""
    ]
    assert open_to_all == ["login-pages"]
    assert (
        services["login-pages"]["environment"]["OAUTH2_PROXY_UPSTREAMS"] == "http://webserver:3000/morning/"
    )


RESTRICTED = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_pods_are_restricted_and_bounded(values: Any) -> None:
    (code,) = values["dagster-user-deployments"]["deployments"]
    run = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    pods = {
        "webserver": (values["dagsterWebserver"]["podSecurityContext"], values["dagsterWebserver"]),
        "daemon": (values["dagsterDaemon"]["podSecurityContext"], values["dagsterDaemon"]),
        "code": (code["podSecurityContext"], code),
        "run": (run["podSpecConfig"]["securityContext"], run["containerConfig"]),
    }
    for name, (pod, container) in pods.items():
        assert {**pod, **RESTRICTED} == pod, name
        assert pod["runAsUser"] > 10000, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert (
            {"cpu", "memory"}
            == container["resources"]["limits"].keys()
            == container["resources"]["requests"].keys()
        )
    assert len({pods[name][0]["runAsUser"] for name in ("webserver", "daemon", "code")}) == 3
    assert values["dagsterWebserver"]["service"]["port"] >= 1024
    for name in ("dagsterWebserver", "dagsterDaemon"):
        known = [secret["name"] for secret in values[name].get("envSecrets", ())]
        allowed = ["civitas-pages"] if name == "dagsterWebserver" else []
        assert known == allowed, "secrets are the code location's, but for a key that reads pages"
        assert not SECRET.search(str(values[name].get("env", "")))
    assert values["telemetry"] == {"enabled": False}


def test_the_cluster_admits_restricted_pods_and_named_ways_only(values: Any, cluster: list[Any]) -> None:
    kinds = {(one["kind"], one["metadata"]["name"]): one for one in cluster}
    labels = kinds["Namespace", "civitas"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    account = values["dagster-user-deployments"]["serviceAccount"]
    assert account["create"] is False
    assert kinds["ServiceAccount", account["name"]]["automountServiceAccountToken"] is False
    run = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    assert run["podSpecConfig"]["automountServiceAccountToken"] is False
    closed = kinds["NetworkPolicy", "nothing"]["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (port,) = kinds["NetworkPolicy", "webserver"]["spec"]["ingress"][0]["ports"]
    assert port["port"] == values["dagsterWebserver"]["service"]["port"]
    (port,) = kinds["NetworkPolicy", "code"]["spec"]["ingress"][0]["ports"]
    assert port["port"] == values["dagster-user-deployments"]["deployments"][0]["port"]
    (sources,) = kinds["NetworkPolicy", "sources"]["spec"]["egress"]
    assert "169.254.0.0/16" in sources["to"][0]["ipBlock"]["except"], "the metadata service of a cloud"


def _wrapped(tmp_path: Path, uid: str, secrets: str) -> subprocess.CompletedProcess[str]:
    """The command beside systemd, told who calls it, with a program that says what it was given."""
    tools, configuration = tmp_path / "tools", tmp_path / "etc"
    for folder in (tools, configuration):
        folder.mkdir()
    scripts = {
        "id": f'[ "$1" = -u ] && echo {uid} || echo 4711',
        "setpriv": 'while [ "${1#--}" != "$1" ]; do case $1 in --re*) echo "$1 $2"; shift ;; esac; shift; done; "$@"',
        "program": 'umask; for word in "$@"; do echo "word $word"; done; env',
    }
    for name, body in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    (configuration / "civitas.env").write_text(_text("systemd", "civitas.env"), encoding="utf-8")
    (configuration / "secrets.env").write_text(secrets, encoding="utf-8")
    env = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "CIVITAS_PROGRAM": str(tools / "program"),
        "CIVITAS_CONFIGURATION": str(configuration),
        "SUDO_USER": "anna",
    }
    command = [str(DEPLOY / "systemd" / "civitas"), "status", "two words"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_the_command_becomes_the_account_and_reads_its_environment_as_systemd_does(tmp_path: Path) -> None:
    secrets = "# a comment\nTOWN_TOKEN=\"a $(touch harm) 'b'\"\nA B=c\n; d=e\nTOWN_LAST=x=y"
    done = _wrapped(tmp_path, "0", secrets)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert {"--reuid civitas", "--regid 4711", "0027", "word status", "word two words"} <= set(said)
    assert {"TOWN_TOKEN=a $(touch harm) 'b'", "TOWN_LAST=x=y", "CIVITAS_HOME=/var/lib/civitas"} <= set(said)
    assert {"SUDO_USER=anna", "DAGSTER_DISABLE_TELEMETRY=1"} <= set(said)
    assert not [line for line in said if line.startswith(("A B", "; d"))]


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root becomes another account"
)
def test_the_command_does_become_another_account(tmp_path: Path) -> None:
    (tmp_path / "civitas.env").write_text("CIVITAS_HOME=/tmp\n", encoding="utf-8")
    given = {"CIVITAS_ACCOUNT": "nobody", "CIVITAS_PROGRAM": "id", "CIVITAS_CONFIGURATION": str(tmp_path)}
    command = [str(DEPLOY / "systemd" / "civitas"), "-un"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **given})
    assert (done.returncode, done.stdout) == (0, "nobody\n"), done.stderr


def test_the_command_is_for_root_since_it_reads_secrets(tmp_path: Path) -> None:
    done = _wrapped(tmp_path, "1000", "")
    assert done.returncode == 77
    assert "sudo civitas status" in done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_ui_on_a_laptop_shows_what_the_command_has_run() -> None:
    """One default of Dagster's folder: below that of the deployment, as `settings.find_dagster_home` has it."""

    def home(**given: str) -> str:
        command = ["make", "-s", "--eval", "show: ; @echo $(DAGSTER_HOME)", "show"]
        env = {"PATH": os.environ["PATH"], **given}
        done = subprocess.run(command, cwd=PROJECT_DIR, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert home() == str(PROJECT_DIR / "data" / "dagster")
    assert home(CIVITAS_HOME="/srv/data/demo") == "/srv/data/demo/dagster"
    assert home(CIVITAS_HOME="data/demo") == str(PROJECT_DIR / "data" / "demo" / "dagster")
    assert home(CIVITAS_HOME="/srv/data", DAGSTER_HOME="/srv/dagster") == "/srv/dagster"
    told = subprocess.run(["make", "-n", "dev"], cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    assert 'CIVITAS_SCHEDULES="${CIVITAS_SCHEDULES:-stopped}"' in told.stdout, (
        "nothing is fetched from real cities"
    )
