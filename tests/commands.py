"""The command line as the tests run it: a process of its own, and what its answer must look like."""

import subprocess
import sys


def vectable(*args, **how):
    """Run the command as a user does: a process of its own, its two outputs apart."""
    command = [sys.executable, "-m", "vectable", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", **how)


def sentence(done):
    """The one sentence of a command that refused."""
    assert done.returncode == 1
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if not line.startswith(("note: ", "Columns: ", "Classes: "))]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("vectable: ")
    assert said[0].endswith((".", "?"))
    return said[0]


def good(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done
