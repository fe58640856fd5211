"""The processes of one run: who is who, what travels between them, and what each keeps on disk. Knows no models."""
