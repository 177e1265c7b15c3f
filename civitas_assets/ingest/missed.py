"""Which days a source is asked for: its look-back and the days of nights that were missed; and which are missing still.

What is asked and what comes is in `fetch.py` and `session.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from civitas_assets.catalog import Source, Window
from civitas_assets.errors import Note
from civitas_assets.store.landing import Answered

DAYS_MISSING = "days_missing"
_DAY = timedelta(days=1)


def choose_window(source: Source, answered: Answered, now: datetime, zone: ZoneInfo) -> Window:
    """The days that a source is asked for unless a run says otherwise.

    Nights that did not answer all of its look-back are made up for, as far back as its `catch_up`. A source that is
    fetched more often than nightly is asked for all of that once a day, until it has answered it, and for the rest of
    the day only for what is new since.
    """
    whole = Window.from_lookback(source.look_back, now, zone)
    if source.cadence != "nightly" and answered.whole_on == whole.last:
        return Window(whole.last, whole.last)
    if answered.whole_on is None or not source.asks_for_days:
        return whole
    # What the first night that was missed would have asked for.
    first = answered.whole_on + _DAY - timedelta(days=source.look_back.days)
    bound = whole.last - timedelta(days=source.catch_up.days)
    return Window(min(whole.first, max(first, bound)), whole.last)


def find_missing_days(
    source: Source, answered: Answered, window: Window, *, whole: bool
) -> tuple[tuple[date, date], ...]:
    """The spans of days that nobody has asked for, once the source has answered all of a window.

    With `whole`, that window was its look-back or more: days between it and the last one before are missing. The day of
    an answer itself counts as missing, because it was not over.
    """
    if not source.asks_for_days:
        return ()
    spans = [*answered.missing]
    if whole and answered.whole_on is not None and answered.whole_on < window.first:
        spans.append((answered.whole_on, window.first - _DAY))
    return tuple(_joined(part for span in spans for part in _without(span, window)))


def note_missing_days(tenant: str, source: str, spans: Sequence[tuple[date, date]]) -> Note:
    """The note on days that are missing, with the command that asks for them."""
    days = ", ".join(f"{first} to {last}" for first, last in spans)
    first, last = spans[0]
    return Note(
        DAYS_MISSING,
        f"nobody has asked for the days {days}, since nights were missed for longer than catch_up: "
        f"civitas run --tenant {tenant} --sources {source} --from {first} --to {last}",
    )


def _without(span: tuple[date, date], window: Window) -> Iterator[tuple[date, date]]:
    first, last = span
    if window.last < first or last < window.first:
        yield span
        return
    if first < window.first:
        yield first, window.first - _DAY
    if window.last < last:
        yield window.last + _DAY, last


def _joined(spans: Iterable[tuple[date, date]]) -> Iterator[tuple[date, date]]:
    """The spans in order, those that meet as one."""
    current: tuple[date, date] | None = None
    for span in sorted(spans):
        if current is not None and span[0] <= current[1] + _DAY:
            current = (current[0], max(current[1], span[1]))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current
