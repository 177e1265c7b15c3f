"""Where pages are kept, beside the stores of a deployment, and the address under which its webserver shows them.

Light enough for a webserver: what makes pages is in `page.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from civitas_assets.errors import ReportError, StoreError
from civitas_assets.report.html_document import make_file_name
from civitas_assets.settings import Settings
from civitas_assets.store.files import Files
from civitas_assets.store.storage import make_storage

BELOW = "reports/"
PATH = "/morning"  # of the webserver's own pages


@dataclass(frozen=True)
class Pages:
    """Pages by name, such as `<tenant>/index.en.html`: a folder per tenant, the operator's page above them."""

    files: Files
    below: str = BELOW

    def read(self, name: str) -> bytes | None:
        """The page, or None where there is none."""
        return self.files.read(f"{self.below}{name}")

    def read_all(self, names: Sequence[str]) -> list[bytes | None]:
        """Pages in the order of their names, several at a time."""
        return self.files.read_all([f"{self.below}{name}" for name in names])

    def write(self, bodies: Mapping[str, bytes]) -> None:
        """Replace pages, each as a whole.

        Raises:
            ReportError: they cannot be written; what was there before still is.
        """
        try:
            self.files.change_all(
                {f"{self.below}{name}": _replaced_by(body) for name, body in bodies.items()}
            )
        except StoreError as error:
            raise ReportError(f"no page can be written: {error}") from error
        except OSError as error:
            where = f" in {error.filename}" if error.filename else ""
            raise ReportError(f"no page can be written{where}: {error.strerror or error}") from error

    def split_own(self, tenant: str) -> tuple[list[str], list[str]]:
        """The keys of a tenant's pages, and of its folder of open data, which is kept with them."""
        found = self.files.list_keys(f"{self.below}{tenant}/")
        beside = {key for key in found if key.startswith(f"{self.below}{tenant}/open/")}
        return [key for key in found if key not in beside], sorted(beside)

    def overviews(self) -> list[str]:
        """The keys of the pages of all tenants, which name each."""
        return [
            key
            for key in self.files.list_keys(self.below)
            if key.endswith(".html") and key.count("/") == self.below.count("/")
        ]


def make_pages(settings: Settings) -> Pages:
    """The pages of this deployment: in its home, or in object storage with the other stores."""
    return Pages(make_storage(settings).files)


def make_page_address(settings: Settings, tenant: str, language: str = "de") -> str:
    """Where the tenant's page is: the webserver's own, unless the deployment says where else its pages are served."""
    return f"{make_pages_url(settings)}/{tenant}/{make_file_name(language)}"


def make_page_link(settings: Settings, tenant: str) -> str:
    """The same for links from the UI itself, which lead to its own host where nobody has said what that is called."""
    is_said = settings.reports_url or "ui_url" in settings.model_fields_set
    return make_page_address(settings, tenant) if is_said else f"{PATH}/{tenant}/{make_file_name('de')}"


def make_pages_url(settings: Settings) -> str:
    """The address below which pages are served."""
    return settings.reports_url.rstrip("/") or f"{settings.ui_url.rstrip('/')}{PATH}"


def _replaced_by(body: bytes) -> Callable[[bytes | None], bytes]:
    return lambda _: body
