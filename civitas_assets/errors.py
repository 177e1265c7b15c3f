"""The exception tree: every error that this package raises on purpose says what, where and what to do.

    CivitasError
    ├── CatalogError, MunicipalityError, SettingsError   what is configured
    ├── SecretMissing                                    secret_missing: name
    ├── FetchError                                       fetch_failed
    │   ├── FetchTimeUp                                  fetch_time_up
    │   └── HttpStatusError                              http_status: status
    ├── ReadError                                        unreadable
    │   └── ReadStopped                                  reading_stopped
    ├── StoreError                                       store_failed
    │   ├── BodyLost                                     body_lost
    │   └── TenantBusy                                   tenant_busy
    ├── HarmoniseError                                   harmonise_failed
    │   └── TestsFailed                                  tests_failed
    ├── PublishError                                     publish_failed
    │   └── OutdatedError                                outdated
    └── ScopeError, MessageLost, DictionaryError, ExportError, ReportError

Behind each: its code, by which programs tell it from others, and parameters that come with it; texts are for people
alone, and may be reworded. Faults of single records are not exceptions; they are rows in quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from civitas_assets.inert import escape_control_characters

UNFORESEEN = "unforeseen"


@dataclass(frozen=True)
class Problem:
    """What something failed by, as it is kept: `text` for people; `code` and what is particular about it for programs.

    The code of what nobody foresaw is `unforeseen`, with the `kind` of the exception; those of errors raised on purpose
    stand in the tree of this module.
    """

    text: str
    code: str = "failed"
    params: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    def with_text(self, text: str) -> Problem:
        """The same, told in other words."""
        return replace(self, text=text)


class CivitasError(Exception):
    """Base of all errors raised on purpose; its text is fit for a user, whatever of a file it quotes."""

    code = "failed"

    def __str__(self) -> str:
        return escape_control_characters(super().__str__())

    @property
    def params(self) -> Mapping[str, str | int]:
        """What programs may want to know of it besides its code."""
        return {}

    def to_problem(self, text: str = "") -> Problem:
        """The same as a value; `text` says more than its own."""
        return Problem(text or str(self), self.code, self.params)


@dataclass(frozen=True, order=True)
class Fault:
    """One fault in a configuration file: where it is, and what to do about it."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field or '(file)'}: {self.message}"


@dataclass(frozen=True, order=True)
class Note:
    """Something valid that was not taken over, or that people should know of what came; never an error.

    `code` names the kind and holds for all notes of it; `text` is a sentence for people, with counts and an example.
    There is one note per kind and payload, not one per row.
    """

    code: str
    text: str


class CatalogError(CivitasError):
    """The tenants' files hold faults; `faults` has all of them, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        count = len(self.faults)
        super().__init__(
            "\n".join([f"{count} fault{'s' if count != 1 else ''} in the catalogue:", *map(str, self.faults)])
        )


class MunicipalityError(CivitasError):
    """An official key names no municipality of today; the message says which may be meant."""


class SettingsError(CivitasError):
    """Variables of the environment hold what they must not; the message says why, and never what they hold."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{variable}: {reason}" for variable, reason in faults.items()))


class SecretMissing(CivitasError):
    """A source names a secret that the environment does not hold."""

    code = "secret_missing"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"secret {name} is not set: export {name} for the process that fetches")

    @property
    def params(self) -> Mapping[str, str | int]:
        """The secret's name."""
        return {"name": self.name}


class FetchError(CivitasError):
    """A source could not be fetched; the message names the address without its secrets.

    One that tells of several is of the kind of the `first` of them.
    """

    code = "fetch_failed"

    def __init__(self, text: str, first: CivitasError | None = None) -> None:
        super().__init__(text)
        self._of_first: Mapping[str, str | int] = first.params if first is not None else {}
        if first is not None:
            self.code = first.code

    @property
    def params(self) -> Mapping[str, str | int]:
        """Those of the first one that it tells of."""
        return self._of_first


class FetchTimeUp(FetchError):
    """A source had its time for one fetch, and asking it for anything else is of no use."""

    code = "fetch_time_up"


class HttpStatusError(FetchError):
    """The server answered with a status that is not a success, after the retries that make sense."""

    code = "http_status"

    def __init__(self, status: int, url: str, detail: str = "") -> None:
        self.status = status
        super().__init__(f"HTTP {status} from {url}" + (f": {detail}" if detail else ""))

    @property
    def params(self) -> Mapping[str, str | int]:
        """The status."""
        return {"status": self.status}


class ReadError(CivitasError):
    """A landed payload as a whole cannot be read: not the declared format, or a required field is absent."""

    code = "unreadable"


class ReadStopped(ReadError):
    """Reading a payload has ended the process that read it, or took more memory or time than it may."""

    code = "reading_stopped"


class ReadWithdrawn(ReadError):
    """A payload that was read in portions cannot be read as a whole: what was read of it before does not count."""


class StoreError(CivitasError):
    """Landing, record store or quarantine cannot be read or written."""

    code = "store_failed"


class BodyLost(StoreError):
    """What a source has answered is in landing no more, or not as it came."""

    code = "body_lost"


class TenantBusy(StoreError):
    """Another process is working for this tenant."""

    code = "tenant_busy"


class HarmoniseError(CivitasError):
    """dbt could not build the shared models in the workspace."""

    code = "harmonise_failed"


class TestsFailed(HarmoniseError):
    """The shared models broke a test of severity error; nothing is published, and the workspace can be looked at."""

    __test__ = False  # not a pytest class
    code = "tests_failed"

    def __init__(self, failures: Sequence[str], workspace: str = "") -> None:
        self.failures, self.workspace = tuple(failures), workspace
        super().__init__(
            f"{len(self.failures)} data test(s) failed, nothing was published: " + "; ".join(self.failures)
        )


class PublishError(CivitasError):
    """The destination could not be changed; it still holds its old state."""

    code = "publish_failed"


class OutdatedError(PublishError):
    """Others have published since the rows were made: these are not published over theirs, but made again."""

    code = "outdated"


class ScopeError(CivitasError):
    """A run was told days or sources that cannot be meant."""


class MessageLost(CivitasError):
    """A message has not reached everybody whom it was for."""


class DictionaryError(CivitasError):
    """A shared model's contract is incomplete, or has changed without the version that the change asks for."""


class ExportError(CivitasError):
    """A shared model cannot be exported as asked for; the message says what can be."""


class ReportError(CivitasError):
    """A page cannot be written where it should be."""
