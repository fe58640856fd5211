"""`python -m vectable`: the command line."""

from vectable.cli import run

run()
