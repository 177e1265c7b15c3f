"""Forked turns: what a child sends arrives; what ends it is told in words, whatever that was."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

_SCRIPT = """
import os, pickle, signal, sys, time
from civitas_assets.defs.workers import _answer

def take():
    {}

answer = _answer(take, 2.0)
print(repr(pickle.loads(answer[8:])))
"""


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("return pickle.dumps(('said', (), ''))", "('said', (), '')"),
        ("return pickle.dumps('x' * 3_000_000)", "xxx"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed, most likely because memory ran out"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended with SIGSEGV"),
        (
            "raise RuntimeError('no way')",
            "(None, (), Problem(text='unforeseen RuntimeError: no way', code='unforeseen'",
        ),
        ("time.sleep(60)", "took longer than 2 s and was ended"),
    ],
)
def test_what_becomes_of_a_turn_is_said(body: str, seen: str) -> None:
    # In a process of its own, since one that has run anything must not be forked.
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(body)], capture_output=True, text=True, check=True, timeout=60
    )
    assert seen in done.stdout


def test_memory_of_a_turn_is_bounded_and_what_takes_more_fails_with_words() -> None:
    body = "return pickle.dumps(capture_errors('a source', lambda: bytearray(3_000_000_000)))"
    script = _SCRIPT.format(body).replace("_answer(take, 2.0)", "_answer(take, 20.0, 1_000_000_000)")
    script = "from civitas_assets.ingest.isolation import capture_errors\n" + script
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert "(None, Problem(text='memory ran out: ask for less at a time" in done.stdout
