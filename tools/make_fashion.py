"""Make what the package ships of Fashion-MNIST: a sample of its pictures, and a small body that knows six classes.

    python tools/make_fashion.py FOLDER

FOLDER holds the four idx .gz files of https://github.com/zalandoresearch/fashion-mnist. The sample takes 250 pictures a
class from the training file and 100 from the test file, drawn from a seed. The body is trained on all pictures of the
training file that belong to six of the ten classes, but for the sample's; it has never seen the other four classes.
What it reaches is printed, measured on the six classes' pictures of the test file.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import save

import vectable as vt
from vectable.lab.idx import read_idx
from vectable.models.image_backbone import FASHION_SMALL
from vectable.models.image_head import image_head
from vectable.models.image_net import ImageNet
from vectable.models.small_backbone import SmallBackbone

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
KNOWN = ("T-shirt/top", "Trouser", "Dress", "Sandal", "Sneaker", "Bag")
PER_CLASS = {"train": 250, "valid": 100}
OUT = Path(vt.__file__).parent / "data" / "sets" / "shipped" / "fashion"
EPOCHS, LR, BATCH = 6, 1e-2, 128


def main(folder: Path) -> None:
    """Write both files."""
    pictures, labels = {}, {}
    for part, name in (("train", "train"), ("valid", "t10k")):
        pictures[part] = read_idx(folder / f"{name}-images-idx3-ubyte.gz")
        labels[part] = read_idx(folder / f"{name}-labels-idx1-ubyte.gz")
    sampled = {part: draw(labels[part], n, seed=at) for at, (part, n) in enumerate(PER_CLASS.items())}
    frames = [
        pl.DataFrame(
            {
                "picture": [picture.tobytes() for picture in pictures[part][at]],
                "class": [CLASSES[label] for label in labels[part][at]],
                "split": part,
            }
        )
        for part, at in sampled.items()
    ]
    pl.concat(frames).write_parquet(OUT / "pictures.parquet", compression="brotli", compression_level=11)

    known = np.array([CLASSES.index(name) for name in KNOWN])
    used = {part: np.isin(labels[part], known) for part in labels}
    used["train"][sampled["train"]] = False
    images = vt.ImageData.from_arrays(
        np.concatenate([pictures[part][at] for part, at in used.items()]),
        np.array(CLASSES)[np.concatenate([labels[part][at] for part, at in used.items()])],
        valid=np.repeat([False, True], [used["train"].sum(), used["valid"].sum()]),
        batch_size=BATCH,
    )
    torch.manual_seed(0)
    body = SmallBackbone(pretrained=False)
    net = ImageNet(body, image_head(body.n_features, len(KNOWN)), body.mean, body.std)
    learn = vt.Learner(images, net, torch.nn.CrossEntropyLoss(), ["accuracy"], seed=0)
    learn.fit_one_cycle(EPOCHS, LR)
    weights = {name: value.contiguous() for name, value in body.state_dict().items()}
    (OUT / "body.safetensors").write_bytes(save(weights))
    accuracy = learn.validate()["accuracy"]
    print(f"{FASHION_SMALL}: {len(images.train):,} pictures, accuracy {accuracy:.4f} on {len(images.valid):,}")


def draw(labels: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Rows of so many pictures a class, class by class."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(labels == one))[:per_class] for one in range(len(CLASSES))])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
