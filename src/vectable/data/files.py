"""Tables from files and back: CSV, TSV and other separated text, Parquet, Arrow, JSON.

Separated text is read by polars as text first, and every column then judged over all its values, so that a
value on the last row counts as much as one on the first:

- whole numbers become integers, other numbers floats, everything else (dates, true/false) stays text;
- a column in which a value is not written as a number would be (``007``, ``+7``, ``-0``, or more digits than
  a number can hold) stays text, since it names something rather than counts it;
- where every value of a column begins with a space (``a, b``), the spaces are no part of the values;
- an empty field is missing, quoted or not, and so is NA, N/A, null or NULL among numbers;
- a line without a single value is skipped.
"""

import codecs
import csv
import encodings.aliases
import gzip
import io
import math
import os
import secrets
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from vectable.errors import DataError, VectableWarning, did_you_mean, quote_some

SEPARATORS = {"::": "'::'", "\t": "a tab", ";": "';'", "|": "'|'", ",": "','"}
"""What is looked for when no separator is given, the rarer in ordinary text first, and how to say it."""

_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 24
_STAND_INS = (b"\x1f", b"\x1e", b"\x1d", b"\x1c", b"\x02", b"\x01")

_STARTS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
    b"\x1f\x8b": "gzip",
}
_NOT_TABLES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save its sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save its sheet as CSV",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it, or compress it with gzip",
    b"BZh": "compressed with bzip2; unpack it, or compress it with gzip",
    b"\xfd7zXZ": "compressed with xz; unpack it, or compress it with gzip",
    b"FEA1": "a Feather file of version 1; write it again as Parquet or as Feather version 2",
}
_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}

_MISSING_NUMBERS = ["NA", "N/A", "null", "NULL"]
_NAMED_INTEGER = r"^(?:\+|-?0[0-9]|-0$)"
_NAMED_FLOAT = r"^[+-]?(?:0[0-9]|[0-9]{16,}$)"


# ---------------------------------------------------------------------------------------------- reading


def read_table(
    path: str | Path,
    *,
    sep: str | None = None,
    has_header: bool = True,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
) -> pl.DataFrame:
    """Read a file as a table.

    Parquet, Arrow and JSON files are known by how they begin or by their suffix; everything else is separated
    text, gzip-compressed or not. The last three arguments but `columns` are for separated text.

    Args:
        path: the file.
        sep: separator, of one or more characters. By default a comma for .csv and a tab for .tsv, and for
            another suffix, or where that does not occur, what of ``:: tab ; | ,`` the first lines agree on.
            With a separator of more than one character, quotation marks are ordinary characters.
        has_header: whether the first line names the columns. Without one they are column_1, column_2, ...
        columns: names for the columns, in the file's order, in place of the header's.
        encoding: of the text; any name Python knows. UTF-8 may begin with a byte-order mark.

    Returns:
        The table; see the module's text for what becomes a number. A file of only a header has 0 rows.

    Raises:
        DataError: when there is no such file, when it cannot be read as what it seems to be, with the line
            where known, and when `columns` does not fit.

    Warns:
        VectableWarning: when the line taken as the header holds nothing but numbers.
    """
    path = _existing_file(path)
    names = None if columns is None else list(columns)
    if names is not None and (twice := _repeated(names)):
        raise DataError(f"columns names {twice[0]!r} more than once; every column needs a name of its own.")
    kind = _kind(path)
    try:
        if kind in _BINARY_READERS:
            frame = _read_binary(path, kind)
        else:
            frame = _SeparatedText(path, kind == "gzip", sep, has_header, names, encoding).read()
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    if names is None:
        return frame
    if len(names) != frame.width:
        raise DataError(
            f"{path} has {_count(frame.width, 'column')} ({quote_some(frame.columns)}), "
            f"but columns gives {_count(len(names), 'name')}; give one a column, in the file's order."
        )
    frame.columns = names
    return frame


def _existing_file(path: str | Path) -> Path:
    path = Path(path).expanduser()
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.is_file())
        holds = f" It holds {quote_some(inside, 6)}." if inside else ""
        raise DataError(f"{path} is a folder; name a file in it.{holds}")
    if path.is_file():
        return path
    if path.exists():
        raise DataError(f"{path} is not an ordinary file, and is read more than once; save it as one first.")
    if not path.parent.is_dir():
        raise DataError(f"No such file: {path} (the folder {path.parent} does not exist).")
    others = (p.name for p in path.parent.iterdir() if p.is_file())
    hint = did_you_mean(path.name, others) or f" Its folder {path.parent.resolve()} has none like it."
    raise DataError(f"No such file: {path}.{hint}")


def _kind(path: Path) -> str:
    """The file's kind by its first bytes, else by its suffix, else "text"."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror}.") from None
    if not start:
        raise DataError(f"{path} is empty.")
    for magic, what in _NOT_TABLES.items():
        if start.startswith(magic):
            raise DataError(f"{path} is {what}.")
    for magic, kind in _STARTS.items():
        if start.startswith(magic):
            return kind
    return _SUFFIXES.get(path.suffix.lower(), "text")


def _read_binary(path: Path, kind: str) -> pl.DataFrame:
    try:
        with path.open("rb") as file:
            return _BINARY_READERS[kind](file)
    except (PolarsError, PanicException, ValueError, OSError, RuntimeError) as problem:
        raise DataError(
            f"{path} is damaged, or no {_SAID[kind]} file in spite of its name: {_first_line(problem)}."
        ) from None


_SAID = {
    "parquet": "Parquet",
    "arrow": "Arrow",
    "arrow stream": "Arrow stream",
    "json": "JSON",
    "jsonl": "JSON Lines",
}
_BINARY_READERS: dict[str, Callable[[IO[bytes]], pl.DataFrame]] = {
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
    "arrow stream": pl.read_ipc_stream,
    "json": lambda file: pl.read_json(file.read(), infer_schema_length=None),
    "jsonl": lambda file: pl.read_ndjson(file, infer_schema_length=None),
}


class _SeparatedText:
    """One file of separated text on its way to a table; `read` is the whole journey.

    `data` is the UTF-8 text, either as the file it lies in, so that a big one is never copied, or as bytes
    where something had to be undone first: compression, an encoding, a separator polars does not take.
    """

    def __init__(
        self,
        path: Path,
        gzipped: bool,
        sep: str | None,
        has_header: bool,
        names: list[str] | None,
        encoding: str,
    ) -> None:
        self.path = path
        self.has_header = has_header
        self.data = _utf8(path, gzipped, encoding)
        self.head = _head(self.data, path)
        if not self.head.strip():
            raise DataError(f"{path} is empty: it holds nothing but blank lines.")
        self.blank_lines = len(self.head[: len(self.head) - len(self.head.lstrip("\r\n"))].splitlines())
        self.sep = self._separator(sep, one_column=names is not None and len(names) == 1)
        self.quoted = len(self.sep.encode()) == 1
        self.first = self._fields_of_first_line()

    def read(self) -> pl.DataFrame:
        self._check_header()
        if self.quoted and not _quotes_are_regular(_as_array(self.data), ord(self.sep)):
            self.data = self._requoted()
        self.polars_sep = self._separator_for_polars()
        refused: BaseException | None = None
        try:
            frame = pl.read_csv(
                self._bytes().lstrip(b"\r\n") if self.blank_lines else self.data,
                separator=self.polars_sep,
                has_header=self.has_header,
                quote_char='"' if self.quoted else None,
                infer_schema=False,
                null_values="",
                glob=False,
            )
        except (PolarsError, PanicException) as problem:
            refused = problem
        if refused is not None:
            self._explain(refused)
        short_lines = frame.width > 1 and frame[:, -1].null_count() > 0
        if frame.width != len(self.first) or short_lines:
            self._check_lines()
        frame.columns = self.first if self.has_header else [f"column_{n + 1}" for n in range(frame.width)]
        return _typed(_without_blank_rows(frame))

    def _separator(self, sep: str | None, one_column: bool) -> str:
        """The separator given, the suffix's, or the one that the first lines agree on."""
        if sep is not None:
            sep = "\t" if sep == "\\t" else sep
            if not sep or any(mark in sep for mark in '"\r\n'):
                raise DataError(f"{sep!r} cannot separate fields; give ',', '\\t', ';', '::' or the like.")
        by_suffix = {".csv": ",", ".tsv": "\t", ".tab": "\t"}.get(
            next((s for s in reversed([s.lower() for s in self.path.suffixes]) if s != ".gz"), "")
        )
        likely = sep or by_suffix
        if likely is not None and likely in self._first_line():
            return likely
        found = _sniff(self.head)
        if sep is not None:
            if found is not None and not one_column:
                raise DataError(
                    f"The first line of {self.path} has no {sep!r} in it; its fields seem to be separated by "
                    f"{SEPARATORS[found]}: give sep={found!r} (--sep {found!r}), or leave sep out."
                )
            return sep
        if found is None and by_suffix is None and not one_column:
            raise DataError(
                f"No separator found in {self.path}: its first lines do not agree on one of "
                f"{', '.join(SEPARATORS.values())}; say which it is with sep= (--sep)."
            )
        return found or by_suffix or ","

    def _first_line(self) -> str:
        return self.head.lstrip("\r\n").split("\n", 1)[0]

    def _fields_of_first_line(self) -> list[str]:
        if not self.quoted:
            return self._first_line().rstrip("\r").split(self.sep)
        try:
            return next(csv.reader(io.StringIO(self.head.lstrip("\r\n"), newline=""), delimiter=self.sep))
        except csv.Error as problem:
            line = self.blank_lines + 1
            raise DataError(f"Line {line} of {self.path} cannot be read: {problem}.") from None

    def _check_header(self) -> None:
        if not self.has_header:
            return
        if twice := _repeated(self.first):
            without = " If the file has no header line, say has_header=False (--no-header)."
            raise DataError(
                f"{self.path} has more than one column named {twice[0]!r} in its header; rename one of them."
                + (without if all(map(_is_number, self.first)) else "")
            )
        if all(map(_is_number, self.first)):
            warnings.warn(
                f"The first line of {self.path} was taken as the header, but holds only numbers "
                f"({quote_some(self.first)}); if it is a row, say has_header=False (--no-header).",
                VectableWarning,
                stacklevel=4,
            )

    def _separator_for_polars(self) -> str:
        """polars takes one byte: a longer separator is replaced by a control character not in the text."""
        if self.quoted:
            return self.sep
        data = self._bytes()
        for stand_in in _STAND_INS:
            if stand_in not in data:
                self.data = data.replace(self.sep.encode(), stand_in)
                return stand_in.decode()
        raise DataError(f"{self.path} holds every control character there is; it is no text to be separated.")

    def _bytes(self) -> bytes:
        data = self.data.read_bytes() if isinstance(self.data, Path) else self.data
        return data.removeprefix(codecs.BOM_UTF8)

    def _explain(self, problem: BaseException) -> NoReturn:
        """Turn polars' refusal into the line that caused it."""
        self._check_encoding()
        self._check_lines()
        raise DataError(f"{self.path} cannot be read as separated text: {_first_line(problem)}.")

    def _check_encoding(self) -> None:
        _decode(self._bytes(), "utf-8", self.path)

    def _requoted(self) -> bytes:
        """The same rows with every quotation mark written as the rules want it, for files that break them."""
        clean = io.StringIO()
        csv.writer(clean, delimiter=self.sep, lineterminator="\n").writerows(self._quoted_rows())
        self.blank_lines = 0
        return clean.getvalue().encode()

    def _check_lines(self) -> None:
        """Raise a `DataError` for the first line that has more or fewer fields than the first one."""
        data = _as_array(self.data)
        if self.quoted and _positions(data, ord('"')).size:
            for _ in self._quoted_rows():
                pass
            return
        if (odd := _odd_line(data, ord(self.polars_sep), len(self.first))) is not None:
            raise self._odd(*odd)

    def _quoted_rows(self) -> Iterator[list[str]]:
        """The rows by Python's own reader: slower than polars, but it knows the line it is on."""
        text = io.StringIO(_decode(self._bytes(), "utf-8", self.path), newline="")
        reader = csv.reader(text, delimiter=self.sep, strict=True)
        line = 1
        try:
            for row in reader:
                if row and len(row) != len(self.first):
                    raise self._odd(line, len(row))
                if row:
                    yield row
                line = reader.line_num + 1
        except csv.Error as problem:
            never_closes = "end of data" in str(problem)
            cause = "a quotation mark opens there and never closes" if never_closes else problem
            raise DataError(
                f"{self.path} cannot be read from line {line:,} on: {cause}. Within a quoted field "
                f'a quotation mark is written twice: "a 5"" disk".'
            ) from None

    def _odd(self, line: int, found: int) -> DataError:
        return DataError(
            f"Line {line:,} of {self.path} has {_count(found, 'field')}, the first line {len(self.first)}; "
            f"mend the line, or give another separator with sep= (--sep) than {self.sep!r}."
        )


def _utf8(path: Path, gzipped: bool, encoding: str) -> Path | bytes:
    """The text as UTF-8 with line feeds: the file itself where it is so already, else bytes."""
    try:
        codec = codecs.lookup(encoding).name
        b" ".decode(encoding, "ignore")
    except LookupError:
        known = {*encodings.aliases.aliases, *encodings.aliases.aliases.values()}
        hint = did_you_mean(encoding.replace("-", "_"), known) or " Try 'utf-8', 'latin-1' or 'cp1252'."
        raise DataError(f"There is no text encoding named {encoding!r}.{hint}") from None
    in_utf8 = codec in {"utf-8", "utf-8-sig"}
    if in_utf8 and not gzipped and not _has_lone_returns(path):
        return path
    try:
        data = gzip.decompress(path.read_bytes()) if gzipped else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise DataError(f"{path} is a damaged or cut-off gzip file: {problem}.") from None
    if not in_utf8:
        data = _decode(data, encoding, path).encode()
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data.removeprefix(codecs.BOM_UTF8)


def _has_lone_returns(path: Path) -> bool:
    """Whether lines end in a carriage return alone, as on old Macs."""
    with path.open("rb") as file:
        start = file.read(_HEAD_BYTES)
    return b"\r" in start and b"\n" not in start


def _decode(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        name = "UTF-8" if encoding.lower() in {"utf-8", "utf8"} else encoding
        marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        other = "utf-16" if marked and name == "UTF-8" else "latin-1" if name == "UTF-8" else "utf-8"
        raise DataError(
            f"{path} is not {name}: byte {data[problem.start]:#04x} on line {line:,}; "
            f"try encoding={other!r} (--encoding {other})."
        ) from None


def _head(data: Path | bytes, path: Path) -> str:
    """The first lines, a megabyte or a little more."""
    with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as file:
        start = file.read(_HEAD_BYTES) + file.readline()
    return _decode(start, "utf-8", path).removeprefix("\ufeff")


def _sniff(head: str, most_rows: int = 20) -> str | None:
    """The separator by which the first rows have more than one field, and all as many."""
    fields = {sep: {len(row) for row in islice(_rows_of(head, sep), most_rows)} for sep in SEPARATORS}
    steady = {sep: seen.pop() for sep, seen in fields.items() if len(seen) == 1}
    best = max(steady, key=lambda sep: steady[sep], default=None)
    return best if best is not None and steady[best] > 1 else None


def _rows_of(head: str, sep: str) -> Iterator[list[str]]:
    """The rows that are not blank, as `sep` would have them."""
    if len(sep) > 1:
        return (line.split(sep) for line in head.splitlines() if line)
    return (row for row in csv.reader(io.StringIO(head, newline=""), delimiter=sep) if row)


def _as_array(data: Path | bytes) -> NDArray[np.uint8]:
    """The bytes, not read into memory where they lie in a file."""
    return np.memmap(data, np.uint8, "r") if isinstance(data, Path) else np.frombuffer(data, np.uint8)


def _positions(data: NDArray[np.uint8], byte: int) -> NDArray[np.intp]:
    """Where `byte` stands in `data`, found a block at a time."""
    blocks = range(0, len(data), _BLOCK_BYTES)
    return np.concatenate([at + np.flatnonzero(data[at : at + _BLOCK_BYTES] == byte) for at in blocks])


def _quotes_are_regular(data: NDArray[np.uint8], sep: int) -> bool:
    """Whether quotation marks stand only around whole fields, and doubled within them (RFC 4180).

    polars reads other files too, but not always as one would.
    """
    marks = _positions(data, ord('"'))
    if len(marks) % 2:
        return False
    opening, closing = marks[::2], marks[1::2]
    doubled = opening[1:] == closing[:-1] + 1
    bom = 3 if bytes(data[:3]) == codecs.BOM_UTF8 else 0
    before = data[opening - 1]
    opens_field = (before == sep) | (before == 10) | (opening == bom)
    after = data[(closing + 1).clip(max=len(data) - 1)]
    closes_field = (after == sep) | (after == 10) | (after == 13) | (closing == len(data) - 1)
    opens_field[1:] |= doubled
    closes_field[:-1] |= doubled
    return bool(opens_field.all() and closes_field.all())


def _odd_line(data: NDArray[np.uint8], sep: int, fields: int) -> tuple[int, int] | None:
    """The first line (from 1) that is not blank and has not `fields` fields, and how many it has.

    For text without quotation marks. Works in blocks of whole lines.
    """
    at = lines_before = 0
    while at < len(data):
        block = data[at : at + _BLOCK_BYTES]
        ends = np.flatnonzero(block == 10)
        if at + len(block) >= len(data):
            if not len(ends) or ends[-1] != len(block) - 1:
                ends = np.append(ends, len(block))
        elif not len(ends):
            return None
        starts = np.append(0, ends[:-1] + 1)
        seps = np.flatnonzero(block[: ends[-1]] == sep)
        found = np.diff(np.searchsorted(seps, np.append(0, ends))) + 1
        blank = (ends - starts == 0) | ((ends - starts == 1) & (block[starts.clip(max=len(block) - 1)] == 13))
        odd = np.flatnonzero((found != fields) & ~blank)
        if len(odd):
            return int(lines_before + odd[0] + 1), int(found[odd[0]])
        lines_before += len(ends)
        at += int(ends[-1]) + 1
    return None


# ------------------------------------------------------------------------------------- from text to types


def _without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty() or not all(column.has_nulls() for column in frame.get_columns()):
        return frame
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of text as integers, floats or text, by all its values."""
    columns = frame.get_columns()
    del frame
    for at, column in enumerate(columns):
        columns[at] = _typed_column(_without_padding(column))
    return pl.DataFrame(columns)


def _without_padding(text: pl.Series) -> pl.Series:
    """The column, its name too, without the space that "a, b" puts in front, where every value has it."""
    if text.null_count() < len(text) and text.str.starts_with(" ").all():
        text = text.str.strip_chars(" ")
        text = text.set(text == "", None)
    return text.alias(text.name.strip(" "))


def _typed_column(text: pl.Series) -> pl.Series:
    if text.null_count() == len(text):
        return text
    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count():
        return text if text.str.contains(_NAMED_INTEGER).any() else whole
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() > text.null_count():
        known = text.set(text.is_in(_MISSING_NUMBERS), None)
        typed = _typed_column(known) if known.null_count() == number.null_count() else known
        return text if typed.dtype == pl.String else typed
    if not number.is_finite().any() or text.str.contains(_NAMED_FLOAT).any():
        return text
    return number


# ---------------------------------------------------------------------------------------------- writing


def write_table(frame: pl.DataFrame, path: str | Path) -> Path:
    """Write a table in the format of the suffix, whole or not at all.

    Args:
        frame: the table. Columns of lists cannot go into CSV or TSV.
        path: ends in .csv, .tsv, .parquet, .pq, .arrow, .feather, .ipc, .json (an array of objects), .jsonl
            or .ndjson (an object a line). A file already there is replaced once the new one is complete.

    Returns:
        The path written.

    Raises:
        DataError: for another suffix, a missing or unwritable folder, a table the format cannot hold.
    """
    path = Path(path).expanduser()
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise DataError(f"{path} does not say what to write: its name must end in one of {', '.join(_WRITERS)}.")
    if not path.parent.is_dir():
        raise DataError(f"{path} cannot be written: there is no folder {path.parent}; create it first.")
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder.")
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("xb") as file:
            write(frame, file)
        os.replace(unfinished, path)
    except OSError as problem:
        raise DataError(f"{path} cannot be written: {problem.strerror or problem}.") from None
    except PolarsError as problem:
        raise DataError(f"{path} cannot hold this table: {_first_line(problem)}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return path


_WRITERS: dict[str, Callable[[pl.DataFrame, IO[bytes]], object]] = {
    ".csv": lambda frame, file: frame.write_csv(file),
    ".tsv": lambda frame, file: frame.write_csv(file, separator="\t"),
    ".parquet": lambda frame, file: frame.write_parquet(file),
    ".pq": lambda frame, file: frame.write_parquet(file),
    ".arrow": lambda frame, file: frame.write_ipc(file),
    ".feather": lambda frame, file: frame.write_ipc(file),
    ".ipc": lambda frame, file: frame.write_ipc(file),
    ".json": lambda frame, file: file.write(frame.write_json().encode()),
    ".jsonl": lambda frame, file: frame.write_ndjson(file),
    ".ndjson": lambda frame, file: frame.write_ndjson(file),
}


# ---------------------------------------------------------------------------------------------- wording


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")
