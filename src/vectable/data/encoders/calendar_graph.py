"""The parts of a date from its seconds since 1970, in whole numbers alone, for graphs; the same parts as
`vectable.data.encoders.dates.date_parts`.

The calendar is the proleptic Gregorian one. Year, month and day come from days as in `civil_from_days` of Howard
Hinnant's "chrono-compatible low-level date algorithms", https://howardhinnant.github.io/date_algorithms.html.
"""

from vectable.data.encoders.graph import Value

DAY = 86_400  # seconds
ERA_DAYS, ERA_YEARS = 146_097, 400  # after which the calendar repeats
LIFT = 1_000  # eras added, so that every number that is divided is positive
TO_MARCH = 719_468  # days from 0000-03-01, where Hinnant's eras begin, to 1970


def parts_of_seconds(seconds: Value) -> dict[str, Value]:
    """Parts by name, of seconds without missing ones: whole numbers, but for "elapsed"."""
    floor = seconds.graph.add("Floor", seconds)
    day = (floor.cast("int64") + DAY * ERA_DAYS * LIFT) // DAY
    year, month, day_of_month, day_of_year = _civil(day)
    weekday = (day + 3) % 7  # 1970 began on a Thursday
    first, last = day_of_month.equals(1), _civil(day + 1)[2].equals(1)
    starts = {
        "is_month_start": first,
        "is_month_end": last,
        "is_quarter_start": first & (month % 3).equals(1),
        "is_quarter_end": last & (month % 3).equals(0),
        "is_year_start": first & month.equals(1),
        "is_year_end": last & month.equals(12),
    }
    return {
        "year": year,
        "month": month,
        "week": (_civil(day - weekday + 3)[3] - 1) // 7 + 1,  # a week belongs to the year of its Thursday
        "day": day_of_month,
        "weekday": weekday,
        "day_of_year": day_of_year,
        "elapsed": seconds,
        **{name: holds.cast("int64") for name, holds in starts.items()},
    }


def _civil(day: Value) -> tuple[Value, Value, Value, Value]:
    """Year, month, day of the month and day of the year (from 1) of a day since 1970, lifted by `LIFT` eras."""
    since = day + TO_MARCH
    era, of_era = since // ERA_DAYS, since % ERA_DAYS
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (year_of_era * 365 + year_of_era // 4 - year_of_era // 100)  # from the first of March
    shifted = (of_year * 5 + 2) // 153  # months since March
    after_new_year = shifted >= 10
    month = (shifted - 9).where(after_new_year, shifted + 3)
    year = year_of_era + era * ERA_YEARS + after_new_year.cast("int64")
    is_leap = (year % 4).equals(0) & (~(year % 100).equals(0) | (year % 400).equals(0))
    day_of_year = (of_year - 305).where(after_new_year, of_year + is_leap.cast("int64") + 60)
    return year - ERA_YEARS * LIFT, month, of_year - (shifted * 153 + 2) // 5 + 1, day_of_year
