"""What the environment decides: where things live, whose tenants are served, who can be contacted.

The only module that reads the environment; nothing is read at import.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ByteSize, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from civitas_assets import __version__
from civitas_assets.databases import Databases
from civitas_assets.endpoint import parse_endpoint
from civitas_assets.errors import SecretMissing
from civitas_assets.redaction import find_passwords, remember_secrets
from civitas_assets.served import Served

PROJECT_DIR = Path(__file__).resolve().parent.parent
_STORAGE_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")
_REACHABLE = re.compile(r"[0-9a-fA-F:.]+(/\d{1,3})?|(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
LOOPBACK = "127.0.0.0/8 ::1"  # what a demo or a test declares to be reachable


class Limits(NamedTuple):
    """What one DuckDB may use: what is bundled with it, so much memory, such as `1GB`, and threads; 0: one per core."""

    memory: str = "1GB"
    threads: int = 0

    @property
    def statements(self) -> str:
        """What sets them on a connection."""
        threads = f"; set threads = {self.threads}" if self.threads else ""
        bundled = "set autoinstall_known_extensions = false; set autoload_known_extensions = false"
        return f"{bundled}; set memory_limit = '{self.memory}'{threads}"


DEFAULT_LIMITS = Limits()


class Settings(Served, Databases, BaseSettings):
    """Paths and identity of this deployment; each field is an environment variable `CIVITAS_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="CIVITAS_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(
        PROJECT_DIR / "data", description="Landing, record store, quarantine, dropped files and work files."
    )
    storage_url: str = Field(
        "",
        description="Landing, records, quarantine, dropped and published files in object storage, as `s3://bucket/prefix`.",
    )
    tenants_dir: Path = Field(
        PROJECT_DIR / "civitas_assets" / "tenants", description="Folder with one YAML file per tenant."
    )
    published_dir: Path | None = Field(None, description="Published DuckDB files, or copies of them.")
    dbt_project_dir: Path = Field(PROJECT_DIR / "dbt_project", description="The dbt project.")
    models_dir: Path | None = Field(
        None, description="Folder with dbt models of this deployment, beside the shared ones."
    )
    prepared_dir: Path | None = Field(
        None,
        description="Where the dbt project lies prepared, as in an image; what is not there is prepared in `dbt` below "
        "`CIVITAS_HOME`.",
    )
    reachable: str = Field(
        "",
        description="What sources may reach beside public addresses: networks such as `10.1.0.0/16`, hosts, and "
        "`host:port` for a service of the deployment itself, separated by blanks.",
    )
    database_files: Path | None = Field(
        None,
        description="Folder with a folder per tenant, outside of which no source may read SQLite files; without it, "
        "any file is read.",
    )
    secrets: str = Field(
        "",
        description="Secrets that tenants may name beside those that begin with their key: `NAME`, `BEGINNING_*`, or "
        "`tenant:NAME` for one tenant, separated by blanks.",
    )
    max_bytes: int = Field(2 * 1024**3, ge=1, description="Most bytes of one answer, decoded.")
    max_pages: int = Field(100_000, ge=1, description="Most answers of one fetch.")
    max_time: float = Field(86_400.0, gt=0, description="Most seconds of an answer, and of a source's fetch.")
    max_look_back: int = Field(3660, ge=1, description="Most days that a source looks back.")
    max_rows: int = Field(50_000_000, ge=1, description="Most rows of a payload, and of a database's fetch.")
    max_columns: int = Field(10_000, ge=1, description="Most columns of a table in a payload.")
    max_cells: int = Field(500_000_000, ge=1, description="Most cells of a table, up to the last one.")
    max_memory: ByteSize = Field(
        ByteSize(0),
        description="Memory that reading a payload may take, such as `4GB`; 0: three quarters of all there is.",
    )
    max_read_time: float = Field(1800.0, gt=0, description="Most seconds of reading a payload.")
    max_disk: int = Field(
        0,
        ge=0,
        description="Bytes of a tenant's landing, records and tables from which on nothing more lands; 0: any.",
    )
    contact: str = Field("", description="E-mail or URL that servers see in the User-Agent.")
    log_level: str = Field("INFO", description="Level of the messages that the command line prints.")
    memory_limit: str = Field("1GB", description="What one workspace may hold in memory before it spills.")
    threads: int = Field(
        0,
        ge=0,
        description="Threads of one workspace; 0: one per core, of which a batch's processes have their share.",
    )
    notify_secret: str = Field(
        "",
        description="Name of the environment variable that holds whom messages about faults go to, as Apprise URLs.",
    )
    alive_secret: str = Field(
        "",
        description="Name of the environment variable that holds where a sign of life goes when a night is done, as "
        "Apprise URLs.",
    )
    repository_url: str = Field(
        "", description="Address of this project's files in a browser, for links from the UI to the SQL."
    )
    team: str = Field("data", description="Team that owns the assets in the Dagster UI.")
    rebuild_portion: int = Field(
        48 * 1024**2, ge=1, description="Bytes of records that are harmonised at a time, where they are many."
    )

    schedules: Literal["running", "stopped"] = Field(
        "running",
        description="Whether the schedules that fetch sources run where nobody has started or stopped them in the UI.",
    )
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=0,
        description="Tenants that a batch works for at the same time, each in a process of its own; 0: in that of the "
        "run, one after the other.",
    )
    turn_timeout: float = Field(
        7200.0, gt=0, description="Seconds after which a tenant's turn in a batch is ended."
    )
    turn_memory: ByteSize = Field(
        ByteSize(0),
        description="Memory that the process of a tenant's turn in a batch may take, such as `4GB`; 0: all there is.",
    )
    batch_size: int = Field(
        0, ge=0, description="Most tenants of one batch, where several machines share them; 0: all in one."
    )
    history_days: int = Field(
        90, ge=1, description="Days for which Dagster's runs and events are kept; see `civitas purge`."
    )
    dagster_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database for Dagster's runs and events, where several machines share them.",
    )

    @field_validator(
        "home",
        "tenants_dir",
        "published_dir",
        "dbt_project_dir",
        "models_dir",
        "prepared_dir",
        "database_files",
        "audit_dir",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else path

    @field_validator("storage_url")
    @classmethod
    def _of_a_bucket(cls, url: str) -> str:
        if url and not _STORAGE_URL.fullmatch(url):
            raise ValueError(
                "write s3://bucket or s3://bucket/prefix; credentials belong into AWS_* variables"
            )
        return url.rstrip("/")

    @field_validator("reachable")
    @classmethod
    def _of_addresses(cls, entries: str) -> str:
        for entry in entries.replace(",", " ").split():
            if not _REACHABLE.fullmatch(entry):
                raise ValueError(
                    "write networks such as 10.1.0.0/16, hosts, or host:port, separated by blanks"
                )
        return entries

    def model_post_init(self, _: object) -> None:
        """No line of a log holds a password of the deployment's own."""
        for url in (self.postgres_url, self.postgres_readers, self.dagster_url):
            remember_secrets(*find_passwords(url.get_secret_value() if url else ""))

    @property
    def own_endpoints(self) -> list[tuple[str, int]]:
        """Host and port of the deployment's own databases and object storage."""
        given = [self.postgres_url, self.postgres_readers, self.dagster_url]
        urls = [url.get_secret_value() for url in given if url is not None]
        return [parse_endpoint(url) for url in (*urls, os.environ.get("AWS_ENDPOINT_URL", "")) if url]

    @property
    def published(self) -> Path:
        """Where destinations of kind `duckdb` land, one folder per tenant."""
        return self.published_dir or self.home / "published"

    @property
    def limits(self) -> Limits:
        """What harmonising and publishing may use."""
        return Limits(self.memory_limit, self.threads)

    @property
    def workspaces(self) -> Path:
        """Throw-away DuckDB workspaces, one folder per run."""
        return self.home / "workspaces"

    @property
    def locks(self) -> Path:
        """Lock files that keep a tenant to one run at a time."""
        return self.home / "locks"

    @property
    def last_good(self) -> Path:
        """The tenants' files as they were last without faults."""
        return self.home / "last_good"

    @property
    def parsed_tenants(self) -> Path:
        """What was made of the tenants' files last, so that the next process need not parse them."""
        return self.home / "tenants.parsed"

    @property
    def reports(self) -> Path:
        """The morning pages: one folder per tenant, and the operator's page."""
        return self.home / "reports"

    @property
    def audit(self) -> Path:
        """The log of who did what."""
        return self.audit_dir or self.home / "audit"

    @property
    def prepared_dbt(self) -> Path:
        """dbt manifests, prepared once per state of the dbt project."""
        return self.home / "dbt"

    @property
    def user_agent(self) -> str:
        """Who we are towards servers, with a contact, as their operators expect."""
        contact = self.contact or f"postmaster@{socket.getfqdn()}"
        return f"civitas-assets/{__version__} (+{contact})"


def read_secret(name: str) -> str:
    """The value of a named secret, read at the moment it is needed.

    Raises:
        SecretMissing: the environment has no such variable, or it is empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SecretMissing(name)
    remember_secrets(value)
    return value


def find_caller() -> str:
    """Who came by `sudo`, where somebody did."""
    return os.environ.get("SUDO_USER", "")


def make_environment(threads: int) -> dict[str, str]:
    """This process's environment, for others that have so many threads for native libraries."""
    return {**os.environ, "POLARS_MAX_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}


def find_dagster_home(settings: Settings) -> Path:
    """Dagster's instance folder: the one that the environment names, else one in `home`.

    It is made with this project's configuration where it does not exist.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given:
        return Path(given)
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    name = "dagster-postgres.yaml" if settings.dagster_url.get_secret_value() else "dagster.yaml"
    configured, template = home / "dagster.yaml", PROJECT_DIR / "deploy" / name
    if not configured.exists() and template.exists():
        configured.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    return home


def take_events_in_batches() -> None:
    """Have Dagster hand over together what it stores together, in this process; unless the environment decides."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
