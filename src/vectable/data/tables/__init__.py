"""Tables of mixed columns, encoded and split."""
