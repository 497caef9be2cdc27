"""The napari side: reader and sample data (no torch here)."""
