"""napari-spatialdata beside us: the slide in its docks, lying right, and what is drawn there into the slide's store."""
