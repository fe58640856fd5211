"""What serves new users and items as arrays and plain values, for saved folders, and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vectable.factorising.als import ImplicitALS
from vectable.factorising.feature_map import FeatureMap
from vectable.factorising.history_models import FactorModel, HistoryModel
from vectable.folder_schema import Array, PartError, mapping, optional, record, take_arrays
from vectable.interactions.interaction_features import InteractionFeatures
from vectable.interactions.model_parts import Arrays, factors_from_parts, model_to_parts
from vectable.interactions.new_rows import NewRows

if TYPE_CHECKING:
    from vectable.folder_schema import Numbers

FORM = record(encoders=mapping, factors=optional(mapping))
"""The form in a saved folder; no factors where they are the model's own."""
PREFIX = "new."


def own_factors(model: HistoryModel) -> FactorModel | None:
    """The factors that a model has, or a part of a blend."""
    parts = getattr(model, "models", [model])
    return next((one for one in parts if isinstance(one, FactorModel)), None)


def new_rows_to_parts(new: NewRows | None, model: HistoryModel) -> tuple[dict[str, Any] | None, Arrays]:
    """The form as JSON values, and the arrays by name."""
    if new is None:
        return None, {}
    own = own_factors(model)
    is_own = own is not None and new.model.als.items is own.als.items
    form, arrays = (None, {}) if is_own else model_to_parts(new.model, PREFIX)
    for name, one in (("item_map", new.model.als.item_map), ("user_map", new.model.als.user_map)):
        if one is not None:
            arrays[PREFIX + name] = one.weights
    return {"encoders": new.features.to_json(), "factors": form}, arrays


def new_rows_from_parts(
    form: Any, tensors: "Mapping[str, Mapping[str, Numbers]]", model: HistoryModel, n_items: int
) -> NewRows | None:
    """What serves new users and items back from `new_rows_to_parts`.

    Raises:
        PartError: a value or an array is not as it must be.
    """
    if form is None:
        return None
    form = FORM(form, "learner.new_rows")
    features = InteractionFeatures.from_json(form["encoders"], "learner.new_rows.encoders")
    factors = own_factors(model) if form["factors"] is None else factors_from_parts(form["factors"], tensors, n_items)
    if factors is None:
        raise PartError("learner.new_rows.factors are missing")
    als = factors.als
    maps: dict[str, FeatureMap | None] = {}
    for name, side in (("item_map", features.items), ("user_map", features.users)):
        if side is None:
            maps[name] = None
            continue
        schema = {PREFIX + name: Array("float32", "rows width", finite=True)}
        sizes = {"rows": side.n_features + 1, "width": als.items.shape[1]}
        maps[name] = FeatureMap(take_arrays(tensors, "weights", schema, sizes)[PREFIX + name])
    mapped = ImplicitALS(als.options, als.items, als.n_users, maps["item_map"], maps["user_map"])
    return NewRows(FactorModel(mapped, factors.weighing), features)
