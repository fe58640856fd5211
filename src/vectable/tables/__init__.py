"""The application for tables."""
