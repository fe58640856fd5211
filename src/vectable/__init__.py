"""Vectable: embedding models from the tables people have."""
