"""Folders and tables of photographs."""
