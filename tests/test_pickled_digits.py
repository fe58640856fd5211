"""The lesson's pickle of MNIST: arrays are read, and nothing else happens whatever the file asks for."""

import gzip
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vectable as vt
from vectable.lab import pickled_digits
from vectable.lab.idx import read_mnist
from vectable.lab.pickled_digits import read_pickled_mnist


def digits(rows: int = 6) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    pairs = [(rng.random((rows, 784), dtype=np.float32), rng.integers(0, 10, rows)) for _ in range(3)]
    return tuple(pairs)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("name", ["digits.pkl", "digits.pkl.gz"])
def test_arrays_of_the_lessons_protocol_and_others_are_read(protocol: int, name: str, tmp_path: Path) -> None:
    content = pickle.dumps(digits(), protocol=protocol)
    found = read_pickled_mnist(write(tmp_path / name, content))
    (x, y), (x_valid, y_valid), _ = digits()
    for ours, theirs in zip(found, (x, y, x_valid, y_valid), strict=True):
        assert np.array_equal(ours, theirs)
    assert [one.dtype for one in found] == [np.float64, np.int64, np.float64, np.int64]


def as_python_2_wrote_it(array: Any) -> bytes:
    """An array's bytes as text in Latin-1, and NumPy's module by its old name."""
    raw = array.tobytes()
    code = array.dtype.str.lstrip("<|").encode()
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
        + b"(" + b"".join(b"J" + struct.pack("<i", size) for size in array.shape) + b"t"
        + b"cnumpy\ndtype\nU" + bytes([len(code)]) + code
        + b"K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"
    )  # fmt: skip


def test_arrays_that_python_2_pickled_are_read(tmp_path: Path) -> None:
    pairs = [as_python_2_wrote_it(x) + as_python_2_wrote_it(y) + b"\x86" for x, y in digits()]
    found = read_pickled_mnist(write(tmp_path / "old.pkl", b"\x80\x02" + b"".join(pairs) + b"\x87."))
    assert np.array_equal(found[0], digits()[0][0])
    assert np.array_equal(found[3], digits()[1][1])


def test_other_byte_orders_are_read_and_leave_numpy_as_it_was(tmp_path: Path) -> None:
    pairs = tuple((x.astype(">f4"), y.astype(">i2")) for x, y in digits())
    found = read_pickled_mnist(write(tmp_path / "big.pkl", pickle.dumps(pairs, protocol=2)))
    assert np.array_equal(found[0], digits()[0][0])
    assert np.dtype("f4").byteorder == "="


class Evil:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_in_the_file_is_executed(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for call, told in (
        (Evil(os.system, f"touch {marker}"), "asks for (posix|nt).system, .* nothing of it was executed"),
        (Evil(eval, f"open({str(marker)!r}, 'w')"), "asks for (__builtin__|builtins).eval"),
        (Evil(np.load, str(marker)), "asks for numpy"),
        (Evil(getattr, np.ndarray, "tofile"), "asks for (__builtin__|builtins).getattr"),
    ):
        first, second, _ = digits()
        file = write(tmp_path / "evil.pkl", pickle.dumps((first, second, call), protocol=protocol))
        with pytest.raises(vt.DataError, match=told):
            read_pickled_mnist(file)
        assert not marker.exists()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


ARRAY = b"cnumpy\nndarray\n"
UNFILLED = b"cnumpy.core.multiarray\n_reconstruct\n" + ARRAY + b"K\x00\x85" + text("b") + b"\x87R"
DOUBLE = b"cnumpy\ndtype\n" + text("f8") + b"\x85R"
LAUGHS = b"(t" + b"".join(b"q%c(%st" % (at, b"h%c" % at * 20) for at in range(40))  # twenty of twenty of ...


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # an array of objects over eight bytes that are an address, however the call is spelled
        (ARRAY + ARRAY + b"(K\x01\x85" + text("O") + b"C\x08" + b"A" * 8 + b"tR\x85R.", "asks for numpy.ndarray"),
        (ARRAY + b"K\x01\x85" + text("O") + b"\x86\x81.", "instruction NEWOBJ"),
        (ARRAY + b"}" + b"b.", "instruction EMPTY_DICT"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(NN\x86" + b"b.", "is not a pickle of arrays|changes numpy"),
        (b"cnumpy\ndtype\n" + text("O8") + b"\x85R.", "array of 'O8'"),
        (b"cnumpy\ndtype\n" + text("f4,O") + b"\x85R.", "array of 'f4,O'"),
        (UNFILLED + b"(K\x01K\x01\x85" + DOUBLE + b"\x89C\x04abcdtb.", "4 bytes for an array of f"),
        (UNFILLED + b"(K\x01J\xff\xff\xff\xff\x85" + DOUBLE + b"\x89C\x00tb.", "without its shape"),
        (UNFILLED + b"(K\x01K\x01\x85" + ARRAY + b"\x89C\x04abcdtb.", "array of numpy.ndarray"),
        (LAUGHS + b".", "other things"),
        (LAUGHS + b"NR.", "asks for tuple"),
        (b"K\x01" + b"\x85" * 100_000 + b".", "other things"),
        (b"h\x05.", "is not a pickle of arrays"),
        (b"R.", "is not a pickle of arrays"),
        (b"\x8d" + b"\xff" * 8 + b".", "is not a pickle of arrays"),
    ],
)  # fmt: skip
def test_hostile_files_get_a_sentence(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(vt.DataError, match=message):
        read_pickled_mnist(write(tmp_path / "hostile.pkl", b"\x80\x03" + content))


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled_digits, "MOST_BYTES", 1 << 20)
    with pytest.raises(vt.DataError, match="holds more than 1,048,576 bytes"):
        read_pickled_mnist(write(tmp_path / "bomb.pkl.gz", bytes(3 << 20)))


def test_what_is_no_pickle_of_digits_gets_a_sentence(tmp_path: Path) -> None:
    whole = pickle.dumps(digits(), protocol=2)
    objects = np.array([["a", None]], dtype=object)
    wrong = np.zeros((6, 700), dtype=np.float32)
    first, second, third = digits()
    for name, content, told in (
        ("cut.pkl", whole[:3000], "is not a pickle of arrays"),
        ("cut.pkl.gz", whole, "is not a pickle of arrays"),
        ("text.pkl", b"hello", "is not a pickle of arrays"),
        ("empty.pkl", b"", "is not a pickle of arrays"),
        (
            "objects.pkl",
            pickle.dumps(((objects, objects),) * 3, protocol=2),
            "holds an array of 'O8', and not of num",
        ),
        ("two.pkl", pickle.dumps((first, second), protocol=2), "holds other things than three pairs"),
        (
            "wide.pkl",
            pickle.dumps(((wrong, first[1]), second, third), protocol=2),
            "holds other things than three pairs",
        ),
        ("number.pkl", pickle.dumps(5), "holds other things than three pairs"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(vt.DataError, match=told):
            read_pickled_mnist(file)
    with pytest.raises(vt.DataError, match=r"There is no file .*nowhere\.pkl"):
        read_pickled_mnist(tmp_path / "nowhere.pkl")


def test_the_lessons_file_is_that_of_the_idx_files(data_dir: Path) -> None:
    folder = data_dir / "mnist"
    if not (folder / "mnist.pkl.gz").is_file():
        pytest.skip(f"needs the lesson's mnist.pkl.gz in {folder}")
    for ours, theirs in zip(read_pickled_mnist(folder / "mnist.pkl.gz"), read_mnist(folder), strict=True):
        assert np.array_equal(ours, theirs)
