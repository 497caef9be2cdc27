"""Durations in words; they are in `common.durations`."""

from napari_c2lst.common.durations import in_words

__all__ = ["in_words"]
