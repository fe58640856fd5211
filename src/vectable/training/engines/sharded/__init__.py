"""Dot-product models whose rows live in several processes: users with their ratings, items in blocks of codes."""
