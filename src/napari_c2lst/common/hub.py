"""Downloads from the Hugging Face hub, which a user has asked for, tell it nothing about the computer."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_telemetry() -> Iterator[None]:
    """While it lasts the hub's library asks for files and sends nothing else, whatever was imported before.

    The library reads its environment variable once, when it is imported; so its constant is set.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before
