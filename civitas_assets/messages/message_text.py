"""What a message says: the faults of one tenant in one night, and where to look; never a secret.

Errors are free of secrets as it is; what is sent to others is looked through once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.model import SecretRef
from civitas_assets.errors import SecretMissing
from civitas_assets.inert import escape_control_characters
from civitas_assets.redaction import Redactor

_MOST = 12  # faults that one message lists
_LONGEST = 400  # characters of each
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class Message:
    """A title and a text, both plain; whether it is good news."""

    title: str
    body: str
    is_good: bool = False


def compose(who: str, night: str, faults: Sequence[str], link: str) -> Message:
    """The message about a tenant's faults in a night."""
    count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
    lines = [f"- {' '.join(escape_control_characters(fault).split())[:_LONGEST]}" for fault in faults[:_MOST]]
    if len(faults) > _MOST:
        lines.append(f"- and {len(faults) - _MOST} more")
    return Message(f"{who}: {count} in the night of {night}", "\n".join([*lines, "", link]))


def compose_end(who: str, night: str, link: str) -> Message:
    """The message that what was told of is over."""
    body = f"The first run without a fault since the last message.\n\n{link}"
    return Message(f"{who}: over in the night of {night}", body, is_good=True)


def compose_done(night: str, tenants: int, faulty: int) -> Message:
    """The sign of life that a night's run has worked through its tenants, whatever became of each."""
    said = f"{tenants} tenants, {faulty} with faults" if faulty else f"{tenants} tenants, no faults"
    return Message(f"civitas_assets: the night of {night} is done", said, is_good=True)


def redact_message(message: Message, secrets: Sequence[str]) -> Message:
    """The same message, in which neither a secret nor what stands before an @ in an address is left."""

    redactor = Redactor(secrets)

    def clean(text: str) -> str:
        return _USERINFO.sub("***@", redactor.redact_text(text))

    return Message(clean(message.title), clean(message.body), message.is_good)


def list_message_secrets(tenant: Tenant, read: Callable[[str], str]) -> list[str]:
    """The values of all secrets that the tenant's file names, as far as they are set."""
    found = []
    for name in sorted({ref.secret for ref in _references(tenant)}):
        try:
            found.append(read(name))
        except SecretMissing:
            continue  # what is not set is in no text either
    return found


def _references(value: object) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _references(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from _references(inner)
