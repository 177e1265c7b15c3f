"""A proposal for a body: the first draft that reads it, as YAML, with what came of reading it.

Fetching the body is not done here.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from civitas_assets.catalog import Box, Source, Tenant
from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.connectors.pagination.next_pages import ROLE
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import UNFORESEEN, ReadError
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.ingest.probe import Probe, read_sample
from civitas_assets.propose.crs_detection import GERMANY
from civitas_assets.propose.draft import Draft
from civitas_assets.propose.drafting import list_drafts
from civitas_assets.propose.forms import detect_form
from civitas_assets.propose.known_services import add_service, detect_service
from civitas_assets.propose.naming import UNKNOWN, About, derive_name, derive_title
from civitas_assets.propose.sample import FEATURE_ID, Sample, shorten_names
from civitas_assets.propose.settings_values import list_texts, to_tuples
from civitas_assets.propose.standards import Standard
from civitas_assets.propose.writing import render_source_block

_PLACE = "https://SERVER.example/PATH"
_FEW = 0.3  # of the rows: a draft that is rejected no more is believed
_FAILING = 0.05  # of the rows: a field that fails more often is left out


@dataclass(frozen=True)
class Proposal:
    """The block for a tenant's file, and what it makes of the sample.

    `source` is what the block says. `unused` are columns that nothing was made of, `remarks` what else has to be
    said. A document that only leads to others is not read: then there is no `probe`, and `leads_on` says whether the
    source can be asked as it stands.
    """

    name: str
    yaml: str
    record_type: str
    rows: int
    source: Source
    probe: Probe | None
    unused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    leads_on: bool = False

    @property
    def accepted(self) -> int:
        """How many records of the record type there are."""
        return 0 if self.probe is None else self.count_accepted(self.probe)

    def count_accepted(self, probe: Probe) -> int:
        """How many there are in what was read; of a standard, of all that it brings."""
        found = probe.records.items()
        return sum(records.height for name, records in found if self.record_type in {name, ""})


def propose_source(  # noqa: PLR0917 - each argument is of another type
    body: bytes,
    address: str,
    folder: Path,
    vocabulary: Vocabulary,
    tenant: Tenant | None = None,
    about: About = UNKNOWN,
) -> Proposal:
    """What a body from this address, or file, seems to be, as a source that says what is known `about` it besides.

    Raises:
        ReadError: no connector reads it, or nothing in it is recognised; the sentence says why.
    """
    # Whatever a file may hold, people get a sentence.
    found, fault = capture_errors(
        f"proposal for {address}",
        lambda: _proposed(body, address, folder, vocabulary, tenant, about),
        level=logging.DEBUG,
    )
    if found is None:
        why = str(fault)
        if fault is not None and fault.code == UNFORESEEN:
            why = f"is not understood, map it by hand: {why.removeprefix(UNFORESEEN).lstrip()}"
        raise ReadError(why)
    return found


def _proposed(  # noqa: PLR0917 - as above
    body: bytes, address: str, folder: Path, vocabulary: Vocabulary, tenant: Tenant | None, about: About
) -> Proposal:
    box: Box = tenant.bbox if tenant is not None else GERMANY
    owner = tenant or make_sample_tenant()
    url = address if re.match("https?://", address) else ""
    trial = _Trial(about.name or derive_name(address), body, url, folder, owner, about)
    form = detect_service(trial.address) or detect_form(body, trial.address, box, vocabulary)
    if isinstance(form, Standard):
        return trial.standard(form)
    form = add_service(form, trial.address)
    best: Proposal | None = None
    for draft in list_drafts(form, box, address, vocabulary):
        found = trial.draft(draft)
        if found is not None and (best is None or found.accepted > best.accepted):
            best = found
        if found is not None and found.accepted and _rejected(found) <= max(1, _FEW * form.rows):
            best = found
            break
    if best is None:
        names = shorten_names((column.name for column in form.columns), 20)
        raise ReadError(
            f"has {form.rows} row(s) with {names}, but what they are is not recognised: map them by hand "
            f"with connector: {form.connector}{_hint(form)}"
        )
    return best


def make_sample_tenant() -> Tenant:
    """A tenant for proposals without one: somewhere in Germany."""
    return Tenant.model_validate({"name": "Sample", "ags": "00000000", "bbox": GERMANY}).with_key("sample")


def _rejected(proposal: Proposal) -> int:
    return proposal.probe.rejected.height if proposal.probe is not None else 0


def _hint(sample: Sample) -> str:
    """Why it may be, in a few words."""
    said = [*sample.remarks]
    unread = [column.name for column in sample.columns if column.looks_like_number and not column.is_number]
    if unread:
        said.append(f"commas between thousands, as in 1,234, are not read: {shorten_names(unread)}")
    return f" ({'; '.join(said)})" if said else ""


@dataclass(frozen=True)
class _Trial:
    """What is the same for all tries at a body."""

    name: str
    body: bytes
    address: str
    folder: Path
    tenant: Tenant
    about: About

    @property
    def known(self) -> dict[str, str]:
        """The settings that are known without looking at the body."""
        said = {"title": self.about.title or derive_title(self.name), "licence": self.about.licence}
        return said | ({"attribution": self.about.attribution} if self.about.attribution else {})

    @property
    def doubts(self) -> dict[str, list[str]]:
        """What has to be looked at of them."""
        return {setting: [text] for setting, text in self.about.doubts.items()}

    def draft(self, draft: Draft) -> Proposal | None:
        """What a draft reads; without the fields whose values cannot be what they would fill."""
        sample = draft.sample
        while True:
            settings, doubts = self._whole(draft)
            source = self._source(sample.connector, settings)
            if source is None:
                return None
            # A page that the source follows is no answer that calls itself a part.
            role = ROLE if getattr(source, "next", None) else "data"
            probe = read_sample(
                self.tenant, source, CONNECTORS[sample.connector], self.body, self.folder, role
            )
            failing = _failing(draft, probe)
            if failing is None:
                break
            name, count, example = failing
            column = draft.fields.pop(name)
            draft.settings["fields"] = {
                key: part for key, part in draft.settings["fields"].items() if key != name
            }
            draft.settings.get("codes", {}).pop(name, None)
            draft.note_doubt(
                "fields",
                f"{name}: {column} is left out, since {count} row(s) have no such value, as {example!r}",
            )
        used = {*list_texts(settings)}
        unused = tuple(
            column.name
            for column in sample.columns
            if column.name not in {*used, FEATURE_ID}
            and not _matched(settings, column.name)
            and "rest" not in settings
        )
        return Proposal(
            self.name, render_source_block(self.name, settings, doubts), draft.record_type, sample.rows, source, probe,
            unused, tuple(sample.remarks),
        )  # fmt: skip

    def standard(self, form: Standard) -> Proposal:
        """What a document of a standard becomes; it is read if it holds records itself."""
        doubts = self.doubts | {setting: [text] for setting, text in form.doubts.items()}
        settings: dict[str, Any] = {
            **self.known, "connector": form.connector, "url": form.url or _PLACE, **form.settings,
        }  # fmt: skip
        if not form.url and "url" not in doubts:
            doubts["url"] = ["where is it fetched from?"]
        if form.url == "-":  # a service whose address is known
            del settings["url"]
        if form.connector == "ogc_features":
            settings |= {"record_type": "place", "fields": {}, "feature_id": "place_id"}
            doubts["record_type"] = ["its features were not seen yet"]
            settings.setdefault("collection", "?")
        source = self._source(form.connector, settings)
        if source is None:
            raise ReadError(f"is {form.what}: see docs/connectors/{form.connector}.md")
        probe = None
        if form.role:
            reader = CONNECTORS[form.connector]
            probe = read_sample(
                self.tenant, source, reader, self.body, self.folder, form.role, form.variables
            )
        remarks = (f"this is {form.what}", *filter(None, [form.advice]))
        leads_on = bool(form.url) and form.connector != "ogc_features"
        return Proposal(
            self.name,
            render_source_block(self.name, settings, doubts),
            "",
            0,
            source,
            probe,
            (),
            remarks,
            leads_on,
        )

    def _source(self, connector: str, settings: Mapping[str, Any]) -> Source | None:
        try:
            model = CONNECTORS[connector].source_model
            return model.model_validate(to_tuples(settings)).with_place(self.name, self.tenant.bbox)
        except ValidationError:
            return None

    def _whole(self, draft: Draft) -> tuple[dict[str, Any], Mapping[str, Sequence[str]]]:
        settings: dict[str, Any] = {
            **self.known,
            "connector": draft.sample.connector,
            "url": draft.sample.url or self.address or _PLACE,
            **draft.settings,
        }
        doubts = {**self.doubts, **draft.doubts}
        if not self.address:
            doubts["url"] = ["where is it fetched from?"]
        model = CONNECTORS[draft.sample.connector].source_model
        used = {*list_texts(settings)}
        left = any(column.name not in {*used, FEATURE_ID} for column in draft.sample.columns)
        if left and "rest" in model.model_fields and "attributes" in draft.contract.accepted:
            settings["rest"] = "attributes"
        return settings, doubts


def _failing(draft: Draft, probe: Probe) -> tuple[str, int, str] | None:
    """An optional field that costs rows: its name, how many, and an example."""
    contract, rejected = draft.contract, probe.rejected
    needed = {column.name for column in contract.columns if column.required} | {*contract.key}
    left = {*draft.fields} - needed
    measures = left & {*contract.measures}
    counts = Counter(
        name
        for name in rejected["field"].to_list()
        if name in left and (name not in measures or len(measures) > 1)
    )
    if not counts:
        return None
    name, count = counts.most_common(1)[0]
    if count <= max(1, _FAILING * draft.sample.rows):
        return None
    detail = next((d for f, d in rejected.select("field", "detail").iter_rows() if f == name and d), "")
    return name, count, str(detail)[:40]


def _matched(settings: Mapping[str, Any], column: str) -> bool:
    unpivot = settings.get("unpivot")
    return (column == FEATURE_ID and "feature_id" in settings) or (
        unpivot is not None and re.fullmatch(unpivot["columns"], column) is not None
    )
