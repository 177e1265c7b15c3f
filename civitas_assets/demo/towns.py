"""The demo towns' files, pointed at the sample servers and put where a deployment keeps its tenants.

The files themselves are beside this module, as any tenant's file looks.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

# Its server answers with 503, so that a first run shows what becomes of the town and its other sources.
DOWN = ("probeheim", "river_level")

_FILES = Path(__file__).parent / "town_files"


def write_towns(folder: Path, servers: str, queue: str) -> list[str]:
    """Write the towns' files into the folder; their keys. A file that would not change is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    towns = sorted(_FILES.glob("*.yaml"))
    for town in towns:
        text = Template(town.read_text(encoding="utf-8")).substitute(servers=servers, queue=queue)
        target = folder / town.name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    return [town.stem for town in towns]
