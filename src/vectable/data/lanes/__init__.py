"""Lanes: a table of users and items as codes in Parquet pieces, each user's rows in one of them, made on disk."""
