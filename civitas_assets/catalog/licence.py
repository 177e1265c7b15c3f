"""Under which licence the data of a source are, what that asks for, and whether its rows are given to others.

Which licence is whose is said in tenants' files; how it is applied is in the packages `publish` and `export`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from civitas_assets.catalog.basis import Model

Licence = Literal[
    "dl-de/by-2-0", "dl-de/zero-2-0", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-4.0", "ODbL-1.0", "PDDL-1.0",
    "GeoNutzV", "proprietary", "unknown",
]  # fmt: skip

CHANGED = (
    "Changed: names, units, times, positions and quality marks were harmonised; not the publisher's own form."
)


@dataclass(frozen=True)
class LicenceTerms:
    """What a licence says: where it is stated, whether anybody may have the data, and whether it binds what is made."""

    address: str = ""
    is_open: bool = True
    share_alike: bool = False

    def build_notice(self, licence: str) -> str:
        """What has to be said beside the data: that they were changed, and what binds whoever passes them on."""
        if not self.is_open:
            return f"{CHANGED} Not open: ask the publisher before passing anything on."
        if self.share_alike:
            return f"{CHANGED} Share-alike: what is made of it and passed on is under {licence}, too."
        return CHANGED


_CC = "https://creativecommons.org"
LICENCES: Mapping[str, LicenceTerms] = {
    "dl-de/by-2-0": LicenceTerms("https://www.govdata.de/dl-de/by-2-0"),
    "dl-de/zero-2-0": LicenceTerms("https://www.govdata.de/dl-de/zero-2-0"),
    "CC0-1.0": LicenceTerms(f"{_CC}/publicdomain/zero/1.0/"),
    "CC-BY-3.0": LicenceTerms(f"{_CC}/licenses/by/3.0/"),
    "CC-BY-4.0": LicenceTerms(f"{_CC}/licenses/by/4.0/"),
    "CC-BY-SA-4.0": LicenceTerms(f"{_CC}/licenses/by-sa/4.0/", share_alike=True),
    "ODbL-1.0": LicenceTerms("https://opendatacommons.org/licenses/odbl/1-0/", share_alike=True),
    "PDDL-1.0": LicenceTerms("https://opendatacommons.org/licenses/pddl/1-0/"),
    "GeoNutzV": LicenceTerms("https://www.gesetze-im-internet.de/geonutzv/"),
    "proprietary": LicenceTerms(is_open=False),
    "unknown": LicenceTerms(is_open=False),
}


def find_terms_of_licence(licence: str | None) -> LicenceTerms:
    """What a licence says; one that nobody knows, or that nobody has said, is not open."""
    return LICENCES.get(licence or "", LICENCES["unknown"])


class Licensed(Model):
    """What is licensed: under what, by whom, and whether its rows go to others."""

    licence: Licence = Field(description="Licence of the data.")
    attribution: str | None = Field(None, description="Whom the licence asks to be named.")
    shareable: bool | None = Field(
        None,
        description="Whether its rows may be in the commons and in exports; default: as its licence is open. What is "
        "proprietary or unknown needs true, and with it the publisher's consent.",
    )

    @property
    def is_shareable(self) -> bool:
        """Whether its rows may be given to others."""
        return find_terms_of_licence(self.licence).is_open if self.shareable is None else self.shareable


def combine_notices(licences: Iterable[str]) -> str:
    """What has to be said where rows of these licences are together; empty where nothing has to."""
    found = {*licences}
    alike = sorted(name for name in found if find_terms_of_licence(name).share_alike)
    if not alike or len(found) < 2:
        return ""
    others = ", ".join(sorted(found - {alike[0]}))
    return (
        f"Rows under {alike[0]}, which is share-alike, are together with rows under {others}: whoever passes a work "
        f"made of both on owes the terms of {' and '.join(alike)}, and keeps rows apart that cannot be under them."
    )
