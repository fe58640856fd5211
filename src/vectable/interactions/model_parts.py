"""Models of histories as arrays and plain values, for saved folders, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vectable.data.interactions.interactions_data import InteractionsData
from vectable.errors import VectableError
from vectable.factorising.als import ALSOptions, ImplicitALS
from vectable.factorising.history_models import Blend, FactorModel, HistoryModel, LinearModel
from vectable.factorising.history_weights import HistoryWeights
from vectable.factorising.saved_weights import take_weights
from vectable.folder_schema import (
    Array,
    PartError,
    list_of,
    mapping,
    number,
    one_of,
    part,
    record,
    take_arrays,
    text,
    whole,
)

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

Arrays = dict[str, NDArray[Any]]

LANES = 16  # floats that the kernels take at once: `vectable.vectors.LANES`, whose import compiles
WEIGHING = record(alpha=number(0), power=number(0), reach=number(1e-6))
OPTIONS = record(
    n_factors=whole(1, 100_000),
    epochs=whole(0, 1_000_000),
    reg=number(1e-12, 1e12),
    unobserved=number(0, 1e12),
    nu=number(-10, 10),
    steps=whole(1, 1_000),
    seed=whole(0, 2**63),
)
FACTORS = record(options=OPTIONS, n_users=whole(), weighing=WEIGHING)
LINEAR = record(weighing=WEIGHING, arrays=list_of(text, 1))
BLEND = record(models=list_of(mapping, 1, 10), shares=list_of(number(0), 1, 10))
SEQUENCE = record(options=mapping, epochs=whole())
"""The forms of the models of histories in a saved folder."""


def model_to_parts(model: HistoryModel, prefix: str = "") -> tuple[dict[str, Any], Arrays]:
    """The form of a model as JSON values, and its arrays by name."""
    if isinstance(model, Blend):
        forms: list[dict[str, Any]] = []
        arrays: Arrays = {}
        for at, one in enumerate(model.models):
            form, more = model_to_parts(one, f"{prefix}{at}.")
            forms.append(form)
            arrays |= more
        return {"kind": "blend", "models": forms, "shares": list(model.shares)}, arrays
    if isinstance(model, FactorModel):
        form = {"kind": "factors", "options": asdict(model.als.options), "n_users": model.als.n_users}
        return {**form, "weighing": model.weighing.to_json()}, {f"{prefix}items": model.als.items}
    if isinstance(model, LinearModel):
        held = {f"{prefix}{name}": one for name, one in model.weights.to_arrays().items()}
        return {"kind": "linear", "weighing": model.weighing.to_json(), "arrays": list(held)}, held
    return _net_to_parts(model)


def model_from_parts(form: Any, tensors: Mapping[str, Mapping[str, "Numbers"]], n_items: int) -> HistoryModel:
    """The model back from `model_to_parts`.

    Args:
        tensors: of the folder's files, by file and name; the model's are those of "weights".
        n_items: items of the vocabulary, the unknown among them, which every array must fit.

    Raises:
        PartError: a value or an array is not as it must be, or they do not fit each other or the vocabulary.
    """
    kind = part(
        mapping(form, "learner.model"), "kind", one_of("blend", "factors", "linear", "sequence"), "learner.model."
    )
    if kind == "sequence":
        return _net_from_parts(form, tensors, n_items)
    if kind == "blend":
        blend = BLEND(form, "learner.model")
        if len(blend["shares"]) != len(blend["models"]):
            raise PartError("learner.model.shares must have an entry for each of its models")
        models = [_from(one, tensors, f"{at}.", n_items) for at, one in enumerate(blend["models"])]
        return Blend(models, [float(share) for share in blend["shares"]])
    return _from(form, tensors, "", n_items)


def factors_from_parts(form: Any, tensors: Mapping[str, Mapping[str, "Numbers"]], n_items: int) -> FactorModel:
    """Factors that stand beside the model, back from `model_to_parts` with the prefix "new.".

    Raises:
        PartError: a value or an array is not as it must be.
    """
    found = _from(form, tensors, "new.", n_items)
    if not isinstance(found, FactorModel):
        raise PartError("learner.new_rows.factors must be factors")
    return found


def saved_directions(tensors: Mapping[str, Mapping[str, "Numbers"]], data: InteractionsData) -> NDArray[np.float32]:
    """The items' vectors of length 1 in a saved folder, (items + 1, width).

    Raises:
        PartError: they are missing, or not as many as the items.
    """
    schema = {"directions": Array("float32", "items+1 width", finite=True)}
    return take_arrays(tensors, "weights", schema, {"items": data.n_items})["directions"]


def _net_to_parts(model: HistoryModel) -> tuple[dict[str, Any], Arrays]:
    from vectable.interactions.sequence_model import SequenceModel

    if not isinstance(model, SequenceModel):
        raise TypeError(f"a {type(model).__name__} cannot be saved")
    options = {name: one for name, one in asdict(model.options).items() if name not in ("device", "checkpoint")}
    arrays = {f"net.{name}": one.cpu().numpy() for name, one in model.net.state_dict().items()}
    return {"kind": "sequence", "options": options, "epochs": model.epochs}, arrays


def _net_from_parts(form: Any, tensors: Mapping[str, Mapping[str, "Numbers"]], n_items: int) -> HistoryModel:
    import torch

    from vectable.interactions.sasrec_training import SASRecOptions, new_net
    from vectable.interactions.sequence_model import SequenceModel

    form = SEQUENCE(form, "learner.model")
    try:
        options = SASRecOptions.of(form["options"])
    except (VectableError, TypeError) as error:
        raise PartError(f"learner.model.options: {error}") from error
    with torch.device("meta"):
        net = new_net(n_items, options)
    schema = {
        f"net.{name}": Array("float32", " ".join(map(str, one.shape)), finite=True)
        for name, one in net.state_dict().items()
    }
    held = take_arrays(tensors, "weights", schema, {})
    state = {name.removeprefix("net."): torch.from_numpy(np.array(one)) for name, one in held.items()}
    net.load_state_dict(state, assign=True)
    return SequenceModel(net.eval(), options, form["epochs"])


def _from(
    form: Any, tensors: Mapping[str, Mapping[str, "Numbers"]], prefix: str, n_items: int
) -> FactorModel | LinearModel:
    where, sizes = f"learner.model{'.models.' * bool(prefix)}{prefix.rstrip('.')}", {"items": n_items}
    if part(mapping(form, where), "kind", one_of("factors", "linear"), f"{where}.") == "factors":
        form = FACTORS(form, where)
        schema = {f"{prefix}items": Array("float32", "items width", least=-1e6, below=1e6)}
        items = take_arrays(tensors, "weights", schema, sizes)[f"{prefix}items"]
        if items.shape[1] % LANES or not items.shape[1]:
            raise PartError(f"weights.{prefix}items is {items.shape[1]} wide and must be a multiple of {LANES}")
        als = ImplicitALS(ALSOptions(**form["options"]), np.ascontiguousarray(items), form["n_users"])
        return FactorModel(als, HistoryWeights(**form["weighing"]))
    form = LINEAR(form, where)
    weights = take_weights(tensors, "weights", form["arrays"], sizes, prefix)
    return LinearModel(weights, HistoryWeights(**form["weighing"]))
