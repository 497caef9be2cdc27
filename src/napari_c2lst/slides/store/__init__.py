"""Write: slides as SpatialData stores, results into them, whole or not at all."""
