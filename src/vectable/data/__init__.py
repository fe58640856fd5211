"""Reading tables, encoding them, splitting them and cutting them into batches. Knows nothing of models."""
