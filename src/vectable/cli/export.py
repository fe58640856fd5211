"""The commands that hand a saved model to other programs: its vectors, and the whole of it as ONNX."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vectable.cli.models import knows_interactions, open_any, open_interactions, open_ratings
from vectable.cli.options import AsJson, Model
from vectable.cli.output import print_json, print_paths, print_table
from vectable.errors import require


def export_vectors(
    model: Model,
    out: Annotated[
        Path, typer.Option("--out", "-o", help=".parquet, .arrow, .csv; .tsv for the TensorBoard projector.")
    ],
    users: Annotated[bool, typer.Option("--users", help="The users' vectors instead of the items'.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write id, name, bias and factors of every item for other programs.

    [bold]Example:[/bold] vectable export-vectors model -o items.parquet
    """
    if knows_interactions(model):
        require(not users, "A model of interactions has vectors of items alone: leave --users out.")
        print_paths(open_interactions(model).export_vectors(out), as_json)
    else:
        print_paths(open_ratings(model).export_vectors(out, is_item=not users), as_json)


def export(
    model: Model,
    onnx: Annotated[Path, typer.Option("--onnx", help="ONNX file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the path from a row's columns to its prediction as ONNX, and list its inputs and outputs.

    [bold]Example:[/bold] vectable export model --onnx model.onnx
    """
    import polars as pl

    path = open_any(model).export_onnx(onnx)
    rows = _in_and_out(path)
    if as_json:
        print_json({"written": str(path), "values": rows})
    else:
        print_table(pl.DataFrame(rows).rename({"what": ""}), str(path))


def _in_and_out(path: Path) -> list[dict[str, Any]]:
    """Inputs and outputs of an ONNX file with their types and what stands for missing."""
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
                    "what": what,
                    "name": one.name,
                    "type": f"{kind}, {column['type']}" if column.get("kind") == "date" else kind,
                    "shape": f"({shape})",
                    "missing": (column["missing"] or '""') if column else "",
                }
            )
    return rows
