"""Looking at the datasets that concern a tenant: their best forms are fetched and read, until the budget is spent.

What becomes a proposal is decided by `propose`; here is which of them is tried, and what the catalogue adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.licence import LICENCES
from civitas_assets.catalog.vocabulary import Vocabulary
from civitas_assets.discover.asking import MEBIBYTE, Asker, BudgetSpent
from civitas_assets.discover.dataset import Dataset, Distribution
from civitas_assets.discover.dataset_findings import DatasetFinding, State
from civitas_assets.discover.distribution_forms import LAST, score_form
from civitas_assets.discover.licence_terms import find_licence
from civitas_assets.discover.relevance import Relevance
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.ingest.apart import call_apart
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.propose.known_services import build_sample_address
from civitas_assets.propose.naming import About, derive_name
from civitas_assets.propose.proposal import Proposal, propose_source

MOST_BYTES = 32 * MEBIBYTE
_FORMS_OF_ONE = 3  # of a dataset are tried at most


@dataclass
class Looker:
    """Looks for one tenant: `probes` distributions at most are fetched."""

    tenant: Tenant
    asker: Asker
    bounds: ReadLimits
    folder: Path
    vocabulary: Vocabulary
    probes: int
    spent: int = 0
    _names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._names |= {*self.tenant.sources}
        self._configured = {_bare(source.url): name for name, source in self.tenant.sources.items()}

    def look_at(self, catalogue: str, dataset: Dataset, relevance: Relevance) -> DatasetFinding:
        """What came of a dataset: its first form that gives records, else why none does."""
        reasons: list[str] = []
        ranked = _rank(dataset.distributions)
        for one in dataset.distributions:
            if (name := self._configured.get(_bare(one.url))) is not None:
                return self._finding(
                    catalogue, dataset, relevance, one.url, "configured", f"is the source {name}"
                )
        for place, reason, distribution in ranked[:_FORMS_OF_ONE]:
            if reason:
                reasons.append(f"{distribution.url} {reason}")
                continue
            if self.spent >= self.probes:
                detail = f"{self.probes} were fetched already: raise --probes"
                return self._finding(catalogue, dataset, relevance, distribution.url, "not_looked_at", detail)
            try:
                found = self._propose(dataset, distribution, relevance)
            except BudgetSpent as error:
                return self._finding(
                    catalogue, dataset, relevance, distribution.url, "not_looked_at", str(error)
                )
            except FetchError as error:
                reasons.append(str(error))
                continue
            except ReadError as error:
                reasons.append(f"{distribution.url} {error}")
                continue
            return self._proposed(catalogue, dataset, relevance, found, place)
        if not ranked:
            reasons.append("the catalogue names no address of it")
        url = ranked[0][2].url if ranked else ""
        return self._finding(catalogue, dataset, relevance, url, "unread", "; ".join(dict.fromkeys(reasons)))

    def _propose(self, dataset: Dataset, distribution: Distribution, relevance: Relevance) -> Proposal:
        self.spent += 1
        about, url = self._about(dataset, distribution, relevance), distribution.url
        found = self._propose_body(url, about)
        sample = build_sample_address(found.source) if found.probe is None else ""
        return self._propose_body(sample, about) if sample else found

    def _propose_body(self, url: str, about: About) -> Proposal:
        answer = self.asker.fetch_body(url, MOST_BYTES)
        if answer.advice:
            login = f"what the catalogue's address held goes into the block as {'; '.join(answer.advice)}"
            about = replace(about, doubts={**about.doubts, "url": login})
        found: Proposal = call_apart(
            self.bounds,
            propose_source,
            answer.body,
            answer.url,
            self.folder,
            self.vocabulary,
            self.tenant,
            about,
        )
        return found

    def _about(self, dataset: Dataset, distribution: Distribution, relevance: Relevance) -> About:
        """What the catalogue says of it, and what has to be looked at of that."""
        written = distribution.licence or dataset.licence
        licence = find_licence(written)
        doubts: dict[str, str] = {}
        if licence is None:
            said = f"the catalogue says {written!r}" if written else "the catalogue says none"
            doubts["licence"] = f"{said}; which one is it? `proprietary` is for none"
        attribution = distribution.attribution or dataset.attribution or dataset.publisher
        names_somebody = licence is not None and licence not in {"CC0-1.0", "PDDL-1.0", "dl-de/zero-2-0"}
        if names_somebody and not attribution:
            doubts["attribution"] = "whom does the licence ask to be named? The catalogue does not say"
        elif attribution and not (distribution.attribution or dataset.attribution):
            doubts["attribution"] = "the catalogue says who publishes, and not whom to name"
        if relevance.doubt:
            doubts["title"] = relevance.doubt
        return About(
            self._name(dataset),
            dataset.title,
            licence or "proprietary",
            attribution if licence in LICENCES else "",
            doubts,
        )

    def _name(self, dataset: Dataset) -> str:
        """A name for the source that no other has."""
        first = derive_name(re.sub(r"[/?.]+", " ", dataset.title))[:40].strip("_") or "source"
        name, number = first, 2
        while name in self._names:
            name, number = f"{first}_{number}", number + 1
        return name

    def _proposed(
        self, catalogue: str, dataset: Dataset, relevance: Relevance, found: Proposal, place: int
    ) -> DatasetFinding:
        self._names.add(found.name)
        rejected = found.probe.rejected.height if found.probe is not None else 0
        share = found.accepted / max(1, found.accepted + rejected)
        score = relevance.score + 2 * share + (LAST - place) / LAST
        return DatasetFinding(
            catalogue, dataset.identifier, dataset.title, found.source.url, "proposed",
            "; ".join(found.remarks), relevance.reason, found.record_type, found.accepted, rejected,
            round(score, 3), found.name, found.yaml,
        )  # fmt: skip

    def _finding(  # noqa: PLR0917 - as above
        self, catalogue: str, dataset: Dataset, relevance: Relevance, url: str, state: State, detail: str
    ) -> DatasetFinding:
        return DatasetFinding(
            catalogue, dataset.identifier, dataset.title, url, state, detail, relevance.reason
        )


def _rank(distributions: Iterable[Distribution]) -> Sequence[tuple[int, str, Distribution]]:
    """With place and reason; what is looked at first, first."""
    judged = [(*score_form(one), one) for one in distributions]
    return sorted(judged, key=lambda each: (bool(each[1]), each[0]))


def _bare(url: str) -> str:
    """An address without what does not tell files apart."""
    return re.sub(r"^https?://", "", url).rstrip("/")


def order_datasets(found: Iterable[tuple[Dataset, Relevance]]) -> list[tuple[Dataset, Relevance]]:
    """Those that concern the tenant, the surest first, and of these those whose forms are easiest to read."""

    def place(each: tuple[Dataset, Relevance]) -> tuple[int, int, str]:
        ranked = _rank(each[0].distributions)
        first = LAST + 1 if not ranked or ranked[0][1] else ranked[0][0]
        return -each[1].score, first, each[0].identifier

    return sorted((each for each in found if each[1].score), key=place)


def count_reasons(findings: Iterable[DatasetFinding]) -> Mapping[str, int]:
    """How many were not read for which reason, without what is different in each; the most frequent first."""
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.state == "unread":
            reason = (
                re.sub(r"https?://\S+\s?", "", finding.detail.partition("; ")[0]).strip() or finding.detail
            )
            counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
