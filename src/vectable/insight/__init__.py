"""Looking at what was learned: summaries, components, maps, neighbours, reasons. Knows nothing of training loops."""
