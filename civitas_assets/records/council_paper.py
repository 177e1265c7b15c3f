"""Council papers: motions, answers, reports and resolutions that a council deals with.

Its meetings are events. Who has written a paper is not told: persons are none of our business.
"""

from civitas_assets.records.contract import Column, ColumnKind, RecordType

COUNCIL_PAPER = RecordType(
    name="council_paper",
    description="A paper that a council deals with.",
    columns=(
        Column("paper_id", ColumnKind.TEXT, "Native id of the paper.", required=True),
        Column("reference", ColumnKind.TEXT, "Number by which it is quoted, such as 1234/2026."),
        Column("title", ColumnKind.TEXT, "Title in one line."),
        Column("paper_type", ColumnKind.TEXT, "What kind of paper it is, in the publisher's words."),
        Column("dated_on", ColumnKind.DATE, "Day that it bears."),
        Column("place_name", ColumnKind.TEXT, "Which places it is about, in words."),
        Column("file_url", ColumnKind.TEXT, "Address of its main file."),
        Column("website", ColumnKind.TEXT, "Web address."),
        Column("created_at", ColumnKind.TIME, "When the publisher made it."),
        Column("changed_at", ColumnKind.TIME, "When the publisher last changed it."),
        Column("is_withdrawn", ColumnKind.BOOLEAN, "Whether the publisher has deleted it."),
    ),
    key=("paper_id",),
)
