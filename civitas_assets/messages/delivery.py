"""Bringing messages to people, once per tenant and night, by e-mail, Matrix, Slack, Teams, webhooks and the like.

That a message does not arrive is a line in the log, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from civitas_assets.errors import MessageLost, SecretMissing
from civitas_assets.ingest.isolation import capture_errors
from civitas_assets.messages.message_text import Message, redact_message
from civitas_assets.redaction import find_tokens, remember_secrets
from civitas_assets.store.files import Files

log = logging.getLogger("civitas_assets.messages")


def read_addresses(names: Sequence[str], read: Callable[[str], str]) -> list[str]:
    """The addresses that these secrets hold, separated by white space; what is not set is said in the log."""
    found: list[str] = []
    for name in names:
        try:
            found += read(name).split()
            remember_secrets(*(token for url in found for token in find_tokens(url)))
        except SecretMissing as error:
            log.warning("no message to %s: %s", name, error)
    return list(dict.fromkeys(found))


def deliver_once(
    files: Files, key: str, message: Message, urls: Sequence[str], secrets: Sequence[str]
) -> bool:
    """Send the message unless one was sent under this key; whether it was sent now."""
    mark = f"messages/{key}"
    if not urls or not files.write_once(mark, b""):
        return False
    clean = redact_message(message, [*secrets, *(token for url in urls for token in find_tokens(url))])
    if not deliver(key, clean, urls):
        files.delete(mark)  # so that the next fault of the night is a new try
        return False
    return True


def deliver(about: str, message: Message, urls: Sequence[str]) -> bool:
    """Send the message; whether it has arrived."""
    if not urls:
        return False
    _, error = capture_errors(f"message about {about}", lambda: _send(message, urls))
    if not error:
        log.info("message about %s sent to %d addresses", about, len(urls))
    return not error


def list_sent_marks(files: Files, tenant: str) -> list[str]:
    """What is kept of messages about a tenant: that they were sent."""
    return [key for key in files.list_keys("messages/") if key.rpartition("/")[2] == tenant]


def _send(message: Message, urls: Sequence[str]) -> None:
    # Its many services take half a second to import, which a process without a message need not spend.
    from apprise import Apprise, NotifyFormat, NotifyType

    people = Apprise()
    unknown = sum(not people.add(url) for url in urls)
    kind = NotifyType.SUCCESS if message.is_good else NotifyType.FAILURE
    arrived = people.notify(
        body=message.body, title=message.title, notify_type=kind, body_format=NotifyFormat.TEXT
    )
    if not arrived:
        raise MessageLost(
            f"not every one of {len(urls)} addresses has taken it"
            + (f"; {unknown} of them no service understands" if unknown else "")
        )
    if unknown:
        log.warning("%d of %d addresses for messages are not understood", unknown, len(urls))
