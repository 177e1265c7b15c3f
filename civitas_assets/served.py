"""What the environment decides of the UI, and of the record of who did what there and on the command line.

Part of the settings; `settings.py` reads them.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class Served(BaseModel):
    """How this deployment meets people; each field is an environment variable `CIVITAS_<FIELD>`."""

    ui_url: str = Field(
        "http://localhost:3000",
        description="Address of the Dagster UI, for the links in messages, and whose pages alone it answers.",
    )
    ui_hosts: str = Field(
        "", description="Further host names under which the UI is reached, separated by blanks."
    )
    reports_url: str = Field("", description="Where the morning pages are served, for links.")
    open_url: str = Field(
        "", description="Where the folders of open data are served, for the addresses in catalogues."
    )
    ui_groups_header: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Header in which the proxy hands over the groups of whoever asks, separated by commas, such as "
        "`X-Forwarded-Groups`; with it, a morning page is for its tenant's group and those that see all.",
    )
    pages_all: str = Field(
        "civitas-operators civitas-viewers",
        description="Groups that see the morning pages of all tenants, separated by blanks.",
    )
    pages_group: str = Field(
        "civitas-{tenant}",
        pattern=r"^[^{}]*\{tenant\}[^{}]*$",
        description="Group that sees a tenant's morning page.",
    )
    ui_user_header: str = Field(
        "",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Header in which the proxy hands over the login of whoever uses the UI, such as "
        "`X-Forwarded-User`; only where nobody reaches the UI without it.",
    )
    audit_dir: Path | None = Field(None, description="Folder of the log of who did what.")
    audit_days: int = Field(365, ge=1, description="Days for which the log of who did what is kept.")
    audit_echo: bool = Field(
        False, description="Whether that log is written to standard error, too, where a collector takes it."
    )
