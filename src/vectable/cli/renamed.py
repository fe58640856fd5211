"""Options whose names changed: an old name is understood for one release and reported with the new one."""

from typing import Any

from typer.core import TyperCommand

from vectable.cli.output import report

RENAMED = {"--optimism": "--ucb-scale", "--target-kind": "--task"}
"""Options, old name to new; no command has an option by an old name."""


class Command(TyperCommand):
    """A command that understands the old names of its options; they are not in its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, old names replaced by new ones."""
        return super().parse_args(ctx, [_renamed(word) for word in args])


def _renamed(word: str) -> str:
    name, given, value = word.partition("=")
    if name not in RENAMED:
        return word
    report(f"note: {name} is now called {RENAMED[name]}; the old name will be removed in the next release.")
    return RENAMED[name] + given + value
