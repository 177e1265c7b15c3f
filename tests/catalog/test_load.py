"""Whoever edits a tenant's file learns of every fault at once: file, line, field, what is allowed there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from civitas_assets.catalog import Catalog, SecretRef, load_catalog
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.load import read_catalog
from civitas_assets.connectors.registry import SOURCE_MODELS
from civitas_assets.errors import CatalogError, Fault
from civitas_assets.settings import Settings, read_secret

Load = Callable[..., Catalog]


def faults(load: Load, **texts: str) -> dict[str, Fault]:
    """The faults by field."""
    with pytest.raises(CatalogError) as caught:
        load(**texts)
    return {fault.field: fault for fault in caught.value.faults}


def test_a_right_file_becomes_a_tenant(load: Load, right: str) -> None:
    tenant = load(muster=right).get_tenant("muster")
    source = tenant.sources["counters"]
    assert (tenant.slug, tenant.ags, source.name, source.connector) == (
        "muster",
        "05515000",
        "counters",
        "csv",
    )
    assert tenant.bbox == (7.0, 51.8, 7.8, 52.1)
    assert source.time is not None
    assert source.time.interval == timedelta(minutes=15)
    assert source.look_back == timedelta(days=14)
    assert source.record_types() == {"observation", "datastream", "station"}


def test_all_faults_of_all_files_are_named_at_once_with_file_line_and_field(load: Load, right: str) -> None:
    first = right.replace("ags:", "agz:").replace("licence: dl-de/by-2-0", "licence: frei")
    second = right.replace("15 min", "15 minutes ago").replace("name: Musterstadt\n", "")
    with pytest.raises(CatalogError) as caught:
        load(anton=first, berta=second)
    places = [(fault.file, fault.line, fault.field) for fault in caught.value.faults]
    assert places == [
        ("anton.yaml", 1, "ags"),
        ("anton.yaml", 2, "agz"),
        ("anton.yaml", 8, "sources.counters.licence"),
        ("berta.yaml", 1, "name"),
        ("berta.yaml", 12, "sources.counters.time.interval"),
    ]
    text = str(caught.value)
    assert text.startswith("5 faults in the catalogue:\n")
    assert "anton.yaml:8: sources.counters.licence: is 'frei', but must be one of:" in text
    assert "'dl-de/zero-2-0'" in text
    assert "such as '15 min'" in text


@pytest.mark.parametrize(
    ("old", "new", "field", "hint"),
    [
        ("bbox:", "bbx:", "bbx", "did you mean bbox?"),
        ("look_back", "lookback", "sources.counters.lookback", "did you mean look_back?"),
        ("zone:", "zones:", "sources.counters.time.zones", "did you mean zone?"),
        ("prefix:", "prefiks:", "sources.counters.headers.Authorization.prefiks", "did you mean prefix?"),
    ],
)
def test_a_typo_is_named_with_what_was_meant(  # noqa: PLR0917
    load: Load, right: str, old: str, new: str, field: str, hint: str
) -> None:
    text = right.replace("    title:", "    look_back: 3 days\n    title:").replace(old, new)
    fault = faults(load, muster=text)[field]
    assert hint in fault.message
    assert "allowed: " in fault.message


@pytest.mark.parametrize(
    ("sink", "field", "says"),
    [
        (
            "kind: ngsi, url: 'https://x.example'",
            "kind",
            "is 'ngsi'; did you mean ngsi_ld? must be one of: 'sens",
        ),
        ("url: 'https://x.example', headers: {A: canary-17}", "kind", "is missing"),
        ("kind: ngsi_ld, models: [station]", "url", "is missing"),
        (
            "kind: ngsi_ld, url: 'https://x.example', models: [station], time: start",
            "time",
            "allowed: batch, broker_tenant, context, entities, headers, http, kind, look_back, models, temporal, url",
        ),
        (
            "kind: sensorthings, url: 'https://x.example', headers: {A: {secre: B}}",
            "headers.A.secre",
            "mean secret?",
        ),
    ],
)
def test_a_fault_of_one_kind_of_sink_is_named_in_its_own_words(
    load: Load, right: str, sink: str, field: str, says: str
) -> None:
    with pytest.raises(CatalogError) as raised:
        load(town=f"sinks: {{b: {{{sink}}}}}\n{right}").get_tenant("town")
    (found,) = [fault for fault in raised.value.faults if fault.field == f"sinks.b.{field}"]
    assert says in found.message
    assert found.line == 1
    assert "canary" not in str(raised.value)


def test_a_key_that_is_written_twice_is_a_fault_on_its_second_line(load: Load, right: str) -> None:
    fault = faults(load, muster=right + 'name: "Nochmal"\n')["name"]
    assert (fault.line, fault.message) == (15, "is written twice; keep one")


@pytest.mark.parametrize("written", ["05515000", "9162000"])
def test_an_unquoted_municipality_key_is_shown_as_it_was_written(
    load: Load, right: str, written: str
) -> None:
    """YAML reads 05515000 as an octal number; the message must not repeat that one."""
    fault = faults(load, muster=right.replace('"05515000"', written))["ags"]
    assert fault.message == f"must be text: write it in quotes, as in '{written}'"


def test_an_unquoted_list_entry_is_named_by_its_position(load: Load, right: str) -> None:
    assert (
        "write it in quotes, as in '2'"
        in faults(load, muster=right.replace('"2"', "2"))["sources.counters.each.counter.1"].message
    )


@pytest.mark.parametrize("connector", ["cvs", "[csv]", "", "1"])
def test_an_unknown_connector_is_answered_by_the_known_ones(load: Load, right: str, connector: str) -> None:
    fault = faults(load, muster=right.replace("connector: csv", f"connector: {connector}"))
    message = fault["sources.counters.connector"].message
    assert message.endswith(f"must be one of: {', '.join(sorted(SOURCE_MODELS))}")
    assert message.startswith("did you mean csv?") == (connector in {"cvs", "[csv]"})


def test_a_secret_is_a_name_and_its_value_is_read_only_when_asked_for(
    load: Load, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOWN_TOKEN", raising=False)
    source = load(muster=right).get_tenant("muster").sources["counters"]
    reference = source.headers["Authorization"]
    assert reference == SecretRef(secret="TOWN_TOKEN", prefix="Bearer ")  # noqa: S106 - a name
    monkeypatch.setenv("TOWN_TOKEN", "geheim")
    assert "geheim" not in source.model_dump_json()
    assert read_secret("TOWN_TOKEN") == "geheim"


def test_a_secret_must_be_named_like_an_environment_variable(load: Load, right: str) -> None:
    found = faults(load, muster=right.replace("TOWN_TOKEN", "abc-123"))
    assert [*found] == ["sources.counters.headers.Authorization.secret"]
    assert "abc-123" not in str(found), "it may be the secret itself"


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("{counter}", "{station}", "sources.counters", "url uses {station}, but each: has only ['counter']"),
        (
            "interval: 15 min",
            "stamp: instant",
            "sources.counters.time",
            "interval is needed with fold: summed",
        ),
        (
            "zone: local_wall, ",
            "zone: utc, ",
            "sources.counters.time",
            "fold has a meaning only with zone: local_wall",
        ),
        (
            "column: Zeit, ",
            "",
            "sources.counters.time",
            "column is needed: the native field that holds the time",
        ),
        (
            "record_type: observation",
            "record_type: measurement",
            "sources.counters.record_type",
            "must be one of",
        ),
        ("value: Wert", "values: Wert", "sources.counters.fields.values", "is no field of observation"),
        ("51.8, 7.8, 52.1", "52.1, 7.8, 51.8", "bbox", "south before north"),
        ("bbox:", "timezone: Europe/Münster\nbbox:", "timezone", "IANA"),
        ("https://data", "ftp://data", "sources.counters.url", "pattern"),
    ],
)
def test_a_contradiction_is_explained(  # noqa: PLR0917
    load: Load, right: str, old: str, new: str, field: str, message: str
) -> None:
    assert message in faults(load, muster=right.replace(old, new))[field].message


def test_times_with_an_offset_need_a_pattern_that_has_one(load: Load, right: str) -> None:
    """Without %z a time would silently count as UTC."""
    rule = 'time: {column: Zeit, zone: offset, format: "%Y-%m-%d %H:%M"}'
    text = right.replace("time: {column: Zeit, zone: local_wall, fold: summed, interval: 15 min}", rule)
    assert "%z" in faults(load, muster=text)["sources.counters.time"].message
    assert load(muster=text.replace("%H:%M", "%H:%M%z")).get_tenant("muster").sources


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is not valid YAML"),
        ("- just\n- a list\n", "must hold a tenant's settings"),
        ("", "must hold a tenant's settings"),
        ("name: Musterstadt\nsources: [a]\n", "must map source names to their settings"),
        ("name: Musterstadt\nsources: {a: b}\n", "must hold the source's settings"),
    ],
)
def test_what_is_no_tenants_file_is_named_with_a_line(load: Load, text: str, message: str) -> None:
    found = faults(load, muster=text).values()
    assert any(message in fault.message and fault.line >= 1 for fault in found)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "muster.yaml").write_bytes("name: Münster".encode("cp1252"))
    with pytest.raises(CatalogError, match=r"muster\.yaml:1: .*is not UTF-8 text"):
        load_catalog(tmp_path, SOURCE_MODELS)


def test_the_name_of_the_file_is_the_key_of_the_tenant_and_has_its_form(tmp_path: Path, right: str) -> None:
    (tmp_path / "Muster-Stadt.yml").write_text(right, encoding="utf-8")
    with pytest.raises(CatalogError, match="the file's name is the tenant's key"):
        load_catalog(tmp_path, SOURCE_MODELS)


def test_an_unknown_tenant_is_answered_by_a_close_or_by_all_names(load: Load, right: str) -> None:
    catalog = load(muster=right, anderswo=right)
    with pytest.raises(CatalogError, match="did you mean muster"):
        catalog.get_tenant("mutser")
    with pytest.raises(CatalogError, match="tenants: anderswo, muster"):
        catalog.get_tenant("xyz")


def test_the_tenants_of_a_connector_are_those_that_use_it(load: Load, right: str) -> None:
    catalog = load(muster=right, leer=right.partition("sources:")[0])
    assert {tenant: [*sources] for tenant, sources in catalog.list_sources("csv").items()} == {
        "muster": ["counters"]
    }
    assert catalog.list_sources("json") == {}


def test_a_tenant_cannot_be_changed(load: Load, right: str) -> None:
    tenant = load(muster=right).get_tenant("muster")
    with pytest.raises(ValidationError):
        tenant.name = "Anders"  # type: ignore[misc]


def test_the_environment_says_whose_tenants_are_served(
    tmp_path: Path, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "eigene.yaml").write_text(right, encoding="utf-8")
    monkeypatch.setenv("CIVITAS_TENANTS_DIR", str(tmp_path))
    assert [*load_catalog(Settings().tenants_dir, SOURCE_MODELS, Frame(secrets=("TOWN_*",))).tenants] == [
        "eigene"
    ]


def test_a_folder_that_is_not_there_is_answered_by_the_variable_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="CIVITAS_TENANTS_DIR"):
        load_catalog(tmp_path / "none", SOURCE_MODELS)


@pytest.mark.parametrize(
    "name", ["CIVITAS_POSTGRES_URL", "PGPASSWORD", "DAGSTER_PG_PASSWORD", "AWS_SECRET_ACCESS_KEY"]
)
def test_a_file_cannot_send_what_lets_the_deployment_into_its_stores(
    load: Load, right: str, name: str
) -> None:
    found = faults(load, muster=right.replace("TOWN_TOKEN", name))
    (fault,) = found.values()
    assert fault.field.startswith("sources.counters.headers.Authorization")
    assert name not in fault.message


def test_a_tenant_cannot_name_the_secret_of_another(load: Load, right: str) -> None:
    theirs = right.replace("TOWN_TOKEN", "JENA_OST_TOKEN")
    found = faults(load, muster=theirs, jena=right, jena_ost=theirs)
    assert [(fault.file, fault.line, fault.field) for fault in found.values()] == [
        ("muster.yaml", 11, "sources.counters.headers.Authorization.secret")
    ]
    (fault,) = found.values()
    assert "names JENA_OST_TOKEN, a secret of jena_ost: a tenant has its own" in fault.message


@pytest.mark.parametrize(
    ("listed", "is_taken"),
    [
        ((), False),
        (("TOWN_TOKEN",), True),
        (("TOWN_*",), True),
        (("muster:TOWN_TOKEN",), True),
        (("jena:TOWN_TOKEN",), False),
        (("TOWN",), False),
    ],
)
def test_a_tenant_names_secrets_of_its_own_or_what_the_operator_lists(
    tmp_path: Path, right: str, listed: tuple[str, ...], is_taken: bool
) -> None:
    (tmp_path / "muster.yaml").write_text(right, encoding="utf-8")
    found = read_catalog(tmp_path, SOURCE_MODELS, frame=Frame(secrets=listed)).faulty
    assert not found if is_taken else "names TOWN_TOKEN" in str(found)
    (tmp_path / "muster.yaml").write_text(right.replace("TOWN_", "MUSTER_"), encoding="utf-8")
    assert not read_catalog(tmp_path, SOURCE_MODELS).faulty, "its own need no list"


LOW = Frame(1000, 5, timedelta(minutes=1), timedelta(days=3), secrets=("TOWN_*",))


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("http: {max_bytes: 1001}", "http.max_bytes"),
        ("http: {max_pages: 6}", "http.max_pages"),
        ("http: {total_time: 2 min}", "http.total_time"),
        ("http: {fetch_time: 2 min}", "http.fetch_time"),
        ("look_back: 4 days", "look_back"),
    ],
)
def test_no_file_lifts_a_ceiling_of_the_operator(
    tmp_path: Path, right: str, setting: str, field: str
) -> None:
    text = right.replace("    title:", f"    {setting}\n    title:")
    (tmp_path / "muster.yaml").write_text(text, encoding="utf-8")
    (fault,) = read_catalog(tmp_path, SOURCE_MODELS, frame=LOW).faulty["muster"]
    assert (fault.field, fault.line) == (f"sources.counters.{field}", 6)
    assert "the most that the operator lets be (CIVITAS_MAX_" in fault.message
    assert not read_catalog(tmp_path, SOURCE_MODELS, frame=Frame(secrets=LOW.secrets)).faulty


def test_defaults_are_no_higher_than_the_ceilings(tmp_path: Path, right: str) -> None:
    (tmp_path / "muster.yaml").write_text(right, encoding="utf-8")
    source = read_catalog(tmp_path, SOURCE_MODELS, frame=LOW).get_tenant("muster").sources["counters"]
    assert (source.http.max_bytes, source.http.max_pages, source.look_back) == (1000, 5, timedelta(days=3))
    assert (source.http.total_time, source.name, source.frame) == (timedelta(minutes=1), "counters", LOW)


@pytest.mark.parametrize("slug", ["public", "commons", "information_schema", "pg_town"])
def test_a_key_that_databases_use_is_refused(load: Load, right: str, slug: str) -> None:
    with pytest.raises(CatalogError, match="must not be one of"):
        load(**{slug: right})


PLAIN = {
    "    url: 'https://ada:canary-17@data.example/a.csv'": ("sources.counters.url", "basic_auth:"),
    "    url: 'https://data.example/a.csv?apikey=canary-17&x=1'": ("sources.counters.url", "query: {apikey: {secret:"),
    "    headers: {X-Api-Key: canary-17}": ("sources.counters.headers.X-Api-Key", "X-Api-Key: {secret: NAME}"),
    "    headers: {Authorization: 'Bearer canary-17'}": (
        "sources.counters.headers.Authorization", 'Authorization: {secret: NAME, prefix: "Bearer "}',
    ),
    "    query: {access_token: canary-17}": ("sources.counters.query.access_token", "access_token: {secret: NAME}"),
    "    headers: {X-Key: [canary-17]}": ("sources.counters.headers.X-Key", "{secret: NAME}"),
    "    query: {n: {secret: TOWN_X, prefx: canary-17}}": ("sources.counters.query.n.prefx", "is not known here"),
    "    basic_auth: {username: ada, password: canary-17}": ("sources.counters.basic_auth.password", "{secret: NAME}"),
    "    certificate: {file: canary-17}": ("sources.counters.certificate.file", "{secret: NAME}"),
    "    url: 'ftp://ada:canary-17@data.example/a.csv'": ("sources.counters.url", "***@data.example"),
    "    description: 'see https://ada:canary-17@data.example/'": ("sources.counters.description", "leave that out"),
}  # fmt: skip


@pytest.mark.parametrize("line", PLAIN)
def test_what_lets_somebody_in_is_refused_in_the_file_itself_and_not_repeated(
    load: Load, right: str, line: str
) -> None:
    name = line.split(":", 1)[0].strip()
    kept = [text for text in right.splitlines() if not text.startswith(f"    {name}:")]
    at = next(number for number, text in enumerate(kept) if text.startswith("    connector:"))
    place, advice = PLAIN[line]
    with pytest.raises(CatalogError) as raised:
        load(town="\n".join([*kept[:at], line, *kept[at:]]))
    (fault,) = raised.value.faults
    assert (fault.field, advice in fault.message) == (place, True), fault
    assert "canary" not in str(raised.value)


UNSENT = {
    "    url: 'https:///ada:canary-17@data.example/a.csv'": ("url", "names no host"),
    "    url: 'https://:443/canary-17'": ("url", "names no host"),
    "    url: 'https://data.example:canary-17/a.csv'": ("url", "no host or port"),
    "    url: 'https://[canary-17/a.csv'": ("url", "no host or port"),
    '    url: "https://data.example/a.csv\\r\\nX-Key: canary-17"': ("url", "holds a control character"),
    '    headers: {X-A: "b\\r\\nX-Key: canary-17"}': ("headers.X-A", "holds a control character"),
    '    headers: {"X-A\\nX-Key: canary-17": b}': ("headers", "has a name that no header can have"),
    '    headers: {X-A: {secret: TOWN_X, prefix: "canary-17\\n"}}': (
        "headers.X-A",
        "holds a control character",
    ),
}


@pytest.mark.parametrize("line", UNSENT)
def test_what_cannot_be_sent_is_refused_in_the_file_itself_and_not_repeated(
    load: Load, right: str, line: str
) -> None:
    name = line.split(":", 1)[0].strip()
    kept = [text for text in right.splitlines() if not text.startswith((f"    {name}:", "    each:"))]
    at = next(number for number, text in enumerate(kept) if text.startswith("    connector:"))
    place, said = UNSENT[line]
    more = [] if name == "url" else ["    each: {counter: ['1']}"]
    with pytest.raises(CatalogError) as raised:
        load(town="\n".join([*kept[:at], line, *more, *kept[at:]]))
    (fault,) = raised.value.faults
    assert (fault.field, said in fault.message) == (f"sources.counters.{place}", True), fault
    assert "canary" not in str(raised.value)


def test_lists_with_combinations_without_end_are_refused_before_any_is_made(load: Load, right: str) -> None:
    values = str([str(number) for number in range(400)])
    each = f"each: {{counter: {values}, a: {values}, b: {values}, c: {values}}}"
    given = right.replace('each: {counter: ["1", "2"]}', each).replace(
        "fields: {", "constants: {unit: '{a}{b}{c}'}\n    fields: {"
    )
    (fault,) = faults(load, town=given).values()
    assert "stands for 25,600,000,000 combinations, over 100,000" in fault.message


def test_what_lets_nobody_in_may_stand_in_the_file(load: Load, right: str) -> None:
    line = "    query: {format: json, key: P1, pageToken: a}"
    assert load(town=right.replace("    connector:", f"{line}\n    connector:"))
