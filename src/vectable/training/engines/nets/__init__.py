"""The compiled engine for small nets: tabular nets, embedding nets and multi-layer perceptrons on one CPU thread."""
