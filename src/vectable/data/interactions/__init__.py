"""Tables of who met what, without ratings, encoded and split."""
