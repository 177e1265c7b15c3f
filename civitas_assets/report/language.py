"""The languages of a page: its texts, and how numbers, days and moments are written.

The texts themselves are in the JSON files of `texts`, one per language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import msgspec

LANGUAGES = ("de", "en")
_THIN = "\N{NARROW NO-BREAK SPACE}"
_GERMAN = str.maketrans(",.", ".,")
_UNITS: Mapping[str, str] = {
    "1": "",
    "Cel": "°C",
    "deg": "°",
    "ug/m3": "µg/m³",
    "mg/m3": "mg/m³",
    "m3/s": "m³/s",
    "m2": "m²",
    "m3": "m³",
    "W/m2": "W/m²",
    "l/m2": "l/m²",
    "uS/cm": "µS/cm",
    "{count}": "",
}


@dataclass(frozen=True)
class Language:
    """One language, for a reader in one time zone."""

    code: str
    texts: Mapping[str, str] = field(compare=False)  # which follow from the code
    zone: ZoneInfo

    @classmethod
    def from_code(cls, code: str, zone: ZoneInfo) -> Language:
        """The language of that code, `de` or `en`."""
        return cls(code, _texts(code), zone)

    def __call__(self, key: str, /, **values: object) -> str:
        """A text, with values written as the language writes them; of `key.one` and `key.many` that of `count`."""
        if key not in self.texts:
            key = f"{key}.{'one' if values.get('count') == 1 else 'many'}"
        return self.texts[key].format(**{name: self.format_value(value) for name, value in values.items()})

    def get_text_or(self, key: str, otherwise: str) -> str:
        """A text, or what stands for it where there is none."""
        return self.texts.get(key, otherwise)

    def format_value(self, value: object) -> str:
        """Any value as a reader expects it."""
        if isinstance(value, bool) or value is None:
            return "–" if value is None else str(value)
        if isinstance(value, int | float):
            return self.format_number(value)
        if isinstance(value, datetime):
            return self.format_moment(value)
        if isinstance(value, date):
            return self.format_day(value)
        if isinstance(value, list | tuple):
            return ", ".join(map(self.format_value, value))
        return str(value)

    def format_number(self, value: float | None, digits: int | None = None) -> str:
        """A number with separators; without digits said, as many as it takes to tell it from its neighbours."""
        if value is None:
            return "–"
        if digits is None:
            digits = 0 if value == round(value) or abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
        text = f"{value:,.{digits}f}"
        if self.code == "de":
            text = text.translate(_GERMAN)
        return text.replace("-", "−")

    def format_share(self, ratio: float | None) -> str:
        """A share of one in percent; nothing that is incomplete reads as all, and nothing that is there as none."""
        if ratio is None:
            return "–"
        percent = ratio * 100
        digits = 0 if percent in {0, 100} or 1 <= percent < 99 else 1
        if 99 < percent < 100:
            percent = min(percent, 99.9)
        return f"{self.format_number(percent, digits)}{_THIN}%"

    def format_size(self, count: float) -> str:
        """Bytes."""
        for unit in ("B", "kB", "MB", "GB"):
            if count < 1000 or unit == "GB":
                return f"{self.format_number(count, 0 if unit == 'B' or count >= 100 else 1)}{_THIN}{unit}"
            count /= 1000
        raise AssertionError

    def format_length(self, metres: float) -> str:
        """A distance on the ground."""
        return (
            f"{self.format_number(metres / 1000)}{_THIN}km"
            if metres >= 1000
            else f"{self.format_number(metres)}{_THIN}m"
        )

    def format_day(self, day: date) -> str:
        """A day, with its year."""
        month = self.texts[f"month.{day.month}"]
        return f"{day.day}. {month} {day.year}" if self.code == "de" else f"{day.day} {month} {day.year}"

    def format_short(self, day: date) -> str:
        """A day within a few weeks."""
        month = self.texts[f"month.{day.month}"]
        return f"{day.day}.{day.month}." if self.code == "de" else f"{day.day} {month[:3]}"

    def format_weekday(self, day: date) -> str:
        """The name of the day of the week."""
        return self.texts[f"weekday.{day.isoweekday()}"]

    def format_moment(self, at: datetime) -> str:
        """An instant on the reader's clock."""
        local = at.astimezone(self.zone)
        return f"{self.format_day(local.date())}, {local:%H:%M}"

    def format_clock(self, at: datetime) -> str:
        """The time of day of an instant."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def format_age(self, at: datetime | None, now: datetime) -> str:
        """How long ago an instant is."""
        if at is None:
            return self("age.never")
        passed = max(now - at, timedelta())
        if passed < timedelta(minutes=1):
            return self("age.now")
        if passed < timedelta(hours=2):
            return self("age.minutes", count=int(passed.total_seconds()) // 60)
        if passed < timedelta(days=2):
            return self("age.hours", count=int(passed.total_seconds()) // 3600)
        return self("age.days", count=passed.days)

    def format_unit(self, code: str | None) -> str:
        """A unit's code as it is written beside a number."""
        return _UNITS.get(code or "", code or "")


@cache
def _texts(code: str) -> Mapping[str, str]:
    body = files("civitas_assets.report").joinpath("texts", f"{code}.json").read_bytes()
    return msgspec.json.decode(body, type=dict[str, str])
