"""Approximate search for a user's best items among very many: recall@10 and requests a second, usearch beside faiss.

Made-up vectors with the falling spectrum of a trained model, and a bias an item. A request is one user's ten best items
after exact re-scoring of what the index returns; recall is the share of the exact ten among them. All on one thread, so
that a request costs what it costs beside others; seconds are of the processor, which other programs do not lengthen.

    python benchmarks/search.py [--items 1000000] [--width 64] [--users 200]
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from _common import Report, arguments, parse
from vectable.recommending.item_search import ItemSearch

N = 10
MOST = 128  # that are re-scored


def main() -> None:
    parser = arguments(__doc__, data=False)
    parser.add_argument("--items", type=int, help="items (default 1,000,000; 100,000 with --quick)")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--users", type=int, default=200)
    args = parse(parser)
    args.items = args.items or (100_000 if args.quick else 1_000_000)
    report = Report("search", args, items=args.items, width=args.width)
    items, biases, users = made_up(args.items, args.width, args.users)
    rows = []
    exact, cpu = asked(lambda user: best(items @ user + biases, np.arange(len(items))), users)
    rows.append(row("none: exact", 0, cpu, 1.0))
    report.result("exact", {"requests": 1 / cpu, "recall": 1.0})
    before = time.process_time()
    ready = ItemSearch.of(items_with_unknown(items), np.append(np.float32(0), biases), users)
    built = time.process_time() - before
    found, cpu = asked(lambda user: best_of(ready.find(user, MOST) - 1, items, biases, user), users)
    recall = recall_of(found, exact)
    report.result("ItemSearch", {"built": built, "requests": 1 / cpu, "recall": recall})
    name = f"load_answers(search='approximate'), nprobe={ready.index.nprobe}"
    rows.append(row(name, built, cpu, recall))
    points = as_points(items, biases)
    for name, make in MAKERS.items():
        before = time.process_time()
        searches = make(points)
        built = time.process_time() - before
        for setting, search in searches.items():

            def ask(user: np.ndarray, search: Any = search) -> np.ndarray:
                query = np.append(user, [1.0, 0.0]).astype(np.float32)
                return best_of(search(query[None] / np.linalg.norm(query)), items, biases, user)

            found, cpu = asked(ask, users)
            recall = recall_of(found, exact)
            report.result(f"{name}, {setting}", {"built": built, "requests": 1 / cpu, "recall": recall})
            rows.append(row(f"{name}, {setting}", built, cpu, recall))
    report.table(rows)
    report.finish()


def row(name: str, built: float, cpu: float, recall: float) -> dict[str, str]:
    """A row of the table, shown at once: building takes long."""
    shown = {
        "index": name,
        "built, s CPU": f"{built:.0f}",
        "requests/s": f"{1 / cpu:.0f}",
        "recall@10": f"{recall:.3f}",
    }
    print(shown, flush=True)
    return shown


def recall_of(found: list[np.ndarray], exact: list[np.ndarray]) -> float:
    return float(np.mean([len(set(one) & set(other)) / N for one, other in zip(found, exact, strict=True)]))


def items_with_unknown(items: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((1, items.shape[1]), dtype=np.float32), items])


def best_of(found: np.ndarray, items: np.ndarray, biases: np.ndarray, user: np.ndarray) -> np.ndarray:
    return best(items[found] @ user + biases[found], found)


def made_up(n_items: int, width: int, n_users: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of items, their biases, and vectors of users."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, width + 1) ** -0.5
    items = rng.standard_normal((n_items, width), dtype=np.float32) * spectrum
    items *= rng.gamma(4, 0.25, (n_items, 1))
    users = rng.standard_normal((n_users, width), dtype=np.float32) * spectrum
    biases = 0.3 * rng.standard_normal(n_items)
    return items.astype(np.float32), biases.astype(np.float32), users.astype(np.float32)


def as_points(items: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Items as points of one length, so that the nearest are those with the largest sums (Bachrach et al. 2014)."""
    points = np.concatenate([items, biases[:, None]], axis=1)
    squares = (points**2).sum(axis=1)
    length = float(squares.max())
    return np.concatenate([points, np.sqrt(length - squares)[:, None]], axis=1).astype(np.float32)


def best(sums: np.ndarray, codes: np.ndarray) -> np.ndarray:
    top = np.argpartition(-sums, N)[:N]
    return codes[top[np.argsort(-sums[top])]]


def asked(ask: Callable[[np.ndarray], np.ndarray], users: np.ndarray) -> tuple[list[np.ndarray], float]:
    """Answers, and seconds of the processor a request."""
    ask(users[0])
    before = time.process_time()
    found = [ask(user) for user in users]
    return found, (time.process_time() - before) / len(users)


Searches = dict[str, Callable[[np.ndarray], np.ndarray]]


def of_faiss(key: str, knob: str, values: list[int]) -> Callable[[np.ndarray], Searches]:
    def make(points: np.ndarray) -> Searches:
        import faiss

        index = faiss.index_factory(points.shape[1], key, faiss.METRIC_INNER_PRODUCT)
        index.train(points[np.random.default_rng(0).permutation(len(points))[:100_000]])
        index.add(points)
        space = faiss.ParameterSpace()

        def at(value: int) -> Callable[[np.ndarray], np.ndarray]:
            def search(query: np.ndarray) -> np.ndarray:
                space.set_index_parameter(index, knob, value)
                found = index.search(query, MOST)[1][0]
                return found[found >= 0]

            return search

        return {f"{knob}={value}": at(value) for value in values}

    return make


def of_usearch(dtype: str, values: list[int]) -> Callable[[np.ndarray], Searches]:
    def make(points: np.ndarray) -> Searches:
        from usearch.index import Index

        index = Index(ndim=points.shape[1], metric="ip", dtype=dtype, connectivity=16, expansion_add=64)
        index.add(np.arange(len(points)), points, threads=1)

        def at(value: int) -> Callable[[np.ndarray], np.ndarray]:
            def search(query: np.ndarray) -> np.ndarray:
                index.expansion_search = value
                return np.asarray(index.search(query[0], MOST).keys.astype(np.int64))

            return search

        return {f"expansion={value}": at(value) for value in values}

    return make


MAKERS: dict[str, Callable[[np.ndarray], Searches]] = {
    "faiss IVF1024,SQ8": of_faiss("IVF1024,SQ8", "nprobe", [32, 128]),
    "faiss IVF1024,Flat": of_faiss("IVF1024,Flat", "nprobe", [32, 64, 128]),
    "faiss IVF4096,Flat": of_faiss("IVF4096,Flat", "nprobe", [64, 128, 256]),
    "usearch HNSW i8": of_usearch("i8", [128, 512]),
    "faiss HNSW16": of_faiss("HNSW16", "efSearch", [128, 512]),
}


if __name__ == "__main__":
    import faiss
    from threadpoolctl import threadpool_limits

    faiss.omp_set_num_threads(1)
    with threadpool_limits(1):
        main()
