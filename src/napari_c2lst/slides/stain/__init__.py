"""Stain normalisation of H&E patches: ours, staintools beside it, and the stain of a whole slide."""
