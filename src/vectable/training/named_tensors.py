"""Tensors of several parts in one file: each is called ``<part>.<name>``."""

from collections.abc import Mapping

from torch import Tensor


def tensors_named(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors of several parts as one file's."""
    return {f"{part}.{name}": value for part, tensors in parts.items() for name, value in tensors.items()}


def tensors_under(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """One part's tensors back."""
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}
