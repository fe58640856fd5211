"""What the description of the routes shows of answers: an example of each, and the refusals."""

from typing import Any

_MODEL = {"name": "books", "version": "5eb960e19701"}
_BOOK = {"item": 751, "title": "Preludes & Nocturnes (The Sandman #1)"}
_LISTED = {**_BOOK, "prediction": 4.67, "ratings": 63}
_NOTE = {
    "code": "unknown_user",
    "count": 1,
    "text": "1 unknown user (99999): the list is what the average user likes best.",
}

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong and what to do, in a sentence."},
        "mistakes": {
            "type": "array",
            "items": {"type": "object", "properties": {"where": {"type": "string"}, "mistake": {"type": "string"}}},
        },
    },
}
_REFUSALS = {
    400: "The body is not JSON, or the Host is not ours",
    401: "The token is missing or wrong",
    403: "The Origin is not allowed",
    404: "There is no such model, or no such name in it",
    408: "The request came too slowly",
    413: "The body is too long",
    415: "The body is not of the kind that the route takes, by its Content-Type",
    422: "A parameter is out of range",
    503: "Too much is asked at once; Retry-After says when to try again",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}
    for status, text in _REFUSALS.items()
}


def _answer(**example: Any) -> dict[str, Any]:
    """Keywords of a route whose answer looks so."""
    shown = {"model": _MODEL, **example}
    properties = {name: {"type": "object" if isinstance(one, dict) else "array"} for name, one in shown.items()}
    schema = {"type": "object", "required": list(shown), "properties": properties}
    found = {"description": "The answer", "content": {"application/json": {"schema": schema, "example": shown}}}
    same = {"description": "The client has the answer of this version"}
    return {"responses": {200: found, 304: same, **REFUSALS}, "response_model": None}


LIST = _answer(items=[_LISTED], notes=[_NOTE])
LISTS = _answer(users=[{"user": 1200, "items": [_LISTED]}], notes=[])
NEIGHBOURS = _answer(items=[{**_BOOK, "similarity": 0.83, "ratings": 63}], notes=[])
REASONS = _answer(
    terms=[{"term": "average", "meaning": "a middling item for a middling user", "points": 3.9}], notes=[]
)
TAKERS = _answer(items=[{"item": 9001, "users": [{"user": 1200, "score": 0.41}]}], notes=[])
TAKERS["responses"][200]["content"]["application/json"]["schema"]["required"] = ["model", "notes"]
PREDICTIONS = _answer(predictions=[4.67], notes=[])

CLASSES = _answer(classes=["ant", "bee"], predictions=["bee"], probabilities=[[0.08, 0.92]], notes=[])


def _operation(example: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {name: {} for name in example}
    schema = {"type": "object", "required": list(example), "properties": properties}
    found = {"description": "The answer", "content": {"application/json": {"schema": schema, "example": example}}}
    return {"responses": {200: found, **REFUSALS}, "response_model": None}


_ABOUT = {
    **_MODEL,
    "label": None,
    "kind": "ratings",
    "answers": ["recommend", "recommend_many", "fold_in", "similar", "explain", "predict"],
    "loaded": "2026-01-31T12:00:00+00:00",
    "problem": None,
}
MODELS = _operation({"models": [_ABOUT]})
MODEL = _operation(
    {
        **_ABOUT,
        "about": "RatingsData: ...",
        "columns": {"user": "user", "item": "item"},
        "classes": None,
        "search": None,
    }
)
RELOADED = _operation({"models": [{**_MODEL, "changed": True, "problem": None}]})
RELOADED["responses"][409] = {
    **RELOADED["responses"][200],
    "description": "A folder could not be loaded; its last version answers on",
}
HEALTH = _operation({"status": "ok"})
METRICS: dict[str, Any] = {
    "responses": {200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}, **REFUSALS},
    "response_model": None,
}
