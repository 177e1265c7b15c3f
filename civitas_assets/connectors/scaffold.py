"""A package for a connector of a deployment, to begin with: it fetches, reads a sample, has a page and a test.

Its files are in `package_template`, with `$name` for the connector's name; what makes it known is in `registry.py`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template

from civitas_assets.catalog.basis import is_key
from civitas_assets.connectors.registry import CONNECTORS
from civitas_assets.errors import SettingsError

_TEMPLATES = files("civitas_assets.connectors") / "package_template"


def write_connector_package(folder: Path, name: str) -> Path:
    """Write a package below the folder that brings a connector of that name, and say where it is.

    Raises:
        SettingsError: it cannot be a connector's name, there is such a connector, or something is there already.
    """
    if not is_key(name):
        raise SettingsError(
            {"NAME": f"{name!r} is no name: lower-case letters, digits and _, such as gauge_lines"}
        )
    if name in CONNECTORS:
        raise SettingsError({"NAME": f"there is a connector {name}: see docs/connectors"})
    dashed = name.replace("_", "-")
    package = folder / f"civitas-{dashed}"
    module = package / f"civitas_{name}"
    places = {
        "pyproject.toml": package / "pyproject.toml",
        "README.md": package / "README.md",
        "init.py": module / "__init__.py",
        "connector.py": module / "connector.py",
        "sample.json": package / "tests" / "sample.json",
        "test_contract.py": package / "tests" / "test_contract.py",
    }
    words = {"name": name, "dashed": dashed, "stem": "".join(part.capitalize() for part in name.split("_"))}
    try:
        package.mkdir(parents=True)
        for template, place in places.items():
            place.parent.mkdir(exist_ok=True)
            text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
            place.write_text(Template(text).substitute(words), encoding="utf-8")
    except OSError as error:
        raise SettingsError({"FOLDER": f"{package} cannot be written: {error.strerror}"}) from error
    return package
