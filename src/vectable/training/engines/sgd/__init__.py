"""The engine for millions of ratings: a step of SGD a rating, with one Adagrad rate for each user and each item.

`kernels.py` has the loop, `user_order.py` the order of the ratings, `packed_rows.py` the tables, `engine.py` what a fit
asks for.
"""
