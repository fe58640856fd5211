"""Plain torch modules, one idea per file. Knows nothing of data frames or training."""
