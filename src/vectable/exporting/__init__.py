"""Trained models as ONNX: the whole path from a row's columns to its prediction, for programs without Python."""

from pathlib import Path
from typing import TYPE_CHECKING

from vectable.errors import VectableError

if TYPE_CHECKING:
    import onnx


def require_onnx() -> None:
    """Raise a sentence unless the packages that write ONNX are installed."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as problem:
        raise VectableError(f"ONNX needs two packages more ({problem}): pip install 'vectable[export]'.") from problem


def write_onnx(model: "onnx.ModelProto", path: str | Path) -> Path:
    """Write a model to a file, whole or not at all."""
    from vectable.data.io.writing import write_whole

    return write_whole(Path(path).expanduser(), lambda file: file.write(model.SerializeToString()))
