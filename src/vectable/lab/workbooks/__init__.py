"""Workbooks with live formulas in every computed cell."""
