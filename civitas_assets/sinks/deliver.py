"""Bringing what a tenant has published to each of its sinks; the fault of one stops no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.tenant_sinks import NgsiLdSink
from civitas_assets.connectors.reachable import Reachable
from civitas_assets.connectors.transport.http_writer import HttpWriter
from civitas_assets.errors import CivitasError, ExportError
from civitas_assets.export.export_vocabulary import ExportVocabulary
from civitas_assets.export.terms import read_conditions_of
from civitas_assets.publish.reading import open_published
from civitas_assets.settings import Settings, read_secret
from civitas_assets.sinks.broker_writing import ContextBroker
from civitas_assets.sinks.ngsi_sink import NgsiLdBringer
from civitas_assets.sinks.sensorthings_sink import SensorThingsBringer
from civitas_assets.sinks.sensorthings_writing import SensorThingsServer
from civitas_assets.sinks.sink_report import SinkReport
from civitas_assets.store.files import Files


def bring_to_sinks(
    settings: Settings,
    files: Files,
    tenant: Tenant,
    now: datetime,
    *,
    names: Collection[str] = (),
    first: date | None = None,
) -> Mapping[str, SinkReport | str]:
    """What came of each sink of the tenant, or of those that are named: a report, or why there is none.

    Whoever calls this holds the tenant's lock. Days from `first` on are compared, by default as far back as the sink
    says.

    Raises:
        ExportError: the tenant has no sink of a name.
    """
    if unknown := sorted({*names} - {*tenant.sinks}):
        known = ", ".join(tenant.sinks) or "none"
        raise ExportError(f"{tenant.slug} has no sink {unknown[0]}; it has: {known}")
    found, today = dict[str, SinkReport | str](), now.astimezone(tenant.zone).date()
    for name, sink in tenant.sinks.items():
        if not names or name in names:
            try:
                days = (first or today - sink.look_back, today)
                found[name] = _bring(settings, files, tenant, name, days)
            except CivitasError as error:
                found[name] = str(error)
    return found


def _bring(
    settings: Settings, files: Files, tenant: Tenant, name: str, days: tuple[date, date]
) -> SinkReport:
    sink = tenant.sinks[name]
    headers = dict(sink.headers)
    if isinstance(sink, NgsiLdSink) and sink.broker_tenant:
        headers["NGSILD-Tenant"] = sink.broker_tenant
    with (
        HttpWriter(
            f"sink {name}",
            sink.url,
            headers,
            sink.http,
            user_agent=settings.user_agent,
            reachable=Reachable.from_settings(settings),
            read_secret=read_secret,
        ) as writer,
        open_published(settings, tenant.slug, days[0]) as tables,
    ):
        bringer: SensorThingsBringer | NgsiLdBringer
        if isinstance(sink, NgsiLdSink):
            vocabulary = ExportVocabulary.read(settings.dbt_project_dir)
            bringer = NgsiLdBringer(ContextBroker(writer), files, tenant, name, sink, vocabulary=vocabulary)
        else:
            server = SensorThingsServer(writer, sink.http.parallel)
            bringer = SensorThingsBringer(server, files, tenant, name, sink)
        return bringer.bring(tables, read_conditions_of(tenant, tables), *days)
