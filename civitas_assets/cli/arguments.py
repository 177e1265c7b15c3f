"""Commands whose help explains their arguments too, and of which only the one that is asked for is made out.

The library's own class hands the text of an argument to a base class of another version, which forgets it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand
from typer.main import get_command_name
from typer.models import ArgumentInfo, TyperInfo
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

    def select_command(self, word: str) -> Commands:
        """The same with that command or group alone, if there is one: all are asked for help and completion only.

        Making out what each of them takes costs more than many a command.
        """
        commands = [
            info
            for info in self.registered_commands
            if info.callback and word == (info.name or get_command_name(info.callback.__name__))
        ]
        groups = [info for info in self.registered_groups if word == _name_group(info)]
        if not commands and not groups:
            return self
        chosen = copy(self)
        chosen.registered_commands, chosen.registered_groups = commands, groups
        return chosen


def _name_group(info: TyperInfo) -> str:
    own = info.typer_instance.info.name if info.typer_instance else ""
    return str(info.name or own)
