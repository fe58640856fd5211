"""The archives in which GroupLens offers the MovieLens data sets: sizes, checksums, licence and source."""

from vectable.data.sets.ratings_set import SetInfo

MOVIELENS_SOURCE = (
    "GroupLens, https://grouplens.org/datasets/movielens/; F. M. Harper and J. A. Konstan, The MovieLens "
    "Datasets: History and Context, ACM TiiS 5(4), 2015, doi 10.1145/2827872"
)
MOVIELENS_LICENCE = (
    "GroupLens licence; research use with acknowledgement, no redistribution, no commercial use without permission"
)


def _movielens(
    name: str, about: str, ratings: int, users: int, items: int, sha256: str | None, size: int | None
) -> SetInfo:
    url = f"https://files.grouplens.org/datasets/movielens/{name}.zip" if sha256 else None
    return SetInfo(name, about, ratings, users, items, MOVIELENS_LICENCE, MOVIELENS_SOURCE, False, url, sha256, size)


MOVIELENS: tuple[SetInfo, ...] = (
    _movielens(
        "ml-100k",
        "films rated 1 to 5, 1997-1998, with the folds u1 to u5, ua and ub",
        100_000,
        943,
        1_682,
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
        4_924_029,
    ),
    _movielens(
        "ml-1m",
        "films rated 1 to 5, 2000",
        1_000_209,
        6_040,
        3_883,
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        5_917_549,
    ),
    _movielens(
        "ml-latest-small",
        "films rated 0.5 to 5, 1996-2018",
        100_836,
        610,
        9_742,
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        978_202,
    ),
    _movielens(
        "ml-20m",
        "films rated 0.5 to 5, 1995-2015",
        20_000_263,
        138_493,
        27_278,
        "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3",
        198_702_078,
    ),
    _movielens(
        "ml-25m",
        "films rated 0.5 to 5, 1995-2019",
        25_000_095,
        162_541,
        62_423,
        "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa",
        261_978_986,
    ),
    _movielens(
        "ml-32m",
        "films rated 0.5 to 5, 1995-2023",
        32_000_204,
        200_948,
        87_585,
        "e4a68655d7386b8f95f2f2424b2ff975dfdd15ffd59e0d864a14dca43e99d6ee",
        238_950_008,
    ),
)
"""The checksums of the archives are those that TensorFlow Datasets keeps (url_checksums/movielens.txt); that
of ml-32m is the one that independent projects agree on, of the archive whose MD5 GroupLens publishes."""
