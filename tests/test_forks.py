"""A model that was used before a fork says in the child what to do; one loaded after it answers."""

import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import multiprocessing, sys
    import numpy as np, polars as pl
    import vectable as vt

    def ask(queue, learn, frame, path):
        try:
            learn = vt.load_learner(path, progress=False) if path else learn
            queue.put(f"answer {learn.predict(frame).shape}")
        except vt.VectableError as problem:
            queue.put(str(problem))

    if __name__ == "__main__":
        rng = np.random.default_rng(0)
        columns = {"user": rng.integers(0, 9, 99), "item": rng.integers(0, 9, 99), "rating": rng.integers(1, 6, 99)}
        frame = pl.DataFrame(columns)
        context = multiprocessing.get_context(sys.argv[1])
        queue = context.Queue()
        learn = vt.collab_learner(vt.RatingsData.from_df(frame), n_factors=2, progress=False).fit(1, 1e-2)
        path = str(learn.save(sys.argv[2])) if sys.argv[1] == "spawn" else ""
        child = context.Process(target=ask, args=(queue, None if path else learn, frame, path))
        child.start()
        print(queue.get())
        child.join()
"""


@pytest.mark.parametrize(("method", "said"), [("fork", "get_context('spawn')"), ("spawn", "answer (99,)")])
def test_a_child_answers_or_says_why_it_cannot(method, said, tmp_path):
    script = tmp_path / "ask.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), method, str(tmp_path / "model")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said in done.stdout
