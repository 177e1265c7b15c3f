"""Walking through a catalogue: which kind it is, and part after part of what it has found, to its end.

Answers are read in a child, since they are whatever somebody has written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from civitas_assets.catalog import HttpPolicy
from civitas_assets.discover.asking import Asker, BudgetSpent
from civitas_assets.discover.dataset import Dataset, Page
from civitas_assets.discover.kinds import ckan, csw, dcat_rdf, ogc_records, opendatasoft, socrata
from civitas_assets.errors import FetchError, ReadError
from civitas_assets.ingest.apart import call_apart
from civitas_assets.ingest.bounds import ReadLimits
from civitas_assets.ingest.given import parse_url_request

# In the order in which an address is tried; each has NAME, list_addresses and read_page.
KINDS: Sequence[ModuleType] = (ckan, dcat_rdf, ogc_records, opendatasoft, csw, socrata)
_MOST_PAGES = 500


@dataclass
class Catalogue:
    """What was found in one: its kind, its datasets in order, and what is wrong with how it answered."""

    address: str
    kind: str
    datasets: list[Dataset] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def search_catalogue(asker: Asker, bounds: ReadLimits, address: str, term: str) -> Catalogue:
    """All datasets of a catalogue, or those that it finds for the term where it can be searched.

    Raises:
        FetchError: nothing that a catalogue would answer was answered; the sentence says what was tried.
    """
    if parse_url_request(address, HttpPolicy()).advice:
        bare = parse_url_request(address, HttpPolicy()).source.url
        raise FetchError(
            f"{bare} is asked without a login: leave name, password and token out of the address"
        )
    kind, first, page = _find_kind(asker, bounds, address, term)
    found, seen = Catalogue(address, kind.NAME), {first}
    known: set[str] = set()
    for part in _walk(asker, bounds, kind, page, seen, found):
        for dataset in part.datasets:
            if dataset.identifier not in known:
                known.add(dataset.identifier)
                found.datasets.append(dataset)
    if page.total is not None and page.total != len(known) and not found.notes:
        found.notes.append(f"says that there are {page.total:,} datasets, and gave {len(known):,}")
    return found


def _find_kind(asker: Asker, bounds: ReadLimits, address: str, term: str) -> tuple[ModuleType, str, Page]:
    """The kind whose first answer can be read; the address itself is looked at first."""
    tried: list[str] = []
    bodies: dict[str, bytes] = {}
    candidates = [(kind, url) for kind in KINDS for url in kind.list_addresses(address, term)]
    candidates.sort(key=lambda pair: pair[1] != address)
    for kind, url in candidates:
        try:
            if url not in bodies:
                bodies[url] = asker.fetch_body(url).body
            return kind, url, call_apart(bounds, kind.read_page, bodies[url], url)
        except BudgetSpent:
            raise
        except FetchError as error:
            bodies[url] = b""
            tried.append(str(error))
        except ReadError as error:
            tried.append(f"{url} {error}")
    names = ", ".join(kind.NAME for kind in KINDS)
    raise FetchError(f"{address} is no catalogue of a kind that is known ({names}): {'; '.join(tried[:4])}")


def _walk(  # noqa: PLR0917 - each argument is of another type
    asker: Asker, bounds: ReadLimits, kind: ModuleType, page: Page, seen: set[str], found: Catalogue
) -> Iterator[Page]:
    """The parts, to the end; what ends it early is noted, and what came before is kept."""
    yield page
    while page.following:
        url = page.following
        if url in seen or len(seen) >= _MOST_PAGES:
            found.notes.append(f"its parts lead in a circle, or are over {_MOST_PAGES}: ended at {url}")
            return
        seen.add(url)
        try:
            page = call_apart(bounds, kind.read_page, asker.fetch_body(url, attempts=3).body, url)
        except (FetchError, ReadError) as error:
            found.notes.append(f"ended early: {error}")
            return
        yield page
