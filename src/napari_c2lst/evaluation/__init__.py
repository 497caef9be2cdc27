"""Splits, metrics, figures and the score table."""
