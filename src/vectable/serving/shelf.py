"""The models that a server answers from: loaded, looked up by name and version, replaced while requests run."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vectable.artifact import MANIFEST, read_manifest
from vectable.errors import UnknownNameError, VectableError, did_you_mean, require

if TYPE_CHECKING:
    from vectable.answers.loading import Search

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[A-Za-z0-9._-]{1,100})?")


class Answers(Protocol):
    """What `load_answers` returns: an object that never changes, with a method per question."""

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits that tell this folder from any other."""
        ...


@dataclass(frozen=True)
class ServedModel:
    """A model as it was loaded; a request keeps the one it began with.

    Attributes:
        name: that requests call it by.
        label: behind the ``@`` of the name; None where none was given.
        answers: what it answers from.
        kind: of the saved folder: "ratings", "table", ...
        settings: that the saved folder keeps.
        loaded: when.
    """

    name: str
    label: str | None
    answers: Answers
    kind: str
    settings: dict[str, Any]
    loaded: datetime

    @property
    def version(self) -> str:
        """The version of the folder's contents."""
        return self.answers.version


@dataclass(frozen=True)
class Reloaded:
    """What became of one model when folders were read again.

    Attributes:
        name: with its label.
        version: that answers now.
        changed: whether it is another than before.
        problem: why the folder could not be loaded; the version before it answers on.
    """

    name: str
    version: str
    changed: bool
    problem: str | None


class Shelf:
    """Models by name, several versions of a name side by side.

    Args:
        models: folders by name; a name may end in ``@label``. Of several of one name the last answers where no version
            is asked for.
        search: how lists are found; see `load_answers`.
        may_be_empty: whether there may be none yet; `put` adds some.

    Raises:
        VectableError: a name that is none or is given twice, or a folder that cannot be answered from.
    """

    def __init__(self, models: dict[str, Path], search: "Search" = "exact", may_be_empty: bool = False) -> None:
        require(bool(models) or may_be_empty, "There is no model to serve; name a folder.")
        for name in models:
            _check_name(name)
        self._folders, self._search = dict(models), search
        self._one_at_a_time = threading.Lock()
        self._seen = {name: _stamp(folder) for name, folder in self._folders.items()}
        self._models = {name: _load(name, folder, search) for name, folder in self._folders.items()}
        self._problems: dict[str, str] = {}

    def __iter__(self) -> Iterator[ServedModel]:
        """The models in the order in which they were given."""
        return iter(list(self._models.values()))

    def problem_of(self, model: ServedModel) -> str | None:
        """Why the last reload of a model failed; None where it did not."""
        return self._problems.get(_full_name(model))

    def find(self, asked: str) -> ServedModel:
        """The model of a name, or of ``name@version``, where the version is a label or the folder's own.

        Raises:
            UnknownNameError: there is none.
        """
        exact = self._models.get(asked)
        if exact is not None:
            return exact
        name, _, version = asked.partition("@")
        of_name = [one for one in self._models.values() if one.name == name]
        if not of_name:
            known = sorted({one.name for one in self._models.values()})
            raise UnknownNameError(
                f"There is no model {asked[:120]!r}.{did_you_mean(name[:120], known)} There are: {', '.join(known)}."
            )
        for one in reversed(of_name):
            if not version or version == one.version:
                return one
        known = [one.version if one.label is None else f"{one.label} ({one.version})" for one in of_name]
        raise UnknownNameError(f"The model {name!r} has no version {version[:120]!r}. It has: {', '.join(known)}.")

    def put(self, name: str, folder: Path) -> None:
        """Load a model and answer from it too; one of this name is replaced once the new one is loaded.

        Raises:
            VectableError: a name that is none, or a folder that cannot be answered from.
        """
        _check_name(name)
        with self._one_at_a_time:
            stamp = _stamp(folder)
            loaded = _load(name, folder, self._search)
            self._folders = {**self._folders, name: folder}
            self._models = {**self._models, name: loaded}
            self._seen[name] = stamp
            self._problems.pop(name, None)

    def remove(self, name: str) -> None:
        """Answer no more from a model; nothing where there is none of this name."""
        with self._one_at_a_time:
            self._folders = {one: folder for one, folder in self._folders.items() if one != name}
            self._models = {one: model for one, model in self._models.items() if one != name}
            self._problems.pop(name, None)

    def reload(self, only_changed: bool = False) -> list[Reloaded]:
        """Read folders again and answer from what they hold now; one that cannot be loaded leaves the model before.

        It takes as long as loading; requests go on meanwhile, and one at a time loads.

        Args:
            only_changed: leave out folders whose manifest is the one seen last.
        """
        done = []
        with self._one_at_a_time:
            for name, folder in self._folders.items():
                stamp = _stamp(folder)
                if only_changed and stamp == self._seen[name]:
                    continue
                self._seen[name] = stamp
                done.append(self._reload_one(name, folder))
        return done

    def _reload_one(self, name: str, folder: Path) -> Reloaded:
        before = self._models[name]
        try:
            after = _load(name, folder, self._search)
        except (VectableError, OSError) as why:
            self._problems[name] = str(why)
            return Reloaded(name, before.version, False, str(why))
        self._problems.pop(name, None)
        if after.version == before.version:
            return Reloaded(name, before.version, False, None)
        self._models[name] = after
        return Reloaded(name, after.version, True, None)


def _check_name(name: str) -> None:
    require(
        NAME.fullmatch(name) is not None,
        f"{name[:120]!r} cannot name a model: use letters, digits, '.', '_' and '-', and a version behind '@'.",
    )


def _load(name: str, folder: Path, search: "Search") -> ServedModel:
    from vectable.answers.loading import load_answers

    answers = load_answers(folder, search=search)
    _warm(answers)
    manifest = read_manifest(folder)
    name, _, label = name.partition("@")
    return ServedModel(name, label or None, answers, manifest["kind"], manifest["settings"], datetime.now(UTC))


def _warm(answers: Any) -> None:
    """Ask for what takes longer the first time, so that no request waits for it."""
    items = getattr(getattr(answers, "data", None), "item_ids", None)
    if items is not None and len(items.vocabulary) and hasattr(answers, "similar"):
        answers.similar(items.vocabulary[0], 1)


def _full_name(model: ServedModel) -> str:
    return model.name if model.label is None else f"{model.name}@{model.label}"


def _stamp(folder: Path) -> tuple[int, int, int] | None:
    """What changes when a save replaces a folder's manifest; None where there is none."""
    try:
        about = (folder / MANIFEST).stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
