"""The few wordings that reading and writing files share."""


def count_of(n: int, thing: str) -> str:
    """A number and what it counts, in the plural where it is not one."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def first_line(problem: BaseException) -> str:
    """What another library says is wrong, in one line without its full stop."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def repeated(names: list[str]) -> list[str]:
    """The names that stand in the list before already, in order."""
    seen: set[str] = set()
    again: list[str] = []
    for name in names:
        if name in seen:
            again.append(name)
        seen.add(name)
    return again
