"""What the environment decides of the UI: under which names it is reached, and how others know who is there.

Part of the settings; `settings.py` reads them.
"""

from __future__ import annotations

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
    reports_url: str = Field("", description="Where the morning pages are served, for links in messages.")
