#!/usr/bin/env bash
# Dagster writes a run's own events through the same handler that it puts on managed Python loggers. Who raises that
# handler's level during a step, so that the run's log has warnings only, loses materialisations without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q "dagster==1.13.27"
cd "$folder"
cat > jobs.py <<'PYTHON'
import logging
import sys

import dagster as dg


@dg.op(out=dg.Out(dg.Nothing))
def make(context):
    if "quiet" in sys.argv:
        for handler in logging.getLogger("mine").handlers:
            handler.setLevel(logging.WARNING)
    yield dg.AssetMaterialization("table")
    yield dg.Output(None)


@dg.job
def job():
    make()


settings = {"python_logs": {"managed_python_loggers": ["mine"], "python_log_level": "INFO"}}
with dg.DagsterInstance.ephemeral(settings=settings) as instance:
    result = job.execute_in_process(instance=instance)
    kept = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    print(len(kept.records), result.success)
PYTHON
echo "dagster $(venv/bin/python -c 'import dagster; print(dagster.__version__)')"
usual=$(venv/bin/python jobs.py 2>/dev/null | tail -n 1)
quiet=$(venv/bin/python jobs.py quiet 2>/dev/null | tail -n 1)
echo "materialisations kept, and success, as usual: $usual"
echo "with the handler of the managed logger at WARNING: $quiet"
[ "$usual" = "1 True" ] && [ "$quiet" = "0 True" ] || { echo "this has changed" >&2; exit 1; }
