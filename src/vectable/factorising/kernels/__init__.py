"""What numba compiles, one file per concern: its disk cache watches only the file that a function is written in."""
