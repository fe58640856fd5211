"""One file of separated text on its way to a table.

Text is read by polars as text first, and every column then judged over all its values (`column_types`), so that a
value on the last row counts as much as one on the first. A line without a single value is skipped.
"""

import codecs
import csv
import encodings.aliases
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from vectable.data.io.column_types import typed
from vectable.data.io.separators import SEPARATORS, find_separator, first_line_is_header, is_number, squeezed
from vectable.data.io.unpacking import gunzip
from vectable.data.io.wording import count_of, first_line, repeated
from vectable.errors import DataError, did_you_mean, printable, quote_some, warn

_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 24
_LINE_BYTES = 1 << 24  # of the longest line that the first megabyte may end in
_MOST_NULS = 0.01  # of the first megabyte
_STAND_INS = (b"\x1f", b"\x1e", b"\x1d", b"\x1c", b"\x02", b"\x01")


class SeparatedText:
    """One file of separated text on its way to a table; `read` is the whole journey.

    `data` is the UTF-8 text, either as the file it lies in, so that a big one is never copied, or as bytes
    where something had to be undone first: compression, an encoding, a separator polars does not take.
    """

    def __init__(
        self,
        path: Path,
        gzipped: bool,
        sep: str | None,
        has_header: bool | None,
        names: list[str] | None,
        encoding: str,
    ) -> None:
        self.path = path
        self.data = _utf8(path, gzipped, encoding)
        self.head = _head(self.data, path)
        if not self.head.strip():
            raise DataError(f"{path} is empty: it holds nothing but blank lines.")
        self._check_nuls()
        self.blank_lines = len(self.head[: len(self.head) - len(self.head.lstrip("\r\n"))].splitlines())
        self.sep = self._separator(sep, one_column=names is not None and len(names) == 1)
        self.quoted = len(self.sep.encode()) == 1
        if sep is None and self.sep == " ":
            self._squeeze()
        self.first = self._fields_of_first_line()
        self.has_header = self._header_is_there(names) if has_header is None else has_header
        self.nobody_said = has_header is None

    def read(self, decimal: str = ".") -> pl.DataFrame:
        """The table, every column of the kind its values are; with a decimal comma, fractions as text."""
        self._check_header()
        if self.quoted and not _quotes_are_regular(_as_array(self.data), ord(self.sep)):
            self.data = self._requoted()
        self.polars_sep = self._separator_for_polars()
        refused: BaseException | None = None
        try:
            frame = pl.read_csv(
                self._source(),
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
        return typed(_without_blank_rows(frame), decimal)

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
        found = find_separator(self.head, spaces=likely is None and not one_column)
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

    def _check_nuls(self) -> None:
        """Raise a `DataError` for what is not text: images, programs, and UTF-16 without its mark are full of zeros."""
        if self.head.count("\0") > _MOST_NULS * len(self.head):
            raise DataError(
                f"{self.path} is not text in UTF-8: it is full of zero bytes. If it is text, try encoding='utf-16-le' "
                "(--encoding utf-16-le)."
            )

    def _squeeze(self) -> None:
        """Columns that are aligned by several spaces are separated by one each; quoted text is left alone."""
        if '"' in self.head or squeezed(self.head) == self.head:
            return
        self.data = squeezed(_decode(self._bytes(), "utf-8", self.path)).encode()
        self.head = _head(self.data, self.path)

    def _header_is_there(self, names: list[str] | None) -> bool:
        """Whether the first line names the columns, where the caller has not said so."""
        if names is None:
            return True
        found = first_line_is_header(self.head, self.sep)
        if found is None:
            warn(
                f"The first line of {self.path} ({quote_some(self.first)}) was taken as a header, which columns= "
                "replaces; if it is a row, say has_header=False (--no-header), and if it is a header has_header=True."
            )
        return found is not False

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
        if twice := repeated(self.first):
            without = " If the file has no header line, say has_header=False (--no-header)."
            raise DataError(
                f"{self.path} has more than one column named {twice[0]!r} in its header; rename one of them."
                + (without if all(map(is_number, self.first)) else "")
            )
        if self.nobody_said and all(map(is_number, self.first)):
            warn(
                f"The first line of {self.path} was taken as the header, but holds only numbers "
                f"({quote_some(self.first)}); if it is a row, say has_header=False (--no-header)."
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
        raise DataError(f"{self.path} holds every control character there is; it is not separated text.")

    def _source(self) -> Path | bytes:
        """What polars reads: the file where it can, which is then never copied."""
        if self.blank_lines:
            return self._bytes().lstrip(b"\r\n")
        is_plain_name = isinstance(self.data, bytes) or printable(str(self.data)) == str(self.data)
        return self.data if is_plain_name else self._bytes()

    def _bytes(self) -> bytes:
        data = self.data.read_bytes() if isinstance(self.data, Path) else self.data
        return data.removeprefix(codecs.BOM_UTF8)

    def _explain(self, problem: BaseException) -> NoReturn:
        """Turn polars' refusal into the line that caused it."""
        self._check_encoding()
        self._check_lines()
        raise DataError(f"{self.path} cannot be read as separated text: {first_line(problem)}.")

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
            f"Line {line:,} of {self.path} has {count_of(found, 'field')}, the first line {len(self.first)}; "
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
    data = gunzip(path) if gzipped else path.read_bytes()
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
        start = file.read(_HEAD_BYTES)
        rest = file.readline(_LINE_BYTES)
    if len(rest) == _LINE_BYTES and not rest.endswith(b"\n"):
        raise DataError(f"{path} begins with a line of more than {_LINE_BYTES // 10**6} MB; it is not a table.")
    start += rest
    return _decode(start, "utf-8", path).removeprefix("\ufeff")


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
