"""Genes: names matched by name, raw counts told from other tables, the panel of a model and its scale."""
