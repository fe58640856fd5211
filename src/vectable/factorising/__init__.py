"""Compiled maths without names: least squares, closed forms and neighbors for interactions. Knows no frames."""
