"""A register of trees through the whole chain, into both destinations, beside one mapped to places as before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from civitas_assets.publish.query import ask_tables
from tests.integration.conftest import CivitasIn, Server, Workplace

HEAD = "id;nr;botanisch;art;jahr;hoehe;umfang;wo;gefaellt;x;y\n"
LINDEN = "b1;1;Tilia cordata;Winter-Linde;1965;0;1,20;Straße;;9,10;50,10\n"
OAK = "b2;1;Quercus robur;Stiel-Eiche;9999;10-15 m;95 cm;Friedhof;2026-07-01;9,11;50,10\n"
MAPLE = "b3;2;Acer campestre;Feld-Ahorn;2011;7,5;0;Straße;;9,12;50,10\n"
TENANT = """
name: Baumstadt
ags: "99000096"
bbox: [9.0, 50.0, 9.2, 50.2]
destination: [duckdb, postgres]
sources:
  trees:
    title: Baumkataster
    connector: csv
    licence: CC0-1.0
    url: "{root}/trees.csv"
    delimiter: ";"
    decimal: ","
    snapshot: true
    record_type: tree
    fields:
      tree_id: id
      tree_number: nr
      species: botanisch
      species_common: art
      planted_year: jahr
      height_m: hoehe
      trunk_circumference_cm: umfang
      location_type: wo
      felled_on: gefaellt
      lon: x
      lat: "y"
    units: {{trunk_circumference_cm: m}}
    codes: {{location_type: {{Straße: street, Friedhof: cemetery}}}}
  before:
    title: Bäume als Orte
    connector: csv
    licence: CC0-1.0
    url: "{root}/trees.csv"
    delimiter: ";"
    decimal: ","
    record_type: place
    fields: {{place_id: id, category: art, lon: x, lat: "y"}}
"""


def test_trees_are_published_and_those_that_a_register_has_no_more_are_gone(
    workplace: Workplace,
    serve: Callable[[dict[str, bytes | None]], Server],
    postgres_url: str,
    command_in: CivitasIn,
) -> None:
    server = serve({"/trees.csv": (HEAD + LINDEN + OAK + MAPLE).encode()})
    workplace.write_tenant("baumstadt", TENANT.format(root=server.url))
    workplace.postgres_url = postgres_url
    assert not workplace.run("baumstadt").errors
    said = (
        "select tree_id, tree_number, species, planted_year, height_m, height_class, trunk_circumference_cm, "
        "location_type, felled_on::varchar, round(lon::numeric, 2)::float8 from tree order by tree_id"
    )

    def ask(kind: Any, query: str) -> list[tuple[Any, ...]]:
        return [*ask_tables(workplace.settings, "baumstadt", query, 9, destination=kind).rows]

    for kind in ("duckdb", "postgres"):
        assert ask(kind, said) == [
            ("b1", "1", "Tilia cordata", 1965, None, None, 120.0, "street", None, 9.1),
            ("b2", "1", "Quercus robur", None, None, "10-15 m", 95.0, "cemetery", "2026-07-01", 9.11),
            ("b3", "2", "Acer campestre", 2011, 7.5, None, None, "street", None, 9.12),
        ]
        assert ask(kind, "select count(*) from place") == [(3,)]

    server.pages["/trees.csv"] = (HEAD + LINDEN + MAPLE).encode()
    assert not workplace.run("baumstadt").errors
    for kind in ("duckdb", "postgres"):
        assert ask(kind, "select tree_id from tree order by tree_id") == [("b1",), ("b3",)]
        assert ask(kind, "select count(*) from place") == [(3,)], "of which nobody says that it is whole"

    # Whoever maps such places to trees as well reads once more what has come.
    file = workplace.settings.tenants_dir / "baumstadt.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "record_type: place", "id_space: old\n    record_type: tree"
    )
    file.write_text(text.replace("place_id: id, category: art", "tree_id: id, genus: art"), encoding="utf-8")
    days = ("--from", "2026-01-01", "--to", "2027-12-31")
    done = command_in(workplace)("replay", "baumstadt", "--source", "before", *days, "--yes")
    assert done.exit_code == 0, done.output
    for kind in ("duckdb", "postgres"):
        assert ask(kind, "select source, count(*) from tree group by source order by source") == [
            ("before", 3),
            ("trees", 2),
        ]
        assert ask(kind, "select count(*) from place") == [(0,)]
