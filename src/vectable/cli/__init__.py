"""The command line. `run` is its entry; nothing in the package imports it."""

import sys
import warnings

from vectable.cli.notes import Notes
from vectable.errors import VectableError, VectableWarning


def run() -> None:
    """Run the command that the arguments name.

    A user's mistake, or a disk that refuses, is one sentence on standard error and exit code 1.
    """
    from vectable.cli.app import app

    notes = Notes()
    warnings.showwarning = notes.show
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", VectableWarning)
    try:
        app(prog_name="vectable")
    except (VectableError, OSError) as problem:
        notes.close()
        print(f"vectable: {problem}", file=sys.stderr)
        sys.exit(1)
    finally:
        notes.close()
