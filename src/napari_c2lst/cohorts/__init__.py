"""Many slides: a table of slides, done one by one on Dask workers, resumable, with a summary at the end."""
