"""People get the codes that a spelling may mean, the likeliest first, and none where nothing is like it."""

from __future__ import annotations

from civitas_assets.harmonise.project import Project
from civitas_assets.harmonise.spellings import Spellings


def test_likely_codes_come_first(project: Project) -> None:
    with Spellings(project) as spellings:
        assert spellings.like("Lufttemparatur", "property")[0] == "weather.temperature"
        assert "weather.temperature" in spellings.like("Lufttemperatur Dach Nord 2", "property")
        assert spellings.like("µg/m3", "unit")[0] == "ug/m3"
        assert spellings.like("Q7-x", "property") == []
        assert {"weather.temperature", "air.no2"} <= spellings.codes("property")
        assert {"Cel", "%"} <= spellings.codes("unit")
