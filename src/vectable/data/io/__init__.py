"""Files and frames: reading, writing, and any data frame as a polars one."""
