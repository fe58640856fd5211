"""Answers from a saved folder for programs that serve many: NumPy arrays and lists made once, without torch."""
