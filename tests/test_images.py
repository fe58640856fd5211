"""Photographs: decoding of every kind of file, bad ones told, and folders of classes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

import vectable as vt
from vectable.data.images.image_decoding import center_crop, decode_image
from vectable.data.images.image_files import list_images
from vectable.models.image_head import image_head


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (40, 30), colour: object = None, **how: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **how)
    return path


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("L", 100, "png", (100, 100, 100)),
        ("1", 1, "png", (255, 255, 255)),
        ("I;16", 25_700, "png", (100, 100, 100)),
        ("RGBA", (200, 10, 20, 255), "png", (200, 10, 20)),
        ("RGBA", (200, 10, 20, 0), "png", (255, 255, 255)),
        ("LA", (0, 0), "png", (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), "tif", (255, 0, 0)),
        ("RGB", (30, 60, 90), "bmp", (30, 60, 90)),
    ],
)
def test_every_kind_of_colour_becomes_rgb(tmp_path, mode, colour, suffix, expected):
    picture = decode_image(save(tmp_path / f"a.{suffix}", mode, colour=colour), 30)
    assert picture.dtype == np.uint8
    assert picture.shape == (30, 40, 3)
    assert (picture == expected).all()


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), 2)
    image.save(tmp_path / "p.gif", transparency=2)
    picture = decode_image(tmp_path / "p.gif", 8)
    assert tuple(picture[0, 0]) == (255, 255, 255)
    assert tuple(picture[4, 4]) == (10, 20, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tags_are_obeyed(tmp_path, orientation):
    upright = np.zeros((20, 30, 3), dtype=np.uint8)
    upright[:10, :15] = (255, 0, 0)
    stored = Image.fromarray(upright)
    undo = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90",
            7: "TRANSVERSE", 8: "ROTATE_270"}  # fmt: skip
    if orientation > 1:
        stored = stored.transpose(Image.Transpose[undo[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "o.png", exif=exif)
    assert (decode_image(tmp_path / "o.png", 20) == upright).all()


@pytest.mark.parametrize(
    ("stored", "size", "shape"),
    [
        ((1, 1), 224, (224, 224)),
        ((28, 28), 28, (28, 28)),  # pixels as they are
        ((240, 300), 224, (300, 240)),  # (width, height) in the file, (height, width) decoded
        ((700, 350), 224, (256, 512)),
        ((3000, 10), 7, (8, 16)),  # the middle, at most twice as long as wide
    ],
)
def test_working_size(tmp_path, stored, size, shape):
    assert decode_image(save(tmp_path / "s.png", size=stored), size).shape == (*shape, 3)


def test_center_crop_is_the_middle():
    picture = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    assert (center_crop(picture, 2) == picture[2:4, 1:3]).all()


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    whole = save(tmp_path / "whole.jpg", size=(400, 300)).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    for name, why in [
        ("text.jpg", "not in any of the formats JPEG, PNG"),
        ("empty.jpg", "empty"),
        ("cut.jpg", "truncated"),
    ]:
        with pytest.raises(vt.DataError, match=rf"{name}.*{why}"):
            decode_image(tmp_path / name, 64)
    with pytest.raises(vt.DataError, match="no file"):
        decode_image(tmp_path / "gone.jpg", 64)


@pytest.mark.slow
def test_a_huge_jpeg_takes_little_memory_and_a_huge_png_is_refused(tmp_path):
    save(tmp_path / "huge.jpg", "L", (20_000, 20_000), 77)
    program = (
        "import sys, resource; from vectable.data.images.image_decoding import decode_image; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; picture = decode_image(sys.argv[1], 224); "
        "print(*picture.shape, picture.mean(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "huge.jpg")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    height, width, _, mean, kilobytes = (float(one) for one in done.stdout.split())
    assert (height, width) == (256, 256)
    assert abs(mean - 77) < 2
    assert kilobytes < 150_000, "decoded whole it would be 400 MB"
    save(tmp_path / "huge.png", "1", (20_000, 20_000))
    with pytest.raises(vt.DataError, match=r"huge\.png.*too large"):
        decode_image(tmp_path / "huge.png", 224)
    save(tmp_path / "huge.webp", size=(6_000, 6_000))
    with pytest.raises(vt.DataError, match=r"huge\.webp.*25,000,000 is the most"):
        decode_image(tmp_path / "huge.webp", 224)


@pytest.mark.parametrize(("mode", "orientation"), [("RGBA", 1), ("RGBA", 6), ("LA", 1), ("I;16", 1), ("P", 3)])
def test_a_large_image_is_shrunk_strip_by_strip_into_what_a_small_one_gives(tmp_path, mode, orientation):
    from vectable.data.images import image_decoding

    small = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8))
    large = small.resize((4_000, 3_000), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = (
        Image.fromarray(np.asarray(large)[..., 0].astype(np.uint16) << 8) if mode == "I;16" else large.convert(mode)
    )
    if mode in ("RGBA", "LA"):
        stored.putalpha(128)
    stored.save(tmp_path / "large.png", exif=exif)
    assert image_decoding.LARGE < 4_000 * 3_000
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(image_decoding, "LARGE", 10**9)
        whole = decode_image(tmp_path / "large.png", 32)
    strips = decode_image(tmp_path / "large.png", 32)
    assert strips.shape == whole.shape
    assert np.abs(strips.astype(int) - whole).max() <= 3


@pytest.mark.parametrize("content", [
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n(text) print\n%%EOF\n",
    b"DDS |\0\0\0" + b"\1" * 120,
    b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
])  # fmt: skip
def test_only_the_formats_of_photographs_are_opened_whatever_the_name(tmp_path, content, monkeypatch):
    called = tmp_path / "called"
    (tmp_path / "gs").write_text(f"#!/bin/sh\necho called >> {called}\nexit 1\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(vt.DataError, match=r"x\.png' is not an image that can be read: not in any of the formats JPEG"):
        decode_image(tmp_path / "x.png", 28)
    assert not called.exists()


def test_a_small_file_that_claims_many_pixels_is_refused_before_they_are_made(tmp_path):
    whole = bytearray(save(tmp_path / "a.bmp").read_bytes())
    whole[18:26] = (9_000).to_bytes(4, "little") * 2  # width and height
    (tmp_path / "a.bmp").write_bytes(whole)
    with pytest.raises(vt.DataError, match=r"a\.bmp' is cut short or damaged: it says that it has 81,000,000 pixels"):
        decode_image(tmp_path / "a.bmp", 28)
    assert decode_image(save(tmp_path / "b.bmp", "1"), 28).shape[2] == 3


# ---------------------------------------------------------------- folders


def test_classes_are_folders_in_order(tmp_path):
    for name in ("bees/2.jpg", "bees/1.PNG", "ants/deep/3.jpg", "ants/4.gif", "ants/.hidden.jpg", ".git/5.jpg"):
        save(tmp_path / name, "L", format="PNG")
    found = list_images(tmp_path)
    assert found.classes == ("ants", "bees")
    assert [path.name for path in found.paths] == ["4.gif", "3.jpg", "1.PNG", "2.jpg"]
    assert found.labels == (0, 0, 1, 1)
    assert len(found) == 4


def test_what_is_no_picture_is_passed_over_by_name(tmp_path):
    for name in ("a/1.png", "a/2.png"):
        save(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("x")
    with pytest.warns(vt.VectableWarning, match=r"1 files are passed over.*notes\.txt"):
        assert len(list_images(tmp_path).passed_over) == 1


def test_a_class_too_small_gets_a_warning(tmp_path):
    for name in ("few/1", "many/1", "many/2"):
        save(tmp_path / f"{name}.png")
    with pytest.warns(vt.VectableWarning, match="'few'.*a single image; it cannot be learned"):
        list_images(tmp_path)


def test_a_folder_without_images_is_not_a_class(tmp_path):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        save(tmp_path / f"{name}.png")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._1.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "read.me").write_text("x")
    with pytest.warns(vt.VectableWarning, match=r"not classes: '__MACOSX', 'notes'") as warned:
        found = list_images(tmp_path)
    assert found.classes == ("a", "b")
    assert len(warned) == 1
    with pytest.warns(vt.VectableWarning, match="not classes"):
        assert list_images(tmp_path, ("a", "b", "c")).classes == ("a", "b", "c")  # a model's classes stay


def test_a_class_of_which_no_image_can_be_read_is_left_out(colours):
    (colours / "green").mkdir()
    for at in range(3):
        (colours / "green" / f"{at}.png").write_text("no image")
    with pytest.warns(vt.VectableWarning, match="No image of 'green' can be read: a class without images is left out"):
        images = vt.ImageData.from_folder(colours, size=32)
    assert images.classes == ("blue", "red")
    assert set(images.train.target.tolist()) == {0, 1}
    assert (len(images.train), len(images.valid)) == (32, 8)
    for one in (colours / "red").iterdir():
        one.write_text("no image")
    with pytest.raises(vt.DataError, match="of one class alone, 'blue'"), pytest.warns(vt.VectableWarning):
        vt.ImageData.from_folder(colours, size=32)


def test_names_that_are_not_utf_8(tmp_path):
    for name in ("a/1", "a/2", "b/1", "b/2"):
        save(tmp_path / f"{name}.png")
    save(tmp_path / "x.png").rename(tmp_path / "b" / "3\udcff.png")
    with pytest.warns(vt.VectableWarning, match=r"1 files are passed over.*not valid UTF-8: '3\\udcff\.png'"):
        assert len(list_images(tmp_path)) == 4
    (tmp_path / "b").rename(tmp_path / "b\udcfe")
    with pytest.raises(vt.DataError, match=r"name of the folder 'b\\udcfe' .*rename it"):
        list_images(tmp_path)


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    save(tmp_path / "a" / "1.png")

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        with pytest.raises(vt.DataError, match=r"folder '.*a' cannot be read: Permission denied"):
            list_images(tmp_path)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(vt.DataError, match="cannot be read: Permission denied"):
        list_images(tmp_path)


def test_folders_for_measuring_alone_and_folders_of_parts(colours):
    with pytest.warns(vt.VectableWarning, match="3 files are left out"):
        images = vt.ImageData.for_measuring(colours, ["blue", "red", "yellow"], 32)
    assert (len(images.train), len(images.valid), images.classes) == (0, 40, ("blue", "red", "yellow"))
    with pytest.raises(vt.DataError, match="read for measuring alone"):
        learner(images).fit(1)
    with pytest.raises(vt.VectableError, match="read for measuring alone"):
        images.show_batch()
    with pytest.raises(vt.DataError, match=r"'blue', 'red', which training lacks"):
        vt.ImageData.for_measuring(colours, ["green"], 32)
    (colours / "red").rename(colours / "train")
    (colours / "blue").rename(colours / "val")
    with pytest.raises(vt.DataError, match=r"look like parts.*valid='val'"):
        vt.ImageData.from_folder(colours)


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(vt.DataError, match="no folder 'nowhere'"):
        list_images("nowhere")
    with pytest.raises(vt.DataError, match="no folder for any class"):
        list_images(tmp_path)
    save(tmp_path / "loose.png")
    with pytest.raises(vt.DataError, match="1 images, but no folder"):
        list_images(tmp_path)
    save(tmp_path / "wasps" / "1.png")
    with pytest.raises(vt.DataError, match=r"'wasps'.*training lacks"):
        list_images(tmp_path, classes=("ants",))
    (tmp_path / "empty" / "wasps").mkdir(parents=True)
    with pytest.warns(vt.VectableWarning, match="not classes"), pytest.raises(vt.DataError, match="holds no images"):
        list_images(tmp_path / "empty")


def test_hymenoptera(data_dir):
    folder = data_dir / "hymenoptera"
    if not folder.is_dir():
        pytest.skip(f"needs photographs: there is no folder {folder}")
    train = list_images(folder / "train")
    valid = list_images(folder / "val", train.classes)
    assert train.classes == ("ants", "bees")
    assert (len(train), len(valid)) == (245, 153)  # the notice in place of a photograph among them
    shape = decode_image(train.paths[0], 64).shape
    assert min(shape[:2]) == 73


# ---------------------------------------------------------------- data for the Learner


@pytest.fixture
def colours(tmp_path) -> Path:
    """Twenty red and twenty blue pictures, a text and a half-eaten JPEG called pictures, and a GIF."""
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (tmp_path / name).mkdir()
        for at in range(20):
            picture = rng.integers(0, 120, (40, 50, 3), dtype=np.uint8)
            picture[..., channel] += 100
            Image.fromarray(picture).save(tmp_path / name / f"{at:02}.png")
    (tmp_path / "red" / "text.jpg").write_text("no")
    whole = save(tmp_path / "whole.jpg", size=(400, 300)).read_bytes()
    (tmp_path / "blue" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    save(tmp_path / "blue" / "gone.gif", "P")
    return tmp_path


def learner(images: vt.ImageData) -> vt.Learner:
    from vectable.models.image_net import ImageNet

    torch.manual_seed(0)
    model = ImageNet(torch.nn.Conv2d(3, 4, 3), torch.nn.Sequential(image_head(4, 2, width=8)))
    return vt.Learner(images, model, torch.nn.CrossEntropyLoss(), ["accuracy"], progress=False)


def test_bad_files_are_named_and_left_out_or_refused(colours):
    with pytest.warns(vt.VectableWarning, match=r"3 files are left out.*cut\.jpg.*gone\.gif.*text\.jpg"):
        images = vt.ImageData.from_folder(colours, size=32)
    assert (len(images.train), len(images.valid)) == (32, 8)
    assert images.classes == ("blue", "red")
    assert sorted(path.name for path, _ in images.left_out) == ["cut.jpg", "gone.gif", "text.jpg"]
    with pytest.raises(vt.DataError, match=r"cut\.jpg"):
        vt.ImageData.from_folder(colours, size=32, on_bad="raise")


def test_the_same_pictures_with_and_without_a_cache(colours):
    with pytest.warns(vt.VectableWarning):
        kept, decoded = (vt.ImageData.from_folder(colours, size=32, cache_mb=mb) for mb in (64, 0))
    assert all(one is not None for one in kept.train.kept)
    assert all(one is None for one in decoded.train.kept)
    with torch.no_grad():
        (first,), target = kept.train.batch(slice(0, 5))
        (second,), _ = decoded.train.batch(np.arange(5, dtype=np.int32))
    assert torch.equal(first, second)
    assert first.shape == (5, 3, 32, 32)
    assert first.dtype == torch.uint8
    assert len(target) == 5


def test_augmentation_follows_the_seed_and_only_training_sees_it(colours):
    with pytest.warns(vt.VectableWarning):
        images = vt.ImageData.from_folder(colours, size=32)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(images.train.batch(slice(0, 4))[0][0])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    with torch.no_grad():
        plain = [images.train.batch(slice(0, 4))[0][0] for _ in range(2)]
    assert torch.equal(plain[0], plain[1])


def test_a_learner_tells_red_from_blue_and_repeats_to_the_bit(colours):
    with pytest.warns(vt.VectableWarning):
        images = vt.ImageData.from_folder(colours, size=32, batch_size=8)
    first, second = (learner(images).fit_one_cycle(4, 1e-2) for _ in range(2))
    assert first.validate()["accuracy"] == 1.0
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))


def test_one_class_is_refused(tmp_path):
    for at in range(2):
        save(tmp_path / "only" / f"{at}.png")
    with pytest.raises(vt.DataError, match="one class alone, 'only'"):
        vt.ImageData.from_folder(tmp_path)


def test_decoding_in_threads_stops_at_a_file_that_is_gone(colours):
    with pytest.warns(vt.VectableWarning):
        images = vt.ImageData.from_folder(colours, size=32, cache_mb=0)
    images.valid.paths[0].unlink()
    with pytest.raises(vt.DataError, match=f"no file.*{images.valid.paths[0].name}"), torch.no_grad():
        images.valid.batch(slice(0, 4))


def test_show_batch_shows_what_the_model_sees_and_repeats(colours, tmp_path):
    with pytest.warns(vt.VectableWarning):
        images = vt.ImageData.from_folder(colours, size=32)
    figures = [images.show_batch(5, seed=seed, path=str(tmp_path / "batch.png")) for seed in (1, 1, 2)]
    shown = [[axes.get_images()[0].get_array() for axes in one.axes if axes.get_images()] for one in figures]
    assert [picture.shape for picture in shown[0]] == [(32, 32, 3)] * 5
    assert all((a == b).all() for a, b in zip(shown[0], shown[1], strict=True))
    assert not all((a == b).all() for a, b in zip(shown[0], shown[2], strict=True))
    titles = [axes.get_title() for axes in figures[0].axes if axes.get_images()]
    for title, picture in zip(titles, shown[0], strict=True):
        assert title == ("blue" if picture[..., 2].mean() > picture[..., 0].mean() else "red")
    assert (tmp_path / "batch.png").stat().st_size > 1000
    with pytest.raises(vt.VectableError, match=r"n must be .*; got 0"):
        images.show_batch(0)


# ---------------------------------------------------------------- tables of photographs


@pytest.fixture
def listed(tmp_path) -> tuple[Path, dict[str, list[object]]]:
    """Twelve pictures in one folder, and their table: the name without its suffix, a number, a mark."""
    for at in range(12):
        save(tmp_path / "all" / f"{at:02}.png", size=(20, 20), colour=(20 * at, 0, 0))
    names = [f"{at:02}" for at in range(12)]
    return tmp_path, {
        "name": names,
        "grade": [10 if at % 2 else 9 for at in range(12)],
        "held": [at > 8 for at in range(12)],
    }


def test_a_table_names_the_photographs_and_marks_what_validates(listed):
    folder, table = listed
    how = {"folder": folder / "all", "suffix": ".png", "size": 16, "augment": False}
    images = vt.ImageData.from_df(table, valid="held", **how)
    assert images.classes == ("9", "10")  # numbers by their size
    assert [path.name for path in images.train.paths] == [f"{at:02}.png" for at in range(9)]
    assert images.valid.target.tolist() == [1, 0, 1]
    (pictures,), _ = images.valid.batch(slice(0, 3))
    assert pictures[:, 0, 0, 0].tolist() == [180, 200, 220]
    shared = vt.ImageData.from_df(table, valid_pct=0.25, **how)
    assert (len(shared.train), len(shared.valid)) == (9, 3)
    other = vt.ImageData.from_df(table, valid_pct=0.25, seed=1, **how)
    assert [one.name for one in shared.valid.paths] != [one.name for one in other.valid.paths]


def test_tables_of_every_kind_and_a_file_of_one(listed):
    import pandas as pd
    import polars as pl

    folder, table = listed
    table["held"] = ["valid" if one else "train" for one in table["held"]]
    how = {"valid": "held", "suffix": ".png", "size": 16, "file": "name", "label": "grade"}
    for frame, kind in ((pd.DataFrame(table), "pandas"), (pl.DataFrame(table), "polars")):
        images = vt.ImageData.from_df(frame, folder / "all", **how)
        assert (images.kind, len(images.valid)) == (kind, 3)
    pl.DataFrame(table).write_csv(folder / "all" / "labels.csv")
    images = vt.ImageData.from_csv(folder / "all" / "labels.csv", **how)
    assert (len(images.train), len(images.valid), images.classes) == (9, 3, ("9", "10"))
    elsewhere = pl.DataFrame(table).with_columns(name="all/" + pl.col("name").cast(str))
    elsewhere.write_parquet(folder / "labels.parquet")
    assert len(vt.ImageData.from_csv(folder / "labels.parquet", **how).valid) == 3


@pytest.mark.parametrize(
    ("change", "how", "told"),
    [
        ({"grade": [9] * 12}, {}, "The table has one class alone, '9'"),
        ({"grade": [None] + [9, 10] * 5 + [9]}, {}, "Row 1 of the table has nothing in the column 'grade'"),
        ({"held": ["later"] * 12}, {"valid": "held"}, r"Row 1 of the table has 'later' in 'held'"),
        ({}, {"valid": "hold"}, "no column 'hold'. Did you mean 'held'"),
        ({}, {"label": "grad"}, "Did you mean 'grade'"),
        ({"grade": [9] * 8 + [10] * 4, "held": [0] * 8 + [1] * 4}, {"valid": "held"}, r"'10'.*training lacks"),
        ({}, {"folder": "nowhere"}, "no photographs to train on"),
        ({}, {"valid_pct": 1.5}, r"valid_pct must be .*; got 1.5"),
        ({}, {"on_bad": "ignore"}, r"on_bad must be .*; got 'ignore'"),
        ({}, {"size": 0}, "The size must be .*; got 0"),
        ({}, {"batch_size": 0}, "The batch size must be .*; got 0"),
    ],
)
@pytest.mark.filterwarnings("ignore::vectable.VectableWarning")
def test_tables_that_cannot_be_used(listed, change, how, told):
    folder, table = listed
    with pytest.raises(vt.VectableError, match=told):
        vt.ImageData.from_df({**table, **change}, **{"folder": folder / "all", "suffix": ".png", "size": 16, **how})
    with pytest.raises(vt.DataError, match="it needs a file's name and its class"):
        vt.ImageData.from_df({"name": ["a"]})
    with pytest.raises(vt.DataError, match="no rows"):
        vt.ImageData.from_df({"name": [], "grade": []})


def test_a_row_whose_file_is_missing_is_told_or_refused(listed):
    folder, table = listed
    table["name"][0] = "gone"
    how = {"folder": folder / "all", "suffix": ".png", "size": 16}
    with pytest.warns(vt.VectableWarning, match=r"1 files are left out: There is no file.*gone\.png"):
        assert len(vt.ImageData.from_df(table, valid="held", **how).train) == 8
    with pytest.raises(vt.DataError, match=r"gone\.png"):
        vt.ImageData.from_df(table, on_bad="raise", **how)


def test_fixed_batch_norm_statistics_stay():
    from vectable.models.image_net import ImageNet

    body = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    pictures = torch.randint(0, 255, (4, 3, 8, 8), dtype=torch.uint8)
    for train_bn in (False, True):
        ImageNet(body, image_head(4, 2), train_bn=train_bn).train()(pictures)
        assert (body[1].running_mean != 0).any().item() is train_bn


def test_sizes_caches_and_names_out_of_range_get_a_sentence(tmp_path):
    black = np.zeros((8, 10, 10), np.uint8)
    with pytest.raises(vt.VectableError, match="size must be 1 to 4,096 pixels; got 100000"):
        vt.ImageData.from_arrays(black, list("abababab"), size=100_000)
    table = pl.DataFrame({"kind": list("abcdefgh"), "name": list("abcdefgh")})
    with (
        pytest.warns(vt.VectableWarning, match="8 of 8 classes in the table have a single image") as told,
        pytest.raises(vt.DataError, match=r"No file that the column 'kind' names is there.*folder=\.\.\."),
    ):
        vt.ImageData.from_df(table, tmp_path, "kind", "name")
    assert len(told) == 1
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for at in range(2):
            Image.fromarray(black[0]).save(tmp_path / name / f"{at}.png")
    with pytest.raises(vt.VectableError, match=r"cache_mb must be .*; got -1"):
        vt.ImageData.from_folder(tmp_path, cache_mb=-1)
    assert len(vt.ImageData.from_folder(tmp_path, size=8, cache_mb=0).train) > 0
