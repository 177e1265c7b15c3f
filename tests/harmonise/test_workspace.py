"""What a run puts into its workspace is what it was given, whatever the folders around it are called."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from civitas_assets.harmonise.workspace import _insert_frame
from civitas_assets.harmonise.workspace_tables import CONTEXT_TABLES, create_tables


def test_a_folder_that_is_called_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "town=north"
    folder.mkdir()
    rows = pl.DataFrame({column: [None] * 50 for column in CONTEXT_TABLES["seen"]})
    with duckdb.connect() as connection:
        create_tables(connection)
        _insert_frame(connection, "seen", rows, folder)
        assert connection.execute("select count(*) from records.seen").fetchall() == [(50,)]
    assert not [*folder.iterdir()]
