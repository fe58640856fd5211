"""The routes that ask a model: lists, folding in, neighbours, reasons, predictions."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from vectable.errors import require
from vectable.serving import examples
from vectable.serving.asked_names import item_named, n_items, user_named
from vectable.serving.asking import Asking
from vectable.serving.json_route import JsonRoute
from vectable.serving.limits import LONGEST_REASONED
from vectable.serving.questions import (
    Fewest,
    FoldInQuestion,
    Length,
    ListQuestion,
    ModelName,
    NewItemsQuestion,
    PathName,
    QueryName,
    ReadBy,
    RowsQuestion,
    UsersQuestion,
)
from vectable.serving.shelf import ServedModel

REASONS = 3  # of each item
WITH_FEATURES = ("implicit", "next_item", "posterior")  # kinds that may know users by columns
INTERACTIONS = ("implicit", "next_item")  # kinds that know who took what, without ratings


def answer_routes(asking: Asking) -> APIRouter:
    """The routes, for models that `asking` asks."""
    router = APIRouter(prefix="/v1/models/{model}", route_class=JsonRoute, tags=["answers"])

    @router.get("/users/{user:path}/recommendations", summary="The list for one user", **examples.LIST)
    async def recommend(
        request: Request,
        model: ModelName,
        user: PathName,
        n: Length = 10,
        exclude_seen: bool = True,
        min_ratings: Fewest = None,
        reasons: Annotated[bool, Query(description="Say of each item which known ones speak for it.")] = False,
    ) -> Response:
        served = asking.model(model, "recommend")
        answers: Any = served.answers
        require(not reasons or n <= LONGEST_REASONED, f"n: with reasons at most {LONGEST_REASONED} items; got {n:,}.")
        name = user_named(answers, user)
        filters = {} if min_ratings is None else {"min_ratings": min_ratings}

        def ask() -> dict[str, Any]:
            found: dict[str, Any] = answers.recommend(name, n, exclude_seen, **filters)
            return _with_reasons(answers, name, found) if reasons else found

        if reasons:
            asking.model(model, "explain")
        quick = asking.is_quick_list(n if reasons else 1, n_items(answers), False)
        return await asking.answer(request, served, ask, quick)

    @router.post("/recommendations", summary="Lists for many users", **examples.LISTS)
    async def recommend_many(request: Request, model: ModelName, asked: UsersQuestion) -> Response:
        served = asking.model(model, "recommend_many")
        answers: Any = served.answers
        users = [user_named(answers, one) for one in asked.users]
        ask = partial(answers.recommend_many, users, asked.n, asked.exclude_seen, **_filters(answers, asked))
        quick = asking.is_quick_list(len(users), n_items(answers), asked.is_searched)
        return await asking.answer(request, served, ask, quick)

    @router.post("/fold-in", summary="The list for a new user, from a few ratings", **examples.LIST)
    async def fold_in(request: Request, model: ModelName, asked: FoldInQuestion) -> Response:
        served = asking.model(model, "fold_in")
        answers: Any = served.answers
        known = _known_of_user(served, asked)
        features = {} if asked.features is None else {"features": asked.features}
        ask = partial(answers.fold_in, known, asked.n, asked.exclude_seen, **features, **_filters(answers, asked))
        quick = asking.is_quick_list(1, n_items(answers), asked.is_searched) and len(known) <= 100
        return await asking.answer(request, served, ask, quick)

    @router.post("/recommend-new", summary="Who would want items that nobody has met yet", **examples.TAKERS)
    async def recommend_new(request: Request, model: ModelName, asked: NewItemsQuestion) -> Response:
        served = asking.model(model, "recommend_new")
        answers: Any = served.answers
        users = None if asked.users is None else [user_named(answers, one) for one in asked.users]
        asking.check_takers(len(asked.items), answers.data.n_users if users is None else len(users))
        return await asking.answer(request, served, partial(answers.recommend_new, asked.items, users, asked.n), False)

    @router.get("/items/{item:path}/similar", summary="The items most like one", **examples.NEIGHBOURS)
    async def similar(
        request: Request,
        model: ModelName,
        item: PathName,
        n: Length = 10,
        min_ratings: Fewest = None,
        by: ReadBy = "id",
    ) -> Response:
        served = asking.model(model, "similar")
        answers: Any = served.answers
        filters = {} if min_ratings is None else {"min_ratings": min_ratings}
        ask = partial(answers.similar, item_named(answers, item, by), n, **filters)
        return await asking.answer(request, served, ask, asking.is_quick_list(1, n_items(answers), False))

    @router.get("/explanations", summary="Why this prediction", **examples.REASONS)
    async def explain(
        request: Request,
        model: ModelName,
        user: QueryName,
        item: QueryName,
        n: Annotated[int, Query(ge=1, le=LONGEST_REASONED, description="Number of known items to name.")] = 5,
        by: ReadBy = "id",
    ) -> Response:
        served = asking.model(model, "explain")
        answers: Any = served.answers
        ask = partial(answers.explain, user_named(answers, user), item_named(answers, item, by), n)
        return await asking.answer(request, served, ask, True)

    @router.post("/predict", summary="Predictions of rows", **examples.PREDICTIONS)
    async def predict(request: Request, model: ModelName, asked: RowsQuestion) -> Response:
        served = asking.model(model, "predict")
        answers: Any = served.answers
        quick = len(asked.rows) <= asking.limits.quick_rows
        return await asking.answer(request, served, partial(answers.predict, asked.rows), quick)

    return router


def _known_of_user(served: ServedModel, asked: FoldInQuestion) -> dict[Any, float] | list[Any]:
    """What a new user rated or took; nothing where columns alone tell who it is."""
    by_features = asked.features is not None
    require(
        not by_features or served.kind in WITH_FEATURES,
        f"features: the model {served.name!r} of kind {served.kind!r} knows new users by their ratings alone.",
    )
    require(
        (asked.ratings is None) != (asked.items is None) or (by_features and asked.ratings is None),
        'body: say either what the user rated, {"ratings": [{"item": ..., "rating": ...}]}, or, to a model of '
        'interactions, what he or she took, {"items": [...]}.',
    )
    if asked.items is not None:
        require(
            served.kind in INTERACTIONS,
            f"items: the model {served.name!r} of kind {served.kind!r} needs ratings: "
            '{"ratings": [{"item": ..., "rating": ...}]}.',
        )
        return [item_named(served.answers, one, asked.by) for one in asked.items]
    given = asked.ratings or []
    ratings = {item_named(served.answers, one.item, asked.by): one.rating for one in given}
    require(
        len(ratings) == len(given),
        f"ratings: {len(given):,} ratings are of {len(ratings):,} items; rate each item once.",
    )
    return ratings


def _filters(answers: Any, asked: ListQuestion) -> dict[str, Any]:
    """The conditions that a request names, by the names of `ListRequest`."""
    given = asked.model_fields_set & {"min_ratings", "candidates", "exclude", "max_per", "diversity", "ucb_scale"}
    filters = {name: getattr(asked, name) for name in given}
    for name in given & {"candidates", "exclude"}:
        if filters[name] is not None:
            filters[name] = [item_named(answers, one, asked.by) for one in filters[name]]
    return filters


def _with_reasons(answers: Any, user: Any, found: dict[str, Any]) -> dict[str, Any]:
    for item in found["items"]:
        terms = answers.explain(user, item_named(answers, item["item"], "id"), REASONS)["terms"]
        item["because"] = [
            {name: term[name] for name in ("item", "title", "your_rating", "points") if name in term}
            for term in terms
            if "item" in term
        ]
    return found
