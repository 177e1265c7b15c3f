"""Which record type a sample may hold, and which of its columns fills which field: settings of a source, with doubts.

Whether they read the sample is tried in `proposal.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from civitas_assets.catalog import Box
from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.propose.concept_vocabulary import ProposedType, list_kinds
from civitas_assets.propose.concepts import assign_concepts, has_hour, select_measures, select_times
from civitas_assets.propose.crs_detection import Located, detect_crs
from civitas_assets.propose.draft import TABULAR, Draft
from civitas_assets.propose.identity import identify
from civitas_assets.propose.sample import Sample, shorten_names
from civitas_assets.propose.sample_columns import SampleColumn
from civitas_assets.propose.series_columns import derive_pattern, is_measured, name_columns
from civitas_assets.propose.table_samples import select_year_columns
from civitas_assets.propose.timing import propose_time_rule

_POSITIONS = (("lon", "lat"), ("x", "y"))
# What any record may have.
_COMMON = ("id", "lon", "lat", "x", "y", "geometry", "time", "period")
_OBSERVATION = next(kind for kind in list_kinds() if kind.name == "observation")
_STATISTIC = next(kind for kind in list_kinds() if kind.name == "statistic")


def list_drafts(sample: Sample, box: Box, hint: str, vocabulary: Vocabulary) -> Iterator[Draft]:
    """What the sample may be, the likeliest first; `hint` is its address or file name."""
    text = _words(sample, hint)
    years = select_year_columns(sample.columns) if sample.connector in TABULAR else []
    if years:
        yield _by_year(sample, years)
    for kind in list_kinds():
        concepts = _with_time(assign_concepts(sample.columns, {*kind.fields.values(), *_COMMON}), sample)
        there = {*concepts} | ({"geometry"} if sample.points else set())
        if sample.shapes and not any("Point" in shape for shape in sample.shapes):
            there |= {"area shapes"}  # lines and outlines, which are no places that people go to
        fits = all(there & {*one} for one in kind.needs)
        if fits and (not kind.words or any(word in text for word in kind.words)):
            draft = _mapped(kind, sample, concepts, box, vocabulary)
            if draft is not None:
                yield draft
    concepts = _with_time(
        assign_concepts(sample.columns, {"time", "station", "id", "name", *_COMMON}), sample
    )
    wide = select_measures(sample.columns, concepts)
    if sample.connector not in TABULAR:  # members that are numbers may be anything
        wide = sorted(wide, key=lambda column: not is_measured(column.name, vocabulary))
        wide = wide if wide and is_measured(wide[0].name, vocabulary) else []
    if wide and "time" in concepts:
        yield _wide(sample, concepts, wide, vocabulary)


def _words(sample: Sample, hint: str) -> str:
    names = [column.name for column in sample.columns]
    values = [text for column in sample.columns if not column.is_number for text in column.texts[:3]]
    return " ".join([hint, *names, *values]).lower()


def _with_time(concepts: dict[str, SampleColumn], sample: Sample) -> dict[str, SampleColumn]:
    """The concepts, and a column of times for that of the event, whatever it is called and wherever it stands."""
    if "time" in concepts:
        return concepts
    taken = {column.name for column in concepts.values()}
    within = [column for column in select_times(sample.columns) if column.name not in taken]
    beside = [column for column in select_times(sample.outside) if sample.reached and has_hour(column)]
    found = next((column for column in [*filter(has_hour, within), *beside, *within]), None)
    return concepts if found is None else {**concepts, "time": found}


def _begun(kind: ProposedType, sample: Sample, concepts: Mapping[str, SampleColumn]) -> Draft:
    doubts = {setting: [text] for setting, text in sample.doubts.items()}
    return Draft(kind, sample, concepts, {**sample.settings}, doubts)


def _mapped(
    kind: ProposedType, sample: Sample, concepts: Mapping[str, SampleColumn], box: Box, vocabulary: Vocabulary
) -> Draft | None:
    """The settings of records of a kind; None where rows could not be told apart."""
    draft = _begun(kind, sample, concepts)
    for name, concept in kind.fields.items():
        column = concepts.get(concept)
        if column is not None and name in draft.contract.accepted:
            draft.take(name, column)
    _place(draft, box)
    if not identify(draft, vocabulary) or not propose_time_rule(draft):
        return None
    draft.finish()
    return draft


def _wide(
    sample: Sample,
    concepts: Mapping[str, SampleColumn],
    series: Sequence[SampleColumn],
    vocabulary: Vocabulary,
) -> Draft:
    """The settings of a table with a column per series."""
    draft = _begun(_OBSERVATION, sample, concepts)
    if sample.connector in TABULAR and len(series) > 1:
        draft.settings["unpivot"] = {"columns": derive_pattern([column.name for column in series])}
        draft.note_doubt("unpivot", "every column of numbers becomes a series")
        draft.used.extend(series)
        name_columns(draft, [column.name for column in series], vocabulary)
        station = concepts.get("station") or concepts.get("name")
        if station is not None:
            draft.take("station_id", station)
            if len({*station.texts}) > 1:
                draft.note_doubt(
                    "unpivot",
                    f"series of all stations would have one id: fetch one file per {station.name}, or a long table",
                )
    else:
        draft.take("value", series[0])
        if "id" in concepts:
            draft.take("datastream_id", concepts["id"])
        if len(series) > 1:
            others = shorten_names((column.name for column in series[1:]), 20)
            draft.note_doubt("fields", f"one source for each quantity; the others are {others}")
        if "station" in concepts:
            draft.take("station_id", concepts["station"])
        identify(draft, vocabulary)
    propose_time_rule(draft)
    draft.finish()
    return draft


def _by_year(sample: Sample, years: Sequence[SampleColumn]) -> Draft:
    """The settings of a table of figures with a column per year."""
    others = [column for column in sample.columns if column not in years]
    concepts = assign_concepts(others, {*_STATISTIC.fields.values()})
    draft = _begun(_STATISTIC, sample, concepts)
    for name, concept in _STATISTIC.fields.items():
        if concept in concepts and name != "value":
            draft.take(name, concepts[concept])
    texts = [c for c in others if c.texts and not c.is_number and c.name not in draft.fields.values()]
    for needed in ("area_id", "indicator_id", "category"):
        what = needed.partition("_")[0]
        if needed not in draft.fields and texts and needed != "category":
            draft.fields[needed] = texts.pop(0).name
            draft.note_doubt("fields", f"does {draft.fields[needed]} say the {what}?")
        elif needed not in draft.fields:
            draft.set_constant(needed, "?")
            draft.note_doubt("constants", f"nothing in it says the {what}")
    draft.settings["unpivot"] = {"columns": r"(?P<Jahr>(?:19|20)\d\d)"}
    draft.settings["time"] = {"column": "Jahr", "zone": "local_wall", "format": "period"}
    draft.used.extend(years)
    draft.finish()
    return draft


def _place(draft: Draft, box: Box) -> None:
    position, sample, concepts = draft.contract.position, draft.sample, draft.concepts
    if position is None:
        return
    geometry = concepts.get("geometry") or next((c for c in sample.columns if c.is_geometry), None)
    pairs = ((concepts[x], concepts[y]) for x, y in _POSITIONS if {x, y} <= concepts.keys())
    pair = next(pairs, None)
    if sample.points:
        found = detect_crs(sample.points, box, sample.crs)
    elif geometry is not None:
        found = detect_crs(geometry.points, box, sample.crs)
    elif pair is not None:
        found = _of_pair(draft, pair, box)
    else:
        return
    if found is None:
        draft.note_doubt("position", "no reference system brings the positions near the tenant: left out")
        return
    if found.crs != "EPSG:4326":
        draft.settings["crs"] = found.crs
        if found.others:
            draft.note_doubt("crs", f"{', '.join(found.others)} would fit as well")
    if sample.points:
        return
    if geometry is not None:
        draft.fields["geometry"] = geometry.name
        draft.used.append(geometry)
    elif pair is not None:
        x, y = reversed(pair) if found.swapped else pair
        draft.fields |= dict(zip(position, (x.name, y.name), strict=True))
        draft.used.extend(pair)
        if found.swapped:
            draft.note_doubt("fields", f"{x.name} and {y.name} are the other way round than their names say")


def _of_pair(draft: Draft, pair: tuple[SampleColumn, SampleColumn], box: Box) -> Located | None:
    """Where two columns of coordinates lie; 51.962 is degrees there, and 405.736 may be metres."""
    x, y = pair
    for first, second in ((x.decimals, y.decimals), (x.numbers, y.numbers)):
        found = detect_crs(tuple(zip(first, second, strict=False)), box, draft.sample.crs)
        if found is not None:
            if (first, second) == (x.decimals, y.decimals):
                draft.degrees += pair
            return found
    return None
