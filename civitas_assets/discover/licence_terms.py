"""Licences as catalogues write them: identifiers, addresses and names, and which of ours each is.

Source: the list of licences of DCAT-AP.de, https://www.dcat-ap.de/def/licenses/, and what portals write beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from civitas_assets.catalog.licence import Licence

# What is left of a text without case, blanks and marks begins or ends so; the longer ones go first.
_FORMS: Sequence[tuple[str, Licence]] = (
    (r"dlby(de)?20?|dldeby20?|datenlizenzdeutschland(namensnennung|by)(version)?20?", "dl-de/by-2-0"),
    (r"dlzero(de)?20?|dldezero20?|datenlizenzdeutschlandzero(version)?20?", "dl-de/zero-2-0"),
    (r"cczero(10)?|cc0(10)?(universal)?|cc10|publicdomainzero10|creativecommons(cc)?zero.*", "CC0-1.0"),
    (r"cc(by)?bysa40?|ccbysa40(international)?|licensesbysa40", "CC-BY-SA-4.0"),
    (r"ccby40?(international)?|licensesby40|creativecommons(namensnennung|attribution)40.*", "CC-BY-4.0"),
    (r"ccby30?(de)?|licensesby30(de)?", "CC-BY-3.0"),
    (r"odbl(10)?|odcodbl.*|licensesodbl.*|opendatabaselicen[sc]e.*", "ODbL-1.0"),
    (r"odcpddl.*|pddl(10)?|licensespddl.*", "PDDL-1.0"),
    (r"geonutzv?(20130319)?|geonutzverordnung.*", "GeoNutzV"),
)  # fmt: skip
# Parts of an address that say nothing of the licence.
_BESIDE = {"", "de", "def", "deed", "deed.de", "deed.en", "legalcode", "licence"}
_ENDS = re.compile(r"(deed|legalcode)(de|en)?$")


def find_licence(written: str) -> Licence | None:
    """Which of ours it is; None where it is another, or not said clearly, such as CC BY without a version."""
    plain = written.lower().split("#")[0].split("?")[0]
    address = re.match(r"https?://[^/]+/(.*)", plain)
    if address is not None:
        parts = [part for part in address[1].strip("/").split("/") if part not in _BESIDE]
        tails = ["".join(parts[-number:]) for number in range(len(parts), 0, -1)]
    else:
        tails = [plain]
    for tail in tails:
        bare = _ENDS.sub("", re.sub(r"[^a-z0-9]", "", tail))
        for form, licence in _FORMS:
            if re.fullmatch(form, bare):
                return licence
    return None
