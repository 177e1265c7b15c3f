"""What the environment decides: where things live, whose tenants are served, who can be contacted.

The only module that reads the environment; nothing is read at import.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from civitas_assets import __version__
from civitas_assets.errors import SecretMissing

PROJECT_DIR = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Paths and identity of this deployment; each field is an environment variable `CIVITAS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="CIVITAS_", frozen=True, extra="ignore")

    home: Path = Field(PROJECT_DIR / "data", description="Landing, record store, quarantine and work files.")
    tenants_dir: Path = Field(
        PROJECT_DIR / "civitas_assets" / "tenants", description="Folder with one YAML file per tenant."
    )
    published_dir: Path | None = Field(None, description="Published DuckDB files.")
    dbt_project_dir: Path = Field(PROJECT_DIR / "dbt_project", description="The dbt project.")
    contact: str = Field("", description="E-mail or URL that servers see in the User-Agent.")
    log_level: str = Field("INFO", description="Level of the messages that the command line prints.")
    memory_limit: str = Field("1GB", description="What one workspace may hold in memory before it spills.")
    rebuild_portion: int = Field(
        32 * 1024 * 1024, ge=1, description="Bytes of records that a rebuild harmonises at a time."
    )

    reports_url: str = Field("", description="Where the morning pages are served, for links in messages.")

    @field_validator("home", "tenants_dir", "published_dir", "dbt_project_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else path

    @property
    def published(self) -> Path:
        """Where destinations of kind `duckdb` land, one folder per tenant."""
        return self.published_dir or self.home / "published"

    @property
    def workspaces(self) -> Path:
        """Throw-away DuckDB workspaces, one folder per run."""
        return self.home / "workspaces"

    @property
    def locks(self) -> Path:
        """Lock files that keep a tenant to one run at a time."""
        return self.home / "locks"

    @property
    def reports(self) -> Path:
        """The morning pages: one folder per tenant, and the operator's page."""
        return self.home / "reports"

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
    return value


def dagster_home(settings: Settings, *, own: bool = False) -> Path:
    """Dagster's instance folder: the one that the environment names, unless `own` is asked for, else one in `home`.

    It is made with this project's configuration where it does not exist.
    """
    given = os.environ.get("DAGSTER_HOME")
    if given and not own:
        return Path(given)
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    configured, template = home / "dagster.yaml", PROJECT_DIR / "deploy" / "dagster.yaml"
    if not configured.exists() and template.exists():
        configured.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    return home
