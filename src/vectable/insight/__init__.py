"""Looking at what was learned: summaries, components, maps, distances, neighbours, reasons. Knows nothing of training
loops. Its public names are listed in `__init__.pyi` beside this file."""

from vectable.public_names import PublicNames

_public = PublicNames(__name__, __file__)
__all__ = list(_public.names)


def __getattr__(name: str) -> object:
    if name in __all__:
        return _public.find(name)
    raise AttributeError(f"module 'vectable.insight' has no attribute {name!r}")
