"""Requests by hand that are almost right: bodies that are no JSON, half characters, numbers beyond 64 bits."""

import json
import random
from typing import Any

from _served import get, post

USERS, ITEMS = 2_000, 2_000


def nonsense(rng: random.Random) -> bytes:
    """A request that is almost right."""
    base = rng.choice(["/v1/models/shop", "/v1/models/shop", "/v1/models/shop@x", "/v1/models/" + word(rng)])
    asked = f"n={rng.choice(numbers(rng))}&min_ratings={rng.choice(numbers(rng))}&by={rng.choice(['id', 'title', 'x'])}"
    if rng.random() < 0.45:
        paths = [
            f"/users/{word(rng)}/recommendations?{asked}&reasons={rng.choice(['true', 'x'])}",
            f"/items/{word(rng)}/similar?{asked}",
            f"/explanations?user={word(rng)}&item={word(rng)}&n={rng.choice(numbers(rng))}",
            f"/{word(rng)}",
        ]
        return get(base + rng.choice(paths))
    body = json.dumps(value(rng, 0)).encode() if rng.random() < 0.2 else json.dumps(almost(rng)).encode()
    if rng.random() < 0.1:
        body = body[: rng.randrange(len(body) + 1)] + rng.randbytes(rng.randrange(20))
    kind = "text/plain" if rng.random() < 0.03 else "application/json"
    return post(base + rng.choice(["/recommendations", "/fold-in", "/predict", "/predict"]), body, kind)


def almost(rng: random.Random) -> dict[str, Any]:
    """A body that one of the routes may take."""
    item = rng.choice([rng.randint(1, ITEMS), value(rng, 2)])
    body: dict[str, Any] = rng.choice(
        [
            {"users": [rng.randint(1, USERS), value(rng, 2)]},
            {"ratings": [{"item": item, "rating": rng.choice([3, 5, value(rng, 2)])}]},
            {"rows": [{"user": rng.randint(1, USERS), "item": item}, {"user": value(rng, 2), "item": item}]},
        ]
    )
    for name in (
        "n",
        "exclude_seen",
        "min_ratings",
        "candidates",
        "exclude",
        "max_per",
        "diversity",
        "ucb_scale",
        "by",
    ):
        if rng.random() < 0.08:
            body[name] = value(rng, 1)
    return body


def value(rng: random.Random, depth: int) -> Any:
    """Any JSON value."""
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return rng.choice([0, 1, -1, 3, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 0.5, 1e308, -0.0, float("nan")])
    if kind < 4:
        return rng.choice(["", "1", "title", "\x00", "\ud800", "é" * 300, "x" * 1_001, "1e5", "-", "nan", "\U0001f600"])
    if kind < 6:
        return rng.choice([None, True, False])
    if kind < 8:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {
        rng.choice(["item", "rating", "user", "title", "", "x"]): value(rng, depth + 1) for _ in range(rng.randrange(3))
    }


def numbers(rng: random.Random) -> list[Any]:
    return [1, 10, 1_000, 0, -1, 1_001, 2**63, "x", "", "1.5", "%00", rng.randint(1, 100)]


def word(rng: random.Random) -> str:
    one = rng.choice(
        ["1", "30", "x", "%2F", "%00", "%ff", "..", "%F0%9F%98%80", "a" * 1_001, "", "1/2", "%0A", "-1", "9" * 30]
    )
    return one + rng.choice(["", "", "?", "%20", str(rng.randint(1, ITEMS))])
