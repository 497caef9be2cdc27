"""Figures: each function takes arrays and returns a matplotlib figure; `save` writes PNG and SVG."""
