"""The compiled CPU engine: AdamW on embedding tables at a cost independent of their size."""
