"""What requests may say: parameters and bodies, with their limits and an example each."""

import math
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from vectable.serving.limits import (
    LONGEST_LIST,
    LONGEST_NAME,
    MOST_CANDIDATES,
    MOST_COLUMNS,
    MOST_RATINGS,
    MOST_ROWS,
    MOST_USERS,
)

SMALLEST, LARGEST = -(2**63), 2**63 - 1  # whole numbers that an id can be


def _name(value: Any) -> Any:
    is_number = type(value) is int and SMALLEST <= value <= LARGEST
    if not (is_number or (type(value) is str and len(value) <= LONGEST_NAME)):
        raise ValueError(f"a name is a whole number or a text of at most {LONGEST_NAME:,} characters")
    return value


def _cell(value: Any) -> Any:
    kinds = (str, bool, int, float, type(None))
    if type(value) not in kinds or (type(value) is int and not SMALLEST <= value <= LARGEST):
        raise ValueError("a cell is a text, a number of up to 64 bits, true, false or null")
    return value


def _finite(value: Any) -> Any:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("a rating is a finite number")
    return value


Name = Annotated[
    Any,
    PlainValidator(_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": SMALLEST, "maximum": LARGEST},
                {"type": "string", "maxLength": LONGEST_NAME},
            ]
        }
    ),
]
Cell = Annotated[
    Any,
    PlainValidator(_cell),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "integer", "minimum": SMALLEST, "maximum": LARGEST},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "null"},
            ]
        }
    ),
]
Row = dict[str, Cell]
Rating = Annotated[Any, PlainValidator(_finite), WithJsonSchema({"type": "number"})]
By = Literal["id", "title"]

ModelName = Annotated[str, Path(max_length=210, description="A model's name, or name@version.", examples=["books"])]
PathName = Annotated[str, Path(max_length=LONGEST_NAME)]
QueryName = Annotated[str, Query(max_length=LONGEST_NAME)]
Length = Annotated[int, Query(ge=1, le=LONGEST_LIST, description="Length of the list.")]
Fewest = Annotated[
    int | None, Query(ge=0, le=LARGEST, description="Only items with at least this many training ratings.")
]
ReadBy = Annotated[By, Query(description="Whether items are named by their ids or by their titles.")]


class _Question(BaseModel):
    """A body: members that it does not have are refused, and so are texts where numbers belong."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ListQuestion(_Question):
    """The conditions of a list; those left out are as in `ListRequest`."""

    n: int = Field(10, ge=1, le=LONGEST_LIST, description="Length of the list.")
    exclude_seen: bool = Field(True, description="Leave out what the user knows.")
    by: By = Field("id", description="Whether items are named by their ids or by their titles.")
    min_ratings: int = Field(0, ge=0, le=LARGEST, description="Only items with at least this many training ratings.")
    candidates: list[Name] | None = Field(None, max_length=MOST_CANDIDATES, description="Only these items.")
    exclude: list[Name] | None = Field(None, max_length=MOST_CANDIDATES, description="None of these items.")
    max_per: dict[str, Annotated[int, Field(ge=1, le=LARGEST)]] | None = Field(
        None, max_length=20, description="At most so many items with the same value of a column, or of 'title'."
    )
    diversity: float = Field(0.0, ge=0, le=1, description="0 by score alone, to 1 as different as possible.")
    ucb_scale: float = Field(
        0.0, ge=-100, le=100, description="Rank by the prediction plus this many standard deviations."
    )

    @property
    def is_searched(self) -> bool:
        """Whether a list is chosen item by item, which takes longer."""
        return bool(self.max_per or self.diversity)


class UsersQuestion(ListQuestion):
    """Lists for many users."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"users": [1200, 7], "n": 3}]})
    users: list[Name] = Field(max_length=MOST_USERS, description="Ids of users.")


class GivenRating(_Question):
    """What a new user thinks of one item."""

    item: Name
    rating: Rating


class FoldInQuestion(ListQuestion):
    """A list for a user who is not in the training data, from ratings or, of interactions, from items."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ratings": [{"item": 751, "rating": 5}, {"item": 12, "rating": 2}], "n": 3}]}
    )
    ratings: list[GivenRating] | None = Field(
        None, max_length=MOST_RATINGS, description="Ratings on the scale of training; of interactions how often each."
    )
    items: list[Name] | None = Field(
        None, max_length=MOST_RATINGS, description="For models of interactions: a basket or session, the latest last."
    )
    features: Row | None = Field(
        None, max_length=MOST_COLUMNS, description="Values of columns of the users' side table, where there was one."
    )


class NewItemsQuestion(_Question):
    """Who would want items that nobody has met yet; or which of them some users would."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [{"item": 9001, "genre": "crime"}], "n": 3}]})
    items: list[Row] = Field(
        min_length=1, max_length=MOST_USERS, description="Each with its id and columns of the items' side table."
    )
    users: list[Name] | None = Field(
        None, min_length=1, max_length=MOST_USERS, description="Ids of users; by default they are found."
    )
    n: int = Field(10, ge=1, le=LONGEST_LIST, description="Users of each item, or items of each user.")


class RowsQuestion(_Question):
    """Rows to predict."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rows": [{"user": 1200, "item": 751}]}]})
    rows: list[Row] = Field(
        min_length=1, max_length=MOST_ROWS, description="Each with the columns that the model was trained on."
    )
