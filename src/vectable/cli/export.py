"""The command that hands a saved model to programs without Python."""

from pathlib import Path
from typing import Annotated

import typer

from vectable.cli.output import print_table


def export(
    model: Annotated[Path, typer.Argument(help="Folder of a saved model.")],
    onnx: Annotated[Path, typer.Option("--onnx", help="ONNX file to write.")],
) -> None:
    """Write the path from a row's columns to its prediction as ONNX, and tell what goes in and comes out.

    [bold]Example:[/bold] vectable export model --onnx model.onnx
    """
    import polars as pl

    from vectable.loading import load_learner

    path = load_learner(model, progress=False).export_onnx(onnx)
    print_table(pl.DataFrame(_in_and_out(path)), str(path))


def _in_and_out(path: Path) -> list[dict[str, str]]:
    """Inputs and outputs of an ONNX file with their types and what stands for missing."""
    import json

    import onnx

    model = onnx.load(path)
    about = {one.key: one.value for one in model.metadata_props}
    columns = json.loads(about.get("columns", "{}"))
    rows = []
    for what, values in (("input", model.graph.input), ("output", model.graph.output)):
        for one in values:
            kind = onnx.TensorProto.DataType.Name(one.type.tensor_type.elem_type).lower()
            shape = ", ".join(dim.dim_param or str(dim.dim_value) for dim in one.type.tensor_type.shape.dim)
            column = columns.get(one.name, {})
            rows.append(
                {
                    "": what,
                    "name": one.name,
                    "type": f"{kind}, {column['type']}" if column.get("kind") == "date" else kind,
                    "shape": f"({shape})",
                    "missing": (column["missing"] or '""') if column else "",
                }
            )
    return rows
