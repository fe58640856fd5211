"""The application for ratings."""
