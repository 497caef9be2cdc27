"""Keep: save into the SpatialData, export, reopen, and repeat a step from a terminal or from Python."""
