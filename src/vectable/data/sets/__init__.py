"""Data sets by name: shipped with the package, or downloaded."""
