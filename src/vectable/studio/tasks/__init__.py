"""What a project can be for: one file for each task."""
