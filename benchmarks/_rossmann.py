"""Rossmann's sales as one table: a row a store and day, with what the lesson joins to it."""

import os
import sys
from pathlib import Path

FILES = ("train.csv", "store.csv", "store_states.csv", "state_names.csv", "weather.csv", "googletrend.csv")
WEATHER = {
    "Max_TemperatureC": "max_temperature",
    "Mean_TemperatureC": "mean_temperature",
    "Min_TemperatureC": "min_temperature",
    "Max_Humidity": "max_humidity",
    "Mean_Humidity": "mean_humidity",
    "Min_Humidity": "min_humidity",
    "Max_Wind_SpeedKm_h": "max_wind",
    "Mean_Wind_SpeedKm_h": "mean_wind",
    "CloudCover": "cloud_cover",
    "Precipitationmm": "precipitation",
    "Events": "weather",
}
CATEGORIES = [
    "store",
    "weekday",
    "date_year",
    "date_month",
    "date_day",
    "date_week",
    "state_holiday",
    "school_holiday",
    "promo",
    "store_type",
    "assortment",
    "state",
    "competition_open_since_year",
    "competition_months_open",
    "promo2_weeks",
    "promo2_since_year",
    "promo_interval",
    "weather",
    "promo_in_7_days",
    "school_holidays_in_7_days",
    "promo_past_7_days",
    "school_holidays_past_7_days",
]
NUMBERS = [
    "competition_distance",
    "max_temperature",
    "mean_temperature",
    "min_temperature",
    "max_humidity",
    "mean_humidity",
    "min_humidity",
    "max_wind",
    "mean_wind",
    "cloud_cover",
    "precipitation",
    "trend",
    "trend_germany",
    "date_day_of_year",
    "promo_since",
    "promo_until",
    "school_holiday_since",
    "school_holiday_until",
    "state_holiday_since",
    "state_holiday_until",
]


def sales():
    """What the shops sold: store, date, state, promo, weekday and sales, a row a day and store, open or closed."""
    import polars as pl

    folder = _folder()
    days = pl.read_csv(folder / "train.csv", schema_overrides={"StateHoliday": pl.String}, try_parse_dates=True)
    states = pl.read_csv(folder / "store_states.csv")
    return days.join(states, on="Store", maintain_order="left").select(
        store="Store",
        date="Date",
        state="State",
        weekday="DayOfWeek",
        promo="Promo",
        state_holiday="StateHoliday",
        school_holiday="SchoolHoliday",
        open="Open",
        sales="Sales",
    )


def lesson_table():
    """All that the lesson knows of a day on which a store was open, in order of time."""
    import polars as pl

    import vectable as vt

    folder = _folder()
    days = sales().with_columns(is_holiday=pl.col("state_holiday") != "0")
    for event, name in (("promo", "promo"), ("school_holiday", "school_holiday"), ("is_holiday", "state_holiday")):
        found = vt.elapsed_to_event(days, event, "date", "store")
        days = days.with_columns(found[f"{event}_{side}"].alias(f"{name}_{side}") for side in ("since", "until"))
    days = days.sort("store", "date")
    for event, name in (("promo", "promo"), ("school_holiday", "school_holidays")):
        days = days.with_columns(
            pl.col(event).rolling_sum(7, min_samples=1).over("store").alias(f"{name}_past_7_days"),
            pl.col(event).reverse().rolling_sum(7, min_samples=1).reverse().over("store").alias(f"{name}_in_7_days"),
        )
    days = days.hstack(vt.date_parts(days["date"]))
    for joined, on in ((_stores(folder), ["store"]), (_weather(folder), ["state", "date"])):
        days = days.join(joined, on=on, how="left", maintain_order="left")
    for joined, on in zip(_trends(folder), (["state", "week_start"], ["week_start"]), strict=True):
        week_start = pl.col("date").dt.offset_by("1d").dt.truncate("1w").dt.offset_by("-1d")
        days = days.with_columns(week_start=week_start).join(joined, on=on, how="left", maintain_order="left")
    days = days.with_columns(
        competition_months_open=_since("competition_since", 30).clip(0, 24),
        promo2_weeks=_since("promo2_since", 7).clip(0, 25),
    )
    return days.filter(pl.col("sales") > 0).sort("date", "store").select("date", "sales", *CATEGORIES, *NUMBERS)


def _since(column, days):
    """Whole periods of so many days between a date and the row's, missing where there is none."""
    import polars as pl

    return (pl.col("date") - pl.col(column)).dt.total_days() // days


def _stores(folder):
    import polars as pl

    stores = pl.read_csv(folder / "store.csv")
    month = pl.date(pl.col("CompetitionOpenSinceYear"), pl.col("CompetitionOpenSinceMonth"), 15)
    week = pl.date(pl.col("Promo2SinceYear"), 1, 1) + pl.duration(days=7 * (pl.col("Promo2SinceWeek") - 1))
    return stores.select(
        store="Store",
        store_type="StoreType",
        assortment="Assortment",
        competition_distance="CompetitionDistance",
        competition_open_since_year=pl.col("CompetitionOpenSinceYear").clip(1990, None),
        competition_since=month,
        promo2_since_year="Promo2SinceYear",
        promo2_since=week,
        promo_interval="PromoInterval",
    )


def _weather(folder):
    import polars as pl

    names = pl.read_csv(folder / "state_names.csv").rename({"StateName": "file", "State": "state"})
    weather = pl.read_csv(folder / "weather.csv", try_parse_dates=True, infer_schema_length=None)
    weather = weather.join(names, on="file")
    return weather.select("state", pl.col("Date").alias("date"), *(pl.col(a).alias(b) for a, b in WEATHER.items()))


def _trends(folder):
    """How often people searched for the chain, a week: in each state, and in the country."""
    import polars as pl

    weeks = pl.read_csv(folder / "googletrend.csv").with_columns(
        week_start=pl.col("week").str.slice(0, 10).str.to_date(),
        state=pl.col("file").str.replace("Rossmann_DE_?", "").replace("NI", "HB,NI"),
    )
    country = pl.col("state") == ""
    return (
        weeks.filter(~country).select("state", "week_start", "trend"),
        weeks.filter(country).select("week_start", trend_germany="trend"),
    )


def _folder():
    folder = Path(os.environ.get("VECTABLE_DATA", "")) / "rossmann"
    if gone := [name for name in FILES if not (folder / name).is_file()]:
        sys.exit(f"This benchmark needs rossmann/{gone[0]}, which may not be shipped: --data names the folder.")
    return folder
