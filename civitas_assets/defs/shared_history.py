"""Dagster's history where several machines share it: PostgreSQL as by default, over a connection that is kept open.

By default every question opens a connection and closes it, so that whoever opens many instances holds none: an event of
an asset asks several questions, the partitions of one asset twenty.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from dagster import StringSource
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage

from civitas_assets.defs.dagster_internals import ConfigurableClassData

_AGE = 1800  # seconds after which a connection is opened anew, before something in between takes it for dead


class SharedHistory(DagsterPostgresStorage):
    """What `dagster.yaml` names as `storage`; `postgres_url` is as `postgresql://user:password@host:5432/database`.

    One connection stays open for what is asked one after the other, until the instance is closed; what is asked at the
    same time has further ones, which are closed at once. Before one is used again it is tried, and replaced where the
    server has ended it.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = OpenSharedLog(postgres_url, should_autocreate_tables=False)
        engine = sa.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_recycle=_AGE,
        )
        # As the webserver does with one of its own, see `optimize_for_webserver`.
        self._run_storage._engine = engine
        self._event_log_storage._engine = engine
        self._schedule_storage._engine = engine

    @classmethod
    def config_type(cls) -> Any:
        """The database's address."""
        return {"postgres_url": StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> SharedHistory:
        """See `ConfigurableClass`."""
        return cls(config_value["postgres_url"], inst_data)


class OpenSharedLog(PostgresEventLogStorage):
    """Events in PostgreSQL; the instance tells it, of the three, that it is closed."""

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        self._engine.dispose()
