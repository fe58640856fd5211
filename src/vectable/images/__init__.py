"""The application for photographs."""
