"""Patches of tissue: cut around points, resampled with antialiasing, streamed chunk by chunk; their features."""
