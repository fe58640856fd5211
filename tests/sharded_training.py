"""A program for torchrun: train on lanes in all processes, and print what came of it.

python sharded_training.py LANES OUT [CHECKPOINT [STEPS [DIE_AT]]]

It writes its vectors and lists into OUT; the model as an ordinary folder to OUT/model. With a CHECKPOINT it continues
from there, keeps one every STEPS steps, and each process that DIE_AT names ("rank:step,rank:step", one a start) kills
itself there.
"""

import json
import os
import signal
import sys
from pathlib import Path

import vectable as vt

EPOCHS, LR, FACTORS, BATCH = 3, 2e-2, 6, 1024


def learner(lanes, **how):
    """The same in every process and test."""
    data = vt.RatingsData.from_lanes(lanes, batch_size=BATCH, **how)
    return vt.collab_learner(data, FACTORS, progress=False)


def main():
    lanes, out, *more = sys.argv[1:]
    out = Path(out)
    learn = learner(lanes)
    keep = {}
    if more:
        keep = {"checkpoint": vt.Checkpoint(more[0], steps=int(more[1]) if len(more) > 1 else 5), "resume": True}
    if len(more) > 2:
        deaths = [tuple(map(int, death.split(":"))) for death in more[2].split(",")]
        start = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
        if start < len(deaths):
            die_at(learn, *deaths[start])
    learn.fit_one_cycle(EPOCHS, LR, **keep)
    trained = learn.data.world.bytes_sent
    measured = learn.validate()
    sent = trained - EPOCHS * (learn.data.world.bytes_sent - trained)  # each epoch is measured once
    learn.write_vectors(out / "vectors")
    learn.write_lists(out / "lists", n=5)
    learn.save(out / "model")
    rows = {"users": learn.data.n_users_here, "items": learn.model.item_bias.num_embeddings - 1}
    if learn.data.world.rank == 0:
        print(json.dumps({**measured, "bytes": sent, "rows": rows, "losses": learn.recorder.losses.tolist()}))


def die_at(learn, rank, step):
    """Let a process kill itself when it has done so many steps since it was started."""
    world, done, total = learn.data.world, [0], learn.data.world.total

    def counted(values):
        done[0] += 1
        if world.rank == rank and done[0] >= step:
            os.kill(os.getpid(), signal.SIGKILL)
        return total(values)

    world.total = counted


if __name__ == "__main__":
    main()
