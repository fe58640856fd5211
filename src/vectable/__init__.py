"""Vectable: embedding models from everyday tabular data.

The public names are listed in `__init__.pyi` beside this file, and each is imported when it is first asked for:
`import vectable` is quick, and torch comes in only when something trains or predicts.
"""

from vectable._version import __version__ as __version__
from vectable.public_names import PublicNames

_public = PublicNames(__name__, __file__)
__all__ = list(_public.names)


def __getattr__(name: str) -> object:
    if name in __all__:
        return _public.find(name)
    from vectable.deprecation import RENAMED, warn_renamed

    if name in RENAMED:
        warn_renamed(name, RENAMED[name])
        return _public.find(RENAMED[name])
    raise AttributeError(f"module 'vectable' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
