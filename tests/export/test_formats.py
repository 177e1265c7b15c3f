"""The way from a published file into a format: one state, batch by batch, with progress."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from civitas_assets.errors import ExportError, PublishError
from civitas_assets.export import formats
from civitas_assets.export.csv_format import Csv
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.formats import export_model
from civitas_assets.export.ngsi_ld_format import NgsiLd
from civitas_assets.settings import Settings
from tests.export.conftest import Town


class Sink(io.BytesIO):
    """What is written, and the most at once."""

    most = 0

    def write(self, content: Any) -> int:
        self.most = max(self.most, len(content))
        return super().write(content)


def test_rows_are_written_batch_by_batch_and_counted(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "BATCH", 2048)
    town.put("station", {"station_key": "town:s:1"})
    town.multiply("station", 10_000)
    sink, heard = Sink(), list[int]()
    written = export_model(
        town.settings, "town", "station", Csv(), standard_output=sink, progress=heard.append
    )
    assert written == 10_000
    assert heard == [2048, 4096, 6144, 8192, 10_000]
    assert sink.most < len(sink.getvalue()) / 4


def test_an_export_sees_one_state_while_the_file_is_replaced(town: Town, tmp_path: Path) -> None:
    town.put("station", {"station_key": "before"})
    town.multiply("station", 50_000)
    sink = io.BytesIO()
    export_model(
        town.settings,
        "town",
        "station",
        Csv(),
        standard_output=sink,
        progress=lambda _: town.file.unlink(missing_ok=True),
    )
    assert sink.getvalue().count(b"before") == 50_000


def test_a_tenant_without_output_is_an_error_that_names_the_others(town: Town) -> None:
    with pytest.raises(PublishError, match=r"village has no output in .*; run: .* \(there is: town\)"):
        export_model(town.settings, "village", "station", Csv(), standard_output=io.BytesIO())


def test_a_tenant_cannot_be_a_path(town: Town) -> None:
    with pytest.raises(PublishError, match="cannot be a tenant's key"):
        export_model(town.settings, "../published/town", "station", Csv(), standard_output=io.BytesIO())


def test_a_file_that_is_no_database_is_an_error(town: Town) -> None:
    town.file.write_bytes(b"x" * 9000)
    with pytest.raises(PublishError, match=r"town_db\.duckdb cannot be opened"):
        export_model(town.settings, "town", "station", Csv(), standard_output=io.BytesIO())


def test_a_fault_of_the_format_leaves_no_file(
    town: Town, vocabulary: ExportVocabulary, tmp_path: Path
) -> None:
    file = tmp_path / "source.jsonld"
    with pytest.raises(ExportError, match="in no Smart Data Model"):
        export_model(
            town.settings, "town", "source", NgsiLd(vocabulary), file=file, standard_output=io.BytesIO()
        )
    assert not file.exists()


def test_without_anything_published_the_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"published; run: civitas run --tenant town$"):
        export_model(Settings(home=tmp_path), "town", "station", Csv(), standard_output=io.BytesIO())
