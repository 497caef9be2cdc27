"""Opening slides: the panel, the command, and the thread in between."""

from .opener import Opener, open_in_viewer, opener_of

__all__ = ["Opener", "open_in_viewer", "opener_of"]
