"""The temporal interface of the testbed's context broker, as ETSI GS CIM 009 is read here.

Clauses: 4.5.6 to 4.5.8 (temporal representation), 5.6.11 and 5.6.14 to 5.6.16 (provision), 5.7.4 (query), 6.3.10 (an
answer that is a part), 6.18 to 6.22 (HTTP). Instances are added, never merged, and get an `instanceId` from the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_NO_ATTRIBUTES = frozenset({"id", "type", "@context"})


@dataclass
class BrokerHistory:
    """Instances by id of entity and expanded name of attribute, of one tenant.

    `limit` is how many instances of an attribute an answer has at most. `refuse` says why an instance is not taken, and
    `lose` which one is answered with success and not kept. With `is_anonymous`, no instance shows its id.
    """

    types: dict[str, str] = field(default_factory=dict)
    kept: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    limit: int = 100
    refuse: Callable[[Mapping[str, Any]], str] = lambda _: ""
    lose: Callable[[Mapping[str, Any]], bool] = lambda _: False
    is_anonymous: bool = False
    count: int = 0

    def add(
        self, entity: Mapping[str, Any], expand: Callable[[str], str], is_fault: Callable[[str, Any], str]
    ) -> bool:
        """Clause 5.6.11; whether the entity is new.

        Raises:
            ValueError: an attribute is no list of instances with a time, or one is refused: then none is taken.
        """
        content = {name: part for name, part in entity.items() if name not in _NO_ATTRIBUTES}
        for name, instances in content.items():
            if not isinstance(instances, list) or not instances:
                raise ValueError(f"{name} is no list of instances")
            for instance in instances:
                if fault := is_fault(name, instance) or self.refuse(instance):
                    raise ValueError(fault)
                if "instanceId" in instance or datetime.fromisoformat(instance["observedAt"]).tzinfo is None:
                    raise ValueError(f"{name} has an instanceId, or no time with a zone")
        is_new = entity["id"] not in self.kept
        self.types.setdefault(entity["id"], expand(entity["type"]))
        there = self.kept.setdefault(entity["id"], {})
        for name, instances in content.items():
            for instance in instances:
                if not self.lose(instance):
                    self._keep(there.setdefault(expand(name), []), instance)
        return is_new

    def record(self, entity: Mapping[str, Any]) -> None:
        """What some brokers do by themselves: keep each attribute with a time that an upsert of an entity brings."""
        self.types.setdefault(entity["id"], entity["type"])
        there = self.kept.setdefault(entity["id"], {})
        for name, attribute in entity.items():
            if isinstance(attribute, dict) and "observedAt" in attribute:
                plain = {key: value for key, value in attribute.items() if key != "modifiedAt"}
                self._keep(there.setdefault(name, []), plain)

    def change(self, identity: str, name: str, instance: str, given: Mapping[str, Any]) -> None:
        """Clause 5.6.14.

        Raises:
            LookupError: there is no such instance.
        """
        (part,) = given if isinstance(given, list) else [given]
        found = self._find(identity, name, instance)
        found |= {**part, "instanceId": instance}

    def remove(self, identity: str, name: str, instance: str) -> None:
        """Clause 5.6.15.

        Raises:
            LookupError: there is no such instance.
        """
        self.kept[identity][name].remove(self._find(identity, name, instance))

    def query(
        self, identities: Sequence[str], kind: str, span: tuple[datetime, datetime]
    ) -> tuple[list[dict[str, Any]], str]:
        """Clause 5.7.4, between two instants, the earliest first; and the range of a part, empty where it is whole."""
        found, last = list[dict[str, Any]](), None
        for identity in identities:
            if self.types.get(identity) != kind:
                continue
            entity: dict[str, Any] = {"id": identity, "type": kind}
            for name, instances in self.kept[identity].items():
                times = sorted(
                    ((datetime.fromisoformat(part["observedAt"]), part) for part in instances),
                    key=lambda pair: pair[0],
                )
                inside = [(at, part) for at, part in times if span[0] <= at <= span[1]]
                if len(inside) > self.limit:
                    inside = inside[: self.limit]
                    last = inside[-1][0] if last is None else min(last, inside[-1][0])
                if inside:
                    entity[name] = [self._show(part) for _, part in inside]
            if len(entity) > 2:
                found.append(entity)
        if last is None:
            return found, ""
        return found, f"date-time {span[0]:%Y-%m-%dT%H:%M:%SZ}-{last:%Y-%m-%dT%H:%M:%SZ}/*"

    def _show(self, part: Mapping[str, Any]) -> dict[str, Any]:
        shown = dict(part) | {"observedAt": part["observedAt"].removesuffix("Z") + ".000Z"}
        if self.is_anonymous:
            del shown["instanceId"]
        return shown

    def _keep(self, there: list[dict[str, Any]], instance: Mapping[str, Any]) -> None:
        self.count += 1
        there.append({**instance, "instanceId": f"urn:ngsi-ld:instance:{self.count}"})

    def _find(self, identity: str, name: str, instance: str) -> dict[str, Any]:
        for part in self.kept.get(identity, {}).get(name, ()):
            if part["instanceId"] == instance:
                return part
        raise LookupError(instance)
