"""What is worked out from a trained model once, by the run's own process, for the pages to read."""
