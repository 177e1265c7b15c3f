"""Mosquitto as the broker of measurements and tests: on loopback, in a folder of its own, as the user who starts it.

The program comes from Debian's package `mosquitto` or the like; nothing is installed here.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from civitas_assets.endpoint import find_free_port

_SECONDS = 10.0
_CONFIG = """
listener {port} 127.0.0.1
user {user}
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 0
{more}
"""


def program() -> str | None:
    """Where the broker is installed; Debian keeps it where only administrators look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin")


@contextmanager
def mosquitto(folder: Path, *, port: int = 0, more: str = "") -> Iterator[int]:
    """The port of a broker that keeps its state in the folder; `more` is further configuration."""
    found = program()
    if found is None:
        raise FileNotFoundError("mosquitto is not installed; on Debian and Ubuntu: apt-get install mosquitto")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or find_free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        _CONFIG.format(port=port, user=getpass.getuser(), folder=folder, more=more), encoding="utf-8"
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([found, "-c", str(config)], stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        yield port
    finally:
        process.terminate()  # which has it write its state, as stopping the service does
        process.wait(_SECONDS)


def publish(port: int, topic: str, bodies: Sequence[bytes], *, qos: int = 1) -> None:
    """Send messages and wait until the broker has them all."""
    client = Client(CallbackAPIVersion.VERSION2, "")
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        sent = [client.publish(topic, body, qos) for body in bodies]
        for message in sent:
            message.wait_for_publish(_SECONDS)
    finally:
        client.disconnect()
        client.loop_stop()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the broker answers."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mosquitto does not answer: {log.read_text()}") from None
            time.sleep(0.02)
        else:
            return
