"""Open any slide, find its spots and microns, read patches, write results back into the SpatialData."""
