"""From meetings and papers of OParl to rows: meetings are events, papers are papers.

What a publisher has deleted is told as such, because a list that is asked for changes alone cannot show what is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from civitas_assets.connectors.oparl.oparl_objects import CouncilFile, CouncilPlace, Meeting, Paper

EVENT_FIELDS = (
    "event_id", "event_type", "title", "start_at", "end_at", "status", "status_native", "place_name", "website",
    "changed_at",
)  # fmt: skip
PAPER_FIELDS = (
    "paper_id", "reference", "title", "paper_type", "dated_on", "place_name", "file_url", "website", "created_at",
    "changed_at", "is_withdrawn",
)  # fmt: skip
_DELETED = "deleted"
# As the specification has them; another word is left as it is.
_STATES = {"terminiert": "planned", "eingeladen": "planned", "durchgeführt": "ended"}


def build_meeting_row(meeting: Meeting) -> Mapping[str, object]:
    """The fields of `event`."""
    state = _tidy(meeting.meeting_state)
    status = "cancelled" if meeting.cancelled or meeting.deleted else _STATES.get((state or "").lower())
    return {
        "event_id": meeting.id,
        "event_type": "meeting",
        "title": _tidy(meeting.name),
        "start_at": _tidy(meeting.start),
        "end_at": _tidy(meeting.end),
        "status": status,
        "status_native": _DELETED if meeting.deleted else state,
        "place_name": meeting.location.text if isinstance(meeting.location, CouncilPlace) else None,
        "website": _tidy(meeting.web),
        "changed_at": _tidy(meeting.modified),
    }


def build_paper_row(paper: Paper) -> Mapping[str, object]:
    """The fields of `council_paper`."""
    places = [place.text for place in paper.location or () if isinstance(place, CouncilPlace)]
    file = paper.main_file if isinstance(paper.main_file, CouncilFile) else None
    return {
        "paper_id": paper.id,
        "reference": _tidy(paper.reference),
        "title": _tidy(paper.name),
        "paper_type": _tidy(paper.paper_type),
        "dated_on": _tidy(paper.date),
        "place_name": "; ".join(filter(None, places)) or None,
        "file_url": file and (_tidy(file.download_url) or _tidy(file.access_url)),
        "website": _tidy(paper.web),
        "created_at": _tidy(paper.created),
        "changed_at": _tidy(paper.modified),
        "is_withdrawn": "true" if paper.deleted else "false",
    }


def _tidy(text: str | None) -> str | None:
    return " ".join(text.split()) or None if text is not None else None
