"""Judging results: the score table and its plots, in words."""
