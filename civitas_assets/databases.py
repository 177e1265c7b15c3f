"""The settings of PostgreSQL as a destination, which `settings.py` reads with all others."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class Databases(BaseModel):
    """Where tenants with `destination: postgres` are published, who asks there, and how long things may take."""

    postgres_url: SecretStr | None = Field(
        None, description="PostgreSQL of tenants with `destination: postgres`, as libpq takes it."
    )
    postgres_lock_timeout: float = Field(
        5.0, gt=0, description="Seconds that publishing waits for a lock, at each of several tries."
    )
    postgres_statement_timeout: float = Field(
        1800.0, gt=0, description="Seconds that one statement of publishing may take."
    )
    postgres_query_timeout: float = Field(
        60.0, gt=0, description="Seconds that a query of `civitas query` may take on PostgreSQL."
    )
    postgres_readers: SecretStr | None = Field(
        None,
        description="Logins of `civitas query` on PostgreSQL, with `{tenant}`, each a member of its reader.",
    )
