"""Tables of ratings, encoded and split."""
