"""Small JSON files that are read while others write them: replaced in one step, whole or not at all."""

from pathlib import Path
from typing import Any

import orjson

from vectable.data.io.writing import write_whole

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def write_json(path: Path, value: Any) -> None:
    """Replace a file.

    Raises:
        DataError: it cannot be written.
    """
    body = orjson.dumps(value, str, OPTIONS)
    write_whole(path, lambda file: file.write(body))


def read_json_file(path: Path, default: Any = None) -> Any:
    """What a file holds; `default` where it is not there or is damaged."""
    try:
        return orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return default
