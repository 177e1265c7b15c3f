"""Whom a dataset concerns: by what it is coded for, where it lies, who publishes it, and what its words name.

Names alone are weak: there are many towns called Neustadt, and a noun is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from civitas_assets.catalog import Box, Tenant
from civitas_assets.catalog.spelling import normalise_spelling
from civitas_assets.discover.dataset import Dataset

_SHORT = 3  # letters: such a name is in many words
_MUCH_LARGER = 6.0  # times the tenant's box: what covers more is of a region, and no sign of the town


@dataclass(frozen=True)
class Relevance:
    """How sure it is that a dataset concerns the tenant: 0 is not at all; `reason` is a few words.

    `doubt` is what somebody has to look at, empty where nothing speaks against it.
    """

    score: int
    reason: str
    doubt: str = ""


NONE = Relevance(0, "nothing of it names the municipality")


def is_own_catalogue(address: str, tenant: Tenant) -> bool:
    """Whether the address of a catalogue names the tenant: all in it is taken for the tenant's then."""
    host = re.sub(r"[^a-z0-9]", "", (urlsplit(address).hostname or "").lower())
    name = re.sub(r"[^a-z0-9]", "", normalise_spelling(get_short_name(tenant.name)))
    return len(name) > _SHORT and name in host


def find_relevance(dataset: Dataset, tenant: Tenant, *, is_own: bool) -> Relevance:
    """How sure it is, by the strongest sign."""
    if tenant.ags in dataset.keys:
        return Relevance(5, f"coded for {tenant.ags}")
    if dataset.keys:
        return Relevance(0, f"coded for others, such as {min(dataset.keys)}")
    if is_own:
        return Relevance(4, "in the municipality's own catalogue")
    if dataset.box is not None and not _overlap(dataset.box, tenant.bbox):
        return Relevance(0, "lies elsewhere")
    return _weigh_names(dataset, tenant)


def _weigh_names(dataset: Dataset, tenant: Tenant) -> Relevance:
    """How sure it is where names and the place are all that there is."""
    names = _names(tenant)
    within = dataset.box is not None and _is_about(dataset.box, tenant.bbox)
    named = _mention(names, [dataset.title, *dataset.keywords])
    said = _mention(names, [dataset.description])
    if _mention(names, [dataset.publisher]):
        return Relevance(4 if within else 3, f"published by {dataset.publisher}")
    if within:
        return Relevance(4 if named else 2, "lies in the tenant's box")
    if named:
        return Relevance(2, "title or keywords name it", f"is {named} this municipality?")
    doubt = f"only the description names {said}: is it about it?"
    return Relevance(1, "description names it", doubt) if said else NONE


def _names(tenant: Tenant) -> list[str]:
    return [name for name in dict.fromkeys([tenant.name, get_short_name(tenant.name)]) if name]


def get_short_name(name: str) -> str:
    """The name as people say it, without what the municipality is."""
    bare = re.sub(r"\s*(\(.*\)|,.*)$", "", name)
    return re.sub(
        r"^(Landeshauptstadt|Hansestadt|Universitätsstadt|Stadt|Gemeinde|Markt|Kreis|Landkreis)\s+", "", bare
    )


def _mention(names: Sequence[str], texts: Sequence[str]) -> str:
    """The first name that is a word of its own in one of the texts."""
    return next(
        (name for name in names for text in texts if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)), ""
    )


def _overlap(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _is_about(box: Box, town: Box) -> bool:
    """Whether a box overlaps the town's and is not of a whole region."""
    size = (box[2] - box[0]) * (box[3] - box[1])
    return _overlap(box, town) and size <= _MUCH_LARGER * (town[2] - town[0]) * (town[3] - town[1])
