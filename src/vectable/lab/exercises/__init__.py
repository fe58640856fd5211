"""Exercises for the lesson: small files with a gap to fill, and a judge that says what differs where."""
