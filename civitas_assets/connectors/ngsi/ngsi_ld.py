"""NGSI-LD and NGSI-v2 context brokers: the current entities of some types, page by page, and their history.

Entities of the Smart Data Models need no mapping. Without history, every night adds what is current then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from civitas_assets.catalog import Source, Window
from civitas_assets.catalog.template import expand
from civitas_assets.connectors.base import FetchSession, Payload
from civitas_assets.connectors.fetching import fetch_all
from civitas_assets.connectors.mapping.service_rows import build_column_table, build_raw_table
from civitas_assets.connectors.ngsi import ngsi_entities as ngsi
from civitas_assets.connectors.ngsi import ngsi_mobility as mobility
from civitas_assets.connectors.ngsi import ngsi_observed as observed
from civitas_assets.connectors.ngsi import ngsi_temporal as temporal
from civitas_assets.connectors.ngsi.ngsi_crawl import (
    NgsiCrawl,
    NgsiLdSource,
    find_record_types,
    list_type_terms,
)
from civitas_assets.connectors.ngsi.ngsi_entities import Entity, Row, list_types
from civitas_assets.connectors.ngsi.ngsi_models import MEASUREMENT, OF_THEIR_OWN
from civitas_assets.connectors.ngsi.ngsi_page import EntityPage
from civitas_assets.connectors.ngsi.ngsi_reader import Reader
from civitas_assets.connectors.ngsi.ngsi_remarks import Remarks
from civitas_assets.records import RawTable


def _kind(entity: Entity, asked: Sequence[str], others: Sequence[str]) -> str:
    """The type as which an entity is read: the one that was asked for, if it has several.

    One that means something goes before one that does not, so that an entity is the same on the pages of all its types.
    """
    kinds = list_types(entity)
    if len(kinds) == 1:
        return kinds[0]
    here, elsewhere = ([kind for kind in given if kind in kinds] for given in (asked, others))
    understood = [kind for kind in (*here, *elsewhere) if _is_understood(kind)]
    more = [kind for kind in kinds if _is_understood(kind)]
    return next(iter([*understood, *here, *elsewhere, *more, *kinds]))


def _is_understood(kind: str) -> bool:
    return (
        kind in OF_THEIR_OWN or kind == MEASUREMENT or any(kind in model.kinds for model in mobility.MODELS)
    )


class NgsiLdConnector:
    """Fetches and reads entities."""

    name = "ngsi_ld"
    source_model: type[Source] = NgsiLdSource

    def fetch(self, source: NgsiLdSource, window: Window, zone: ZoneInfo, session: FetchSession) -> None:
        """Every type's pages to the end, and the history of each entity that is on them."""
        parts = window.split(max(source.slice.days, 1)) if source.history else ()
        crawl = NgsiCrawl(source, [temporal.TemporalSpan(*part.to_instants(zone)) for part in parts], session)
        first = [
            crawl.page(expansion.url.rstrip("/"), kind, 0)
            for expansion in expand(source.url, source.each, window, source.http.max_pages)
            for kind in source.types
        ]
        fetch_all(session, first, crawl.follow)
        crawl.check()

    def read(self, source: NgsiLdSource, payload: Payload) -> Iterator[RawTable]:
        """Things and their values, by the model of each entity; with history, values come from there alone."""
        asked = payload.variables.get("type", source.types[0])
        terms, others = (
            list_type_terms(asked),
            [kind for type_ in source.types for kind in list_type_terms(type_)],
        )
        by_kind: dict[tuple[str, ...], list[Reader]] = defaultdict(list)
        by_kind[find_record_types(next(iter(terms), ""))] = []
        remarks = Remarks(source.skip)
        for entity in ngsi.decode_entities(payload.body):
            reader = Reader(entity, _kind(entity, terms, others), remarks, source.language)
            by_kind[find_record_types(reader.kind)].append(reader)
        tables: list[RawTable] = []
        for names, entities in by_kind.items():
            if payload.role == "history":
                tables.append(_history(names[-1], entities))
            else:
                page = EntityPage(entities)
                current = _current(names, entities, page)
                tables += [part for part in current if part.record_type != names[-1] or not source.history]
                remarks.unread.update(page.unread())
        yield replace(tables[0], unknown_fields=tuple(sorted(remarks.unread)), notes=remarks.list_notes())
        yield from tables[1:]


def _current(names: Sequence[str], entities: Sequence[Reader], page: EntityPage) -> Iterator[RawTable]:
    model = _model(names[-1])
    if model is not None:
        yield _placed(build_column_table(model.thing, model.things_of(page)))
        yield build_column_table(model.state, model.states_of(page))
    else:
        rows = [row for entity in entities for row in observed.build_measure_rows(entity)]
        stations: dict[object, Row] = {}
        for row in map(observed.build_station_row, entities):
            known = {name: value for name, value in row.items() if value is not None}
            stations[row["station_id"]] = {**stations.get(row["station_id"], {}), **known}
        streams = {row["datastream_id"]: row for row in rows}
        yield _placed(build_raw_table("station", stations.values(), observed.STATION))
        yield build_raw_table("datastream", streams.values(), observed.DATASTREAM)
        yield build_raw_table("observation", rows, observed.OBSERVATION)


def _placed(things: RawTable) -> RawTable:
    """The table without the column of geometries if it has none: points are a position already."""
    empty = things.frame["geometry"].null_count() == things.frame.height
    return replace(things, frame=things.frame.drop("geometry")) if empty else things


def _history(record_type: str, entities: Sequence[Reader]) -> RawTable:
    model = _model(record_type)
    if model is None:
        return RawTable(record_type, temporal.build_observations(entities))
    states = [state for entity in entities for state in temporal.list_snapshots(entity, model.changing)]
    return build_column_table(record_type, model.states_of(EntityPage(states)))


def _model(record_type: str) -> mobility.StatusModel | None:
    return next((model for model in mobility.MODELS if model.state == record_type), None)
