"""The `civitas` command itself, and what its commands share: consoles, progress and exit codes.

Each command is in the module of its subject.
"""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from civitas_assets.cli.arguments import Commands
from civitas_assets.errors import SettingsError
from civitas_assets.inert import escape_control_characters

if TYPE_CHECKING:
    from collections.abc import Container

    from civitas_assets.settings import Settings

app = Commands(
    name="civitas",
    help="Data integration for municipalities: sources in, harmonised tables per tenant out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from civitas_assets import __version__

        typer.echo(f"civitas {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version, and nothing else."
        ),
    ] = False,
) -> None:
    """Data integration for municipalities: sources in, harmonised tables per tenant out."""
    del version


# Tables of results need room, also where the output is no terminal.
_WIDTH = max(110, shutil.get_terminal_size().columns)


class _Terminal(Console):
    """A console to which texts are texts, in tables too."""

    def render_str(self, text: str, **options: Any) -> Text:
        """See `Console`."""
        return super().render_str(escape_control_characters(text), **options)

    def say(self, text: str) -> None:
        """Print a text as it is, on one line however long."""
        self.print(text, soft_wrap=True, markup=False)

    def say_error(self, text: object) -> None:
        """Print what went wrong."""
        self.print(f"[red]error[/] {quote(text)}", soft_wrap=True)

    def say_note(self, text: object) -> None:
        """Print what should be known, and is no error."""
        self.print(f"[yellow]note[/]  {quote(text)}", soft_wrap=True)


out = _Terminal(width=_WIDTH, emoji=False, highlight=False)  # ids may hold what looks like an emoji
err = _Terminal(stderr=True, width=_WIDTH, emoji=False, highlight=False)


def complete_tenants(incomplete: str) -> list[str]:
    """What completion in a shell offers; the files are not read for it."""
    files = read_settings().tenants_dir.glob("*.y*ml")
    return sorted(file.stem for file in files if file.stem.startswith(incomplete) and file.stem != "defaults")


def complete_sources(ctx: typer.Context, incomplete: str) -> list[str]:
    """The sources of the tenant that was named before, for completion in a shell."""
    from civitas_assets.catalog.outline import read_outlines

    # While an option lacks its value, what was given before has not been told apart yet.
    named = ctx.params.get("tenant") or ctx.params.get("what") or next(iter(ctx.args), "")
    found = read_outlines(read_settings().tenants_dir).get(str(named))
    return [name for name in found.cadences if name.startswith(incomplete)] if found else []


Tenant = Annotated[
    str,
    typer.Argument(
        help="The tenant's key: the name of its file without .yaml.", autocompletion=complete_tenants
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", "-s", help="Only this source; repeatable.", autocompletion=complete_sources),
]


def read_settings() -> Settings:
    """What the environment decides, read when a command needs it: `civitas --help` does not.

    Raises:
        SettingsError: with all variables that hold what they must not; never with what they hold.
    """
    from pydantic import ValidationError

    from civitas_assets.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise SettingsError(
            {"CIVITAS_" + "_".join(map(str, fault["loc"])).upper(): fault["msg"] for fault in faults}
        ) from None


def make_table(*names: str, numbers: Container[str] = ()) -> Table:
    """An empty table with these columns; those of numbers are flush right."""
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table


def quote(text: object) -> str:
    """The text with its brackets shown, not read as colours."""
    from rich.markup import escape

    return escape(str(text))


def show_log(settings: Settings) -> None:
    """Print the package's log as progress."""
    from rich.logging import RichHandler

    log = logging.getLogger("civitas_assets")
    log.setLevel(settings.log_level.upper())
    log.propagate = False
    if not log.handlers:
        handler = RichHandler(
            console=err, show_path=False, show_level=False, log_time_format="%H:%M:%S", markup=False
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)


def exit_unless(fine: bool) -> None:
    """End with 1 where something failed that was printed already."""
    if not fine:
        raise typer.Exit(1)
