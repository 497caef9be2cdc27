"""Cells of a slide in the viewer: a million nuclei as a raster of types, and what each spot is composed of."""
