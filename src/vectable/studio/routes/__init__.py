"""What the studio's pages ask, a file for each kind of question."""
