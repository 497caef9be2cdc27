"""Spots: their quality, ways to choose some, named sets kept in the slide, splits into train and held out."""
