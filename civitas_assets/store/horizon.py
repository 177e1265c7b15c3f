"""How far the landing of a source has been let go, and what of it manifests and notes still hold.

What goes by that is decided in `retention.py` and `discard.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime

import msgspec

from civitas_assets.store.files import Files
from civitas_assets.store.landing import Manifest, SourceLanding
from civitas_assets.store.layout import horizon_key
from civitas_assets.store.repeats import Repeats
from civitas_assets.store.stored_record import read_state


class Horizon(msgspec.Struct, frozen=True):
    """How far a source's landing has been let go.

    Of manifests up to `through`, fetched until `until`, landing holds no more than the last body of each address, which
    are `latest`. `going` are bodies that may be half-way gone.
    """

    through: str = ""
    until: datetime | None = None
    latest: dict[str, str] = {}
    going: tuple[str, ...] = ()


def read_horizon(files: Files, tenant: str, source: str) -> Horizon:
    """How far a source's landing has been let go; not at all where nothing says so."""
    return read_state(files, horizon_key(tenant, source), Horizon) or Horizon()


def list_standing_bodies(landing: SourceLanding, latest: Mapping[str, str], through: str) -> Iterator[str]:
    """The bodies that were their addresses' last ones at the horizon, but for those that nobody has seen since."""
    known = landing.read_addresses() if latest else {}
    for url, digest in latest.items():
        now = known.get(url)
        if now is None or now.before != digest or not "" < now.before_in <= through:
            yield digest


def list_old_manifests(
    landing: SourceLanding, through: str, read: str, limit: datetime
) -> Iterator[Manifest]:
    """Manifests after the horizon that are old: read, and fetched before the limit, as all before them."""
    for manifest in landing.list_manifests(after=through):
        if manifest.name > read or any(line.fetched_at >= limit for line in manifest.lines):
            return
        yield manifest


def find_known_repeats(landing: SourceLanding, through: str, old: Set[str], *, dry_run: bool) -> Repeats:
    """The bodies that came again after the horizon.

    Where that is not noted, as older versions did not, all manifests behind it are read once.
    """
    known = landing.read_repeats()
    if known is None or known.since > through:
        last, named = dict[str, str](), set(old)
        for manifest in landing.list_manifests(after=through):
            stored = {line.sha256 for line in manifest.lines if line.state == "stored"}
            last |= dict.fromkeys(stored & named, manifest.name)
            named |= stored
        repeats = Repeats(through, last)
    else:
        last = {digest: name for digest, name in known.last.items() if name > through}
        repeats = known if len(last) == len(known.last) else Repeats(known.since, last)
    if repeats != known and not dry_run:
        landing.write_repeats(repeats)
    return repeats
