"""What tenants' files take over from `defaults.yaml` beside them: sources that many towns have alike.

A tenant says `defaults: all`, or lists the sources that it takes; what its own file says of such a source goes before.
In texts of the defaults, `{name}`, `{ags}` and `{bbox}` stand for what the tenant's file says. Faults name the file
and the line where they are mended.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from civitas_assets.catalog.basis import DEFAULTS, suggest_name
from civitas_assets.catalog.yaml_document import YamlDocument
from civitas_assets.catalog.yaml_text import BOUNDS, locate_file, to_yaml
from civitas_assets.errors import CatalogError, Fault

_NAMES = re.compile(r"\{(ags|bbox|name)\}")


class Defaults:
    """The defaults of a folder of tenants' files, read when the first tenant wants any."""

    def __init__(self, folder: Path) -> None:
        self.file = locate_file(folder, DEFAULTS)

    @property
    def body(self) -> bytes:
        """The file as it is; empty where there is none."""
        return self.file.read_bytes() if self.file.is_file() else b""

    @cached_property
    def _read(self) -> YamlDocument | CatalogError:
        try:
            document = YamlDocument(self.file)
        except CatalogError as error:
            return error
        faults = list(document.faults)
        faults += [
            document.make_fault((key,), "is not known here; allowed: sources")
            for key in document.content
            if key != "sources"
        ]
        sources = document.content.get("sources") or {}
        if not isinstance(sources, dict):
            faults.append(document.make_fault(("sources",), "must map source names to their settings"))
        else:
            faults += [
                document.make_fault(("sources", name), "must hold the source's settings")
                for name, settings in sources.items()
                if not isinstance(settings, dict)
            ]
        return CatalogError(faults) if faults else document

    def document(self) -> YamlDocument:
        """The file.

        Raises:
            CatalogError: it has faults, which are those of each tenant that takes something over.
        """
        if isinstance(self._read, CatalogError):
            raise CatalogError(self._read.faults)
        return self._read

    def open(self, file: Path) -> YamlDocument:
        """A tenant's file with what it takes over.

        Raises:
            CatalogError: one of the two files cannot be read, or the defaults have faults.
        """
        document = YamlDocument(file)
        if DEFAULTS in document.content:
            wanted = document.content.pop(DEFAULTS)
            if not self.file.is_file():
                document.faults.append(
                    document.make_fault((DEFAULTS,), f"there is no {DEFAULTS}.yaml beside this file")
                )
                return document
            self._take(document, wanted)
            document.body = make_mark(document.own_body, self.body) + render_resolved(document).encode()
        return document

    def _take(self, document: YamlDocument, wanted: Any) -> None:
        origin = self.document()
        offered: Mapping[str, Any] = origin.content.get("sources") or {}
        names = list(offered) if wanted == "all" else wanted
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            document.faults.append(
                document.make_fault((DEFAULTS,), f"must be all, or a list of sources in {DEFAULTS}.yaml")
            )
            return
        own = document.content.get("sources") or {}
        if not isinstance(own, dict):
            return  # which is said of the tenant's file
        sources = {}
        for index, name in enumerate(names):
            if name not in offered:
                meant = suggest_name(name, sorted(offered))
                there = f"{meant}{DEFAULTS}.yaml has: {', '.join(sorted(offered)) or 'none'}"
                document.faults.append(
                    document.make_fault((DEFAULTS, index), f"has no source {name}; {there}")
                )
                continue
            settings, more = _filled(document, origin, name), own.get(name, {})
            if name not in own:
                document.take(("sources", name), origin, ("sources", name))
            elif isinstance(more, dict):
                for key in settings.keys() - more.keys():
                    document.take(("sources", name, key), origin, ("sources", name, key))
                settings |= more
            sources[name] = settings if isinstance(more, dict) else more
        document.content["sources"] = {**sources, **{name: own[name] for name in own if name not in sources}}


def _filled(document: YamlDocument, origin: YamlDocument, name: str) -> dict[str, Any]:
    """The settings of a source with what they say of the tenant, as far as its file says it."""
    settings = origin.content["sources"][name]
    each = settings.get("each")
    values = {key: text for key, text in _values(document.content).items() if key not in (each or {})}

    def fill(value: Any, *, quoted: bool) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner, quoted=quoted or key == "url") for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner, quoted=quoted) for inner in value]
        if not isinstance(value, str) or "{" not in value:
            return value

        def text_of(match: re.Match[str]) -> str:
            text = values.get(match[1], match[0])
            return quote(text, safe=",") if quoted and match[1] in values else text

        text = _NAMES.sub(text_of, value)
        if len(text) > BOUNDS.text:
            fault = origin.make_fault(
                ("sources", name), f"has a text of over {BOUNDS.text} characters once it is filled"
            )
            raise CatalogError(
                [Fault(fault.file, fault.line, fault.field, f"{fault.message} (for {document.file.stem})")]
            )
        return text

    return {key: fill(value, quoted=key == "url") for key, value in settings.items()}


def _values(content: Mapping[str, Any]) -> dict[str, str]:
    values = {key: given for key in ("name", "ags") if isinstance(given := content.get(key), str)}
    box = content.get("bbox")
    if isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box):
        values["bbox"] = ",".join(f"{side:.15g}" for side in box)
    return values


def render_resolved(document: YamlDocument) -> str:
    """A tenant's file as it is with what it has taken over, as YAML that says the same by itself."""
    return to_yaml(document.content)


def make_mark(body: bytes, defaults: bytes) -> bytes:
    """The first line of a kept state, by which it is known which two files it was made from."""
    return f"# of {hashlib.sha256(body + bytes(1) + defaults).hexdigest()}\n".encode()
