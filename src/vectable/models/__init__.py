"""Plain torch modules, one idea a file. Knows nothing of data frames or training."""
