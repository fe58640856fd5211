"""What trains a model: the torch engine for any module, the compiled engine for dot products."""
