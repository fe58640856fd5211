"""The studio: the whole way from a file to answers in a browser, on this machine alone."""
