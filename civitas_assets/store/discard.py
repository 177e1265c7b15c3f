"""Answers that are kept until they were read, and no longer: landing is let go up to there."""

from __future__ import annotations

import msgspec

from civitas_assets.store.horizon import Horizon, read_horizon
from civitas_assets.store.landing import SourceLanding
from civitas_assets.store.layout import horizon_key
from civitas_assets.store.stores import Stores


def discard_read(stores: Stores, tenant: str, source: str) -> None:
    """Let go of all bodies of a source that were read; those that could not be read yet stay, to be tried again.

    How far that reaches is noted first, so that records that were made of them are carried over where landing is read
    again. The caller holds the tenant's lock.
    """
    files, landing = stores.files, SourceLanding(stores.files, tenant, source)
    progress, before = stores.journal.read_progress(source), read_horizon(stores.files, tenant, source)
    kept, until = {line.sha256 for line in progress.failed}, before.until
    for manifest in landing.list_manifests(after=before.through):
        if manifest.name > progress.manifest:
            kept |= {line.sha256 for line in manifest.lines}
        else:
            until = max([*filter(None, [until]), *(line.fetched_at for line in manifest.lines)], default=None)
    going = sorted(landing.list_sizes().keys() - kept)
    if going:
        after = Horizon(max(before.through, progress.manifest), until)
        files.write(horizon_key(tenant, source), msgspec.json.encode(after))
        landing.remove(going)
