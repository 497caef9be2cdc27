"""Errors, settings, reporting, run folders and random numbers: what every other room stands on."""
