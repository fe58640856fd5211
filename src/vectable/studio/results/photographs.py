"""What a model of photographs makes of held-out ones: thumbnails, probabilities, what decided, those alike."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from vectable.data.images.image_decoding import center_crop
from vectable.studio.json_files import write_json

FOLDER = "photographs"
INDEX = "index.json"
MOST = 400  # photographs shown
SECONDS = 30.0  # for what decided and those alike, the worst first; then the others go without
SIDE = 112  # pixels of a thumbnail
ALIKE = 8


def write_photographs(results: Path, learn: Any) -> None:
    """Work it out and write it: index.json, and for each photograph ``ID.png``, ``ID-decided.png``."""
    rows = learn.data.valid if len(learn.data.valid) else learn.data.train
    if not len(rows):
        return
    folder = results / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    outputs, target = learn.get_preds("valid" if len(learn.data.valid) else "train")
    probabilities, truth = outputs.numpy(), target.numpy()
    sure = probabilities[np.arange(len(truth)), truth]
    shown = np.argsort(sure, kind="stable")[:MOST]
    ids = {int(row): at for at, row in enumerate(shown)}
    images = [_about(learn, rows, int(row), at, probabilities[row], truth[row]) for at, row in enumerate(shown)]
    for one, row in zip(images, shown, strict=True):
        _save(center_crop(rows.picture(int(row)), rows.size), folder / f"{one['id']}.png")
    _look_inside(learn, rows, shown, ids, images, folder)
    of = "held-out" if len(learn.data.valid) else "training"
    write_json(folder / INDEX, {"classes": list(learn.classes), "total": len(rows), "of": of, "images": images})


def _about(learn: Any, rows: Any, row: int, at: int, probabilities: Any, truth: Any) -> dict[str, Any]:
    return {
        "id": at,
        "name": rows.paths[row].name,
        "class": learn.classes[int(truth)],
        "predicted": learn.classes[int(probabilities.argmax())],
        "probabilities": [round(float(one), 5) for one in probabilities],
        "decided": False,
        "alike": [],
    }


def _look_inside(learn: Any, rows: Any, shown: Any, ids: Any, images: list[dict[str, Any]], folder: Path) -> None:
    """What decided (Grad-CAM), and those alike among the shown ones, for as long as there is time."""
    deadline = time.monotonic() + SECONDS
    index = learn.image_index()
    of = "valid" if len(learn.data.valid) else "train"
    for one, row in zip(images, shown, strict=True):
        if time.monotonic() > deadline:
            return
        asked = rows.paths[int(row)] if rows.paths[int(row)].name else rows.picture(int(row))
        found = learn.grad_cam(asked)
        _save_overlay(found.values, found.picture.shape[0], folder / f"{one['id']}-decided.png")
        one["decided"] = True
        alike = index.search(asked, len(images) + ALIKE).table
        near = [ids[at] for part, at in zip(alike["set"], alike["row"], strict=True) if part == of and at in ids]
        one["alike"] = [other for other in near if other != one["id"]][:ALIKE]


def _save(picture: Any, path: Path) -> None:
    from PIL import Image

    image = Image.fromarray(picture)
    image.resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(path)


def _save_overlay(values: Any, side: int, path: Path) -> None:
    """The map as the alpha of one colour: where it is clear, nothing spoke for the class."""
    from PIL import Image

    top = float(values.max()) or 1.0
    alpha = Image.fromarray((np.clip(values / top, 0, 1) * 190).astype(np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BILINEAR
    )
    image = Image.new("RGBA", (SIDE, SIDE), (230, 97, 0, 0))
    image.putalpha(alpha)
    image.save(path)
