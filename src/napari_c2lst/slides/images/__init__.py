"""Pictures as lazy pyramids: files, chunks decoded once, the small picture of a whole slide, where tissue is."""
