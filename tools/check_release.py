"""Build the wheel and the source archive, install each with the lowest and the newest dependencies, and use them.

    python tools/check_release.py [--only wheel-newest]

Four environments are made one after the other in a temporary folder (1.2 GB each while it is there), by pip as it is
set up on this machine. Exits with 1 at the first thing that is wrong.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
EXTRAS = "vision,export,lab"
DEPENDENCIES = {"lowest": ["--constraint", str(PROJECT / "constraints-lowest.txt")], "newest": []}


def check_version() -> str:
    """The version, which the citation and the newest heading of the changes have to give too.

    Raises:
        SystemExit: one of them gives another.
    """
    version_file = PROJECT / "src" / "vectable" / "_version.py"
    (version,) = re.findall(r'"(.+)"', version_file.read_text(encoding="utf-8").partition("=")[2])
    (cited,) = re.findall(r"^version: (.+)$", (PROJECT / "CITATION.cff").read_text(encoding="utf-8"), re.M)
    newest = re.findall(r"^## (\S+?),? ", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[0]
    if {version, cited, newest} != {version}:
        sys.exit(f"The version is {version}, CITATION.cff gives {cited} and CHANGELOG.md begins with {newest}.")
    return version


def build(out: Path) -> dict[str, Path]:
    """The wheel and the source archive, by kind."""
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(PROJECT)], check=True)
    return {"wheel": next(out.glob("*.whl")), "archive": next(out.glob("*.tar.gz"))}


def use(archive: Path, dependencies: str, folder: Path) -> None:
    """Install an archive in an environment of its own, and run the smoke test there."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *DEPENDENCIES[dependencies], f"{archive}[{EXTRAS}]"]
    subprocess.run(install, check=True)
    subprocess.run([str(python), "-m", "pip", "check"], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    smoke = [str(python), "-W", "error::DeprecationWarning:__main__", str(PROJECT / "tools" / "smoke.py")]
    subprocess.run(smoke, check=True, cwd=folder, env=environment)


def main() -> None:
    """All four, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [f"{kind}-{dependencies}" for kind in ("wheel", "archive") for dependencies in DEPENDENCIES]
    parser.add_argument("--only", choices=names, help="one of the four environments")
    only = parser.parse_args().only
    print(f"vectable {check_version()}")
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder) / "dist")
        for name in [only] if only else names:
            kind, dependencies = name.split("-")
            print(f"\n{built[kind].name} with the {dependencies} dependencies", flush=True)
            use(built[kind], dependencies, Path(folder) / "environment")
            shutil.rmtree(Path(folder) / "environment")


if __name__ == "__main__":
    main()
