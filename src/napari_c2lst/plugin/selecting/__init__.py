"""Choosing spots: by lasso, rectangle and brush, at random, as suggested, by a column; kept as named sets."""
