"""The public PanNuke weights, fetched only when the user asks for them and accepts their licence."""

from pathlib import Path

from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.common.hub import no_telemetry

from .facts import PANNUKE, PANNUKE_NOTICE

# their public home, as TIAToolbox keeps them
HUB_ID, HUB_FILE = "TIACentre/TIAToolbox_pretrained_weights", "hovernet_fast-pannuke.pth"


def is_fetched(path: str | Path) -> bool:
    """Whether these weights are meant, not a file or folder of that name."""
    return str(path) == PANNUKE and not Path(PANNUKE).exists()


def fetch_pannuke(allow_download: bool, accept_licence: bool) -> Path:
    """The file, from the hub's cache or from the hub.

    Raises
    ------
    InputError
        If the download was not allowed or the licence not accepted, with the licence's terms; or if it failed.
    """
    missing = [
        flag
        for flag, given in (("--allow-download", allow_download), ("--accept-licence", accept_licence))
        if not given
    ]
    if missing:
        raise InputError(PANNUKE_NOTICE, f"to fetch them (151 MB) under these terms, add {' '.join(missing)}")
    from huggingface_hub import hf_hub_download

    try:
        with no_telemetry():
            return Path(hf_hub_download(HUB_ID, HUB_FILE))
    except Exception as error:
        raise InputError(
            f"'{HUB_FILE}' could not be fetched from {HUB_ID}: {first_line(error)}",
            "check the network, or fetch the file yourself and give its path",
        ) from error
