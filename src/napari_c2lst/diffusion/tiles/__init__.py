"""Tiles for pretraining: found in folders, SPIDER collections and slides, packed once, split by slide."""
