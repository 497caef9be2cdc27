"""The sample slide that comes with the package, made into a SpatialData in the user's cache on first use."""

import os
from importlib import resources
from pathlib import Path

from napari_c2lst.common.files import content_hash
from napari_c2lst.common.reporter import Reporter

SAMPLE_NAME = "her2st-B4"


def sample_source() -> Path:
    """The folder inside the package: JPEG, counts, spot positions, and where they come from (CC BY 4.0)."""
    return Path(str(resources.files("napari_c2lst") / "data" / "sample"))


def cache_folder() -> Path:
    """Where made slides are kept: the user's cache folder, or what `C2LST_CACHE` names."""
    from platformdirs import user_cache_path

    return Path(os.environ["C2LST_CACHE"]) if os.environ.get("C2LST_CACHE") else user_cache_path("napari-c2lst")


def sample_slide_path(folder: Path | None = None, reporter: Reporter | None = None) -> Path:
    """The sample slide as a SpatialData store; written on first use.

    Parameters
    ----------
    folder
        Where to keep it; none = the user's cache.
    reporter
        Told when the store has to be made.

    Raises
    ------
    InputError
        If the disk is full or may not be written.
    """
    from napari_c2lst.slides.store.converting import run

    from .settings import ConvertSettings

    reporter = reporter or Reporter()
    source = sample_source()
    # the folder's name carries the content, so that a newer package never meets an older slide
    digest = content_hash(f.read_bytes() for f in sorted(source.iterdir()) if f.is_file())[7:15]
    store = (folder or cache_folder()) / digest / f"{SAMPLE_NAME}.zarr"
    if not store.exists():
        reporter.message(f"making the sample slide: {store}")
        store.parent.mkdir(parents=True, exist_ok=True)
        run(ConvertSettings(slide=source / "B4.tsv.gz", out=store), reporter)
    return store
