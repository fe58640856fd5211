"""Column encoders: from the values of a column to numbers, and back."""
