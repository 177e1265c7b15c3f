"""Commands whose help explains their arguments too.

The library's own class hands the text of an argument to a base class of another version, which forgets it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand
from typer.models import ArgumentInfo
from typer.utils import get_params_from_function

if TYPE_CHECKING:
    import click


class Command(TyperCommand):
    """A command that knows what its function says of its arguments."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, with a text for each argument."""
        said = get_params_from_function(inspect.unwrap(self.callback)) if self.callback else {}
        for argument in self.params:
            info = said[argument.name].default if argument.name in said else None
            if isinstance(argument, TyperArgument) and isinstance(info, ArgumentInfo) and not argument.help:
                argument.help = info.help
        super().format_help(ctx, formatter)


class Commands(typer.Typer):
    """A group of such commands."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """See `typer.Typer`."""
        return super().command(name, **{"cls": Command, **settings})
