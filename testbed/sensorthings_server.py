"""A real SensorThings server, django-ogc-sensorthings, in which there is nothing yet.

It is a process of its own, from an environment that whoever asks has made.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from civitas_assets.endpoint import find_free_port

PACKAGE, VERSION = "django-ogc-sensorthings", "1.2.0"
# A project of one file: it makes its tables, says that it is ready, and answers.
_PROJECT = """
import socketserver, sys, uuid, wsgiref.simple_server
from django.conf import settings
folder, port = sys.argv[1:]
name = "SENSORTHINGS_V1_1_"
settings.configure(
    SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="urls", USE_TZ=True, DEBUG=False,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db.sqlite3"}},
    INSTALLED_APPS=["sensorthings.versions.v1_1", "sensorthings.versions.v1_1.backends.django"],
    **{f"{name}SERVICE_URL": f"http://127.0.0.1:{port}/sta", f"{name}ID_TYPE": uuid.UUID, f"{name}ID_DELIMITER": "'",
       f"{name}BACKEND_ADAPTER": "sensorthings.versions.v1_1.backends.django.adapter.DjangoBackendAdapter"},
)
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.core.wsgi import get_wsgi_application
class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_): pass
server = wsgiref.simple_server.make_server("127.0.0.1", int(port), get_wsgi_application(), Server, Handler)
server.serve_forever()
"""
_URLS = """
from django.urls import include, path
urlpatterns = [path("sta/", include("sensorthings.versions.v1_1.urls"))]
"""


@dataclass(frozen=True)
class SensorThings:
    """A server that runs: the root of its service, and its process."""

    root: str
    pid: int

    def read_cpu_seconds(self) -> float:
        """Processor time that it has had."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def start_sensorthings(python: Path, folder: Path, *, arrays: bool = False) -> Iterator[SensorThings]:
    """A server that keeps its database in the folder; it takes data arrays if asked to."""
    backend = '"sensorthings.versions.v1_1.backends.django"]'
    extension = '"sensorthings.versions.v1_1.extensions.dataarray", ' if arrays else ""
    port = find_free_port()
    (folder / "urls.py").write_text(_URLS, encoding="utf-8")
    (folder / "project.py").write_text(_PROJECT.replace(backend, extension + backend), encoding="utf-8")
    address = f"http://127.0.0.1:{port}/sta/v1.1"
    with (folder / "log").open("wb") as log:
        command = [str(python), str(folder / "project.py"), str(folder), str(port)]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_answer(f"{address}/Things", server, folder / "log")
        yield SensorThings(address, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _await_answer(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=60).close()
        except OSError:
            threading.Event().wait(0.1)
        else:
            return
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-3000:])
