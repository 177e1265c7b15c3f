"""What hosts bear: so many requests a second and so many at once, counted for the whole process.

Sending is not done here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from civitas_assets.catalog.model import HttpPolicy
from civitas_assets.connectors.transport.http_deadline import Deadline, Late


class Limiter:
    """What one host bears; of different limits the strictest that was ever named holds."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._interval, self._parallel = 0.0, 1 << 30
        self._under_way, self._next = 0, float("-inf")

    @contextmanager
    def acquire(
        self,
        policy: HttpPolicy,
        until: Deadline,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> Iterator[None]:
        """Wait for a place and for the moment to send, and keep the place meanwhile.

        Raises:
            Late: neither comes before the deadline.
        """
        with self._changed:
            self._interval = max(self._interval, 1 / policy.requests_per_second)
            self._parallel = min(self._parallel, policy.parallel)
            remaining = min(until.moment - monotonic(), threading.TIMEOUT_MAX)
            if not self._changed.wait_for(lambda: self._under_way < self._parallel, max(0.0, remaining)):
                raise Late
            now = monotonic()
            pause = max(0.0, self._next - now)
            if now + pause > until.moment:
                raise Late
            self._under_way += 1
            self._next = now + pause + self._interval
        try:
            if pause:
                sleep(pause)
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def pause_until(self, moment: float) -> None:
        """Nobody sends before the moment: a host that asks one thread to wait means all of them."""
        with self._changed:
            self._next = max(self._next, moment)


# By host and port. Hosts are spared by the whole process, however many clients it has.
PROCESS_LIMITERS: dict[str, Limiter] = {}


def parse_retry_after(text: str, now: datetime) -> float:
    """Seconds that a Retry-After asks for, given as seconds or as a date; 0 where it asks for nothing."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
