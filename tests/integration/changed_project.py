"""A dbt project as another version may have it: with other columns of a model, and with one more test."""

from __future__ import annotations

import shutil
from pathlib import Path

from civitas_assets.settings import PROJECT_DIR

_STATUS = "models/shared/parking/parking_status"
# What the next version of the model says of its columns, in place of what this one says.
_NEXT = {
    f"{_STATUS}.yml": {
        "      - name: occupancy_ratio\n": (
            "      - name: free_twice\n        description: Twice the free spaces.\n        data_type: bigint\n"
            "      - name: occupied_share\n"
        ),
        'config: {meta: {counted: true, unit: "1"}}': (
            'config: {meta: {counted: true, unit: "1", renamed_from: occupancy_ratio}}'
        ),
        "      - name: revision\n        description: \"{{ doc('revision') }}\"\n        data_type: integer\n": (
            "      - name: revision\n        description: \"{{ doc('revision') }}\"\n        data_type: bigint\n"
        ),
    },
    f"{_STATUS}.sql": {
        "as occupancy_ratio": "as occupied_share,\n        2 * free as free_twice",
        "        revision,\n        received_at": "        revision::bigint as revision,\n        received_at",
    },
}
_STRICTER = "select * from {{ ref('observation') }} where value = 666\n"


def write_changed_project(folder: Path) -> Path:
    """Write that project into a new folder; which one that is."""
    shutil.copytree(PROJECT_DIR / "dbt_project", folder, ignore=shutil.ignore_patterns("target", "logs"))
    for name, changes in _NEXT.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    # Unit tests of this version know nothing of the next one.
    yml = folder / f"{_STATUS}.yml"
    yml.write_text(yml.read_text(encoding="utf-8").partition("\nunit_tests:")[0] + "\n", encoding="utf-8")
    (folder / "tests" / "no_value_is_666.sql").write_text(_STRICTER, encoding="utf-8")
    return folder
