"""Where what was downloaded is kept."""

import os
import sys
from pathlib import Path


def cache_dir() -> Path:
    """Where downloaded sets and models are kept: the platform's cache folder for this user, not made yet perhaps.

    Examples:
        >>> import vectable as vt
        >>> vt.datasets.cache_dir().name
        'vectable'
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vectable"
