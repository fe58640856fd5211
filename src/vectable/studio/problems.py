"""Refusals that several routes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from http import HTTPStatus

from vectable.serving.access import RefusalError

FULL = {ENOSPC, EDQUOT}


def not_found(sentence: str) -> RefusalError:
    """There is nothing of that name."""
    return RefusalError(HTTPStatus.NOT_FOUND, sentence)


def unusable(sentence: str) -> RefusalError:
    """What was sent cannot be used."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)


def conflict(sentence: str) -> RefusalError:
    """It cannot be done as things are now."""
    return RefusalError(HTTPStatus.CONFLICT, sentence)


@contextmanager
def told_when_full(what: str) -> Iterator[None]:
    """Let a disk that is full, or refuses, be a sentence.

    Args:
        what: that was to be written, as the sentence begins.
    """
    try:
        yield
    except OSError as why:
        if why.errno in FULL:
            sentence = f"{what} was not kept: the disk is full. Make room and try again; nothing else was lost."
            raise RefusalError(HTTPStatus.INSUFFICIENT_STORAGE, sentence) from why
        raise unusable(f"{what} was not kept: {why.strerror or why}.") from why
