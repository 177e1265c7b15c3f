"""The models of what a tenant's YAML file may say; unknown keys are refused. Connectors derive theirs from `Source`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PrivateAttr, SerializeAsAny, field_validator, model_validator

from civitas_assets.catalog.access import BasicAuth, ClientCertificate, HttpPolicy, SecretRef
from civitas_assets.catalog.basis import SLUG, Model, Slug
from civitas_assets.catalog.cadence import Cadence
from civitas_assets.catalog.destination_kinds import Destination, Destinations
from civitas_assets.catalog.file_server import SCHEMES, FileServed
from civitas_assets.catalog.frame import Frame
from civitas_assets.catalog.geography import Box, Crs, OrderedBox, TimeZone
from civitas_assets.catalog.licence import Licence
from civitas_assets.catalog.open_data import OpenData
from civitas_assets.catalog.share import Below, Retention, Share, Withheld
from civitas_assets.catalog.template import PERIODS, check_combinations, find_unknown, list_names
from civitas_assets.catalog.tenant_sinks import Sink
from civitas_assets.catalog.time_rule import TimeRule
from civitas_assets.catalog.window import Duration
from civitas_assets.errors import Fault

__all__ = [
    "ADDRESS", "SLUG", "Box", "ClientCertificate", "Crs", "Destination",
    "HttpPolicy", "Licence", "Model", "SecretRef", "Slug", "Source", "Tenant", "TimeRule", "TimeZone",
]  # fmt: skip

ADDRESS = r"^https?://"


SnapshotShare = Annotated[
    float, Field(ge=0, le=1, description="The share of known things below which a snapshot closes nothing.")
]


class Source(FileServed):
    """One configured upstream of one tenant: what all connectors share."""

    connector: str = Field(description="The protocol.")
    title: str = Field(min_length=1, description="What the source is, in the tenant's language.")
    description: str | None = None
    look_back: Duration = Field(
        "14 days", validate_default=True, description="How far each night reads back."
    )
    catch_up: Duration = Field(
        "60 days",
        validate_default=True,
        description="How far a night reads back at most for days that were missed; what is missing besides is told.",
    )
    cadence: Cadence = Field("nightly", description="When it is fetched: nightly, hourly, every_15_minutes.")
    url: str = Field(
        pattern=rf"^((https?|{'|'.join(SCHEMES)})://|drop:)",
        description="Address; may hold {name} of each:, {day:…}, {month:…}. Or drop: and a pattern, for a folder; or "
        "sftp://, s3://, webdavs:// with a pattern at the end, for one on a server.",
    )
    each: Annotated[Mapping[Slug, tuple[str, ...]], AfterValidator(check_combinations)] = Field(
        {}, description="Lists whose values fill {name} in the address."
    )
    headers: Mapping[str, str | SecretRef] = Field({}, description="Request headers.")
    query: Mapping[str, str | SecretRef] = Field({}, description="Query parameters added when sending.")
    basic_auth: BasicAuth | None = Field(
        None, description="Name and password, for a server that asks for them."
    )
    certificate: ClientCertificate | None = Field(
        None, description="Client certificate, for a server that asks for one."
    )
    allow_hosts: tuple[str, ...] = Field((), description="Other hosts that redirects and links may lead to.")
    not_found: Literal["fail", "skip"] = Field(
        "fail", description="Whether 404 is an error or an empty period."
    )
    http: HttpPolicy = HttpPolicy()
    time: TimeRule | None = None
    crs: Crs = Field("EPSG:4326", description="Reference system of the coordinates, x before y.")
    constants: Mapping[Slug, str] = Field({}, description="Fields that have the same value in every record.")
    nulls: tuple[str, ...] = Field(
        (), description="Texts or numbers that mean 'no value', besides the empty text."
    )
    decimal: Literal[".", ","] = "."
    codes: Mapping[Slug, Mapping[str, str]] = Field({}, description="Native text to code, by field.")
    units: Mapping[str, str] = Field(
        {},
        description="Unit of values that come without one, by the native name of their property or a field of lengths.",
    )
    computed: Mapping[Slug, Annotated[str, Field(pattern=r"^\w+ [-+] \w+$")]] = Field(
        {}, description="Fields worked out where the data lacks them, as in 'capacity - occupied'."
    )
    id_space: Slug | None = Field(
        None, description="Sources that name it share their ids; default: the source."
    )

    snapshot: bool | None = Field(
        None,
        description="true: each fetch has all things that there are, and what is in it no more is closed. false: it "
        "never has, and nobody needs to be told. Default: as its protocol says, else what is gone is told and stays.",
    )
    snapshot_share: SnapshotShare = 0.5
    complete_with: tuple[int, ...] = Field(
        (), description="Numbers of rows, at which services cut, with which a file was seen to be all."
    )

    # Whether the protocol asks for the days of a window, whatever the address says.
    takes_days: ClassVar[bool] = False
    # Record types of things that each fetch lists by the protocol; of the second ones, it says that the list is whole.
    lists: ClassVar[frozenset[str]] = frozenset()
    lists_whole: ClassVar[frozenset[str]] = frozenset()
    discovery_answers: ClassVar[int] = 4  # so many tell whether a national service has anything in a box

    _name: str = PrivateAttr("")
    _box: Box | None = PrivateAttr(None)
    _zone: str = PrivateAttr("Europe/Berlin")
    _frame: Frame = PrivateAttr(Frame())

    @property
    def name(self) -> str:
        """The key of the source in its tenant's file."""
        return self._name

    @property
    def box(self) -> Box | None:
        """The box of its tenant, where national services look: west, south, east, north in degrees."""
        return self._box

    @property
    def zone(self) -> ZoneInfo:
        """The clock of its tenant."""
        return ZoneInfo(self._zone)

    @property
    def asks_for_days(self) -> bool:
        """Whether it is asked for certain days, so that those of missed nights can be asked for later."""
        return self.takes_days or bool(PERIODS.keys() & list_names(self.url))

    def with_place(self, name: str, box: Box, zone: str | None = None) -> Self:
        """A copy that knows its name, where its tenant is and, if it is said, by which clock it goes."""
        return self.with_private(_name=name, _box=box, _zone=zone or self._zone)

    @property
    def frame(self) -> Frame:
        """What the operator lets be at most."""
        return self._frame

    def limit_to(self, frame: Frame) -> Self:
        """A copy with nothing over the ceilings, which are those of its defaults at most."""
        look_back = min(self.look_back, frame.max_look_back)
        made = self.model_copy(update={"http": self.http.limit_to(frame), "look_back": look_back})
        return made.with_private(_frame=frame)

    def record_types(self) -> frozenset[str]:
        """The record types that the source can bring; each connector's model says which."""
        return frozenset()

    @property
    def keeps_answers_whole(self) -> bool:
        """Whether answers may be kept as they come, so that nobody has to look into them."""
        return type(self).redact_answer is Source.redact_answer

    def redact_answer(self, role: str, body: bytes) -> bytes:
        """What of an answer may be kept; a source that may carry secrets or personal data leaves them out.

        Raises:
            ReadError: the answer is not what the source declares, so that nothing of it may be kept.
        """
        return body

    def listed_record_types(self) -> frozenset[str]:
        """Those of whose things each fetch has all that there are, or may have: what is gone is closed, or told."""
        if self.snapshot is False:
            return frozenset()
        if self.snapshot is None:
            return (self.lists | self.lists_whole) & self.own_record_types()
        return self.own_record_types() - {"datastream"} or self.own_record_types()

    def is_snapshot(self, record_type: str) -> bool:
        """Whether things of that type are gone that a whole fetch has no more."""
        return record_type in self.lists_whole if self.snapshot is None else self.snapshot

    def own_record_types(self) -> frozenset[str]:
        """Those that have rows of their own, and are not only described by the rows of others."""
        return self.record_types()

    @model_validator(mode="after")
    def _templates_are_known(self) -> Self:
        if self.dropped is not None and (not self.takes_files or "/" in self.url or self.each):
            raise ValueError(
                "url: drop: is for csv, excel, json, geojson and geofile, with a pattern of names such as drop:*.csv, "
                "and without each:"
            )
        if self.complete_with and not self.takes_files:
            raise ValueError("complete_with is for csv, excel, json, geojson and geofile")
        names = sorted(self.each)
        if unknown := find_unknown(self.url, names, periods=True):
            raise ValueError(f"url uses {{{unknown[0]}}}, but each: has only {names or 'nothing'}")
        for field, text in self.constants.items():
            if unknown := find_unknown(text, list(self.each), periods=False):
                raise ValueError(f"constants.{field} uses {{{unknown[0]}}}, which each: does not have")
        if self.certificate is not None and not self.url.startswith(("https:", "webdavs:")):
            raise ValueError("certificate is shown over TLS only: url must begin with https:// or webdavs://")
        return self


class Tenant(Model):
    """A municipality or municipal company: one file, one partition, one output."""

    name: str = Field(min_length=1)
    ags: str = Field(pattern=r"^\d{8}$", description="Official municipality key, eight digits, quoted.")
    timezone: TimeZone = "Europe/Berlin"
    bbox: OrderedBox = Field(description="west, south, east, north in degrees.")
    destination: Destinations = Field(("duckdb",), description="Where its shared models are published.")
    share: tuple[Share, ...] = Field((), description="Shared models that the commons may hold.")
    k: Below = Field(
        0, description="Counts from 1 to k - 1 are left out of what is shared and exported; 0: none."
    )
    open_data: OpenData = Field(OpenData(), description="What a public catalogue of its data says.")
    retention: Retention = Field(
        Retention(), description="How long landing and records are kept; default: for ever."
    )
    sinks: Mapping[Slug, Sink] = Field({}, description="Servers that are kept up to date.")
    archived: bool = Field(False, description="Whether nothing runs any more; what was published stays.")
    key: SecretRef | None = Field(
        None,
        description="Environment variable with the tenant's key for pseudonyms; default: one is made and kept.",
    )
    notify: SecretRef | None = Field(
        None, description="Environment variable with Apprise URLs: who else gets messages about its faults."
    )
    sources: Mapping[Slug, SerializeAsAny[Source]] = Field({}, description="What is pulled, by name.")
    properties: Mapping[str, str] = Field(
        {},
        description="What the tenant's publishers call a property, and its code; goes before the common spellings.",
    )
    units: Mapping[str, str] = Field(
        {},
        description="What the tenant's publishers call a unit, and its UCUM code; goes before the common spellings.",
    )

    _slug: str = PrivateAttr("")
    _faults: tuple[Fault, ...] = PrivateAttr(())

    @property
    def slug(self) -> str:
        """The tenant's key: its file's name."""
        return self._slug

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """All of them; the first is the one that this product itself reads from."""
        return self.destination

    def with_key(self, slug: str) -> Self:
        """A copy that knows its key."""
        return self.with_private(_slug=slug)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with the tenant's file now, while this is its last state without faults."""
        return self._faults

    def with_faults(self, faults: Iterable[Fault]) -> Self:
        """A copy that knows them."""
        return self.with_private(_faults=tuple(faults))

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose calendar days partition this tenant's data."""
        return ZoneInfo(self.timezone)

    @property
    def shared(self) -> Mapping[str, Withheld]:
        """The shared models that the commons may hold, each with what of it they may not."""
        closed = frozenset(name for name, source in self.sources.items() if not source.is_shareable)
        least = ((share, self.k if share.k is None else share.k) for share in self.share)
        return {
            share.table: Withheld(frozenset(share.withhold), closed, k if k > 1 else 0) for share, k in least
        }

    @field_validator("share")
    @classmethod
    def _shared_once(cls, shares: tuple[Share, ...]) -> tuple[Share, ...]:
        names = [share.table for share in shares]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"lists {twice[0]} twice; keep one")
        return shares
