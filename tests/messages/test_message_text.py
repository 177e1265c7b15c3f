"""What messages say: the faults, where to look, and no secret, wherever it stands."""

from __future__ import annotations

from civitas_assets.catalog import Tenant
from civitas_assets.catalog.model import SecretRef, Source
from civitas_assets.errors import SecretMissing
from civitas_assets.messages.message_text import Message, compose, list_message_secrets, redact_message


def ref(name: str, prefix: str = "") -> SecretRef:
    return SecretRef.model_validate({"secret": name, "prefix": prefix})


def test_message_names_tenant_night_faults_and_where_to_look() -> None:
    message = compose(
        "Stadt Jena", "2026-08-22", ["landing/csv · bins: HTTP 503\n  from x"], "http://ui/runs/1"
    )
    assert message.title == "Stadt Jena: 1 fault in the night of 2026-08-22"
    assert message.body == "- landing/csv · bins: HTTP 503 from x\n\nhttp://ui/runs/1"


def test_many_and_long_faults_stay_readable() -> None:
    body = compose("Jena", "2026-08-22", ["x" * 5000] * 40, "http://ui").body
    assert "and 28 more" in body
    assert len(body) < 6000


def test_secrets_and_names_in_addresses_are_left_out() -> None:
    message = Message("key hunter2 fails", "http://user:pw@host/?key=hunter2hunter2 and hunter2")
    clean = redact_message(message, ["hunter2", "hunter2hunter2", ""])
    assert clean == Message("key *** fails", "http://***@host/?key=*** and ***")


def test_every_secret_that_a_tenant_names_is_known() -> None:
    source = Source(
        connector="json",
        title="x",
        licence="CC0-1.0",
        url="https://host/",
        headers={"Authorization": ref("TOKEN", "Bearer ")},
        query={"key": ref("KEY"), "other": ref("UNSET")},
    )
    tenant = Tenant(
        name="Jena", ags="99000001", bbox=(9, 50, 10, 51), sources={"a": source}, notify=ref("PEOPLE")
    )
    values = {"TOKEN": "t0ken", "KEY": "k3y", "PEOPLE": "json://host"}

    def read(name: str) -> str:
        if name not in values:
            raise SecretMissing(name)
        return values[name]

    assert sorted(list_message_secrets(tenant, read)) == ["json://host", "k3y", "t0ken"]
