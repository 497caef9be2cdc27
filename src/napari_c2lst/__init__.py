"""Central-to-local adaptive generative diffusion for spatial transcriptomics.

Every task is one function of a slide and its settings::

    import napari_c2lst as c2lst

    c2lst.select("slide.zarr", name="train", fraction=0.25)
    run = c2lst.adapt("slide.zarr", spots="train", out="runs/local")
    slide = c2lst.open_slide("slide.zarr")

Importing this package loads neither torch nor Qt nor spatialdata: names are looked up on first use.
"""

from typing import TYPE_CHECKING

from napari_c2lst._version import __version__
from napari_c2lst.common.lazy import lazy_names

if TYPE_CHECKING:
    from napari_c2lst.jobs.api import adapt as adapt
    from napari_c2lst.jobs.api import convert as convert
    from napari_c2lst.jobs.api import evaluate as evaluate
    from napari_c2lst.jobs.api import find_cells as find_cells
    from napari_c2lst.jobs.api import info as info
    from napari_c2lst.jobs.api import predict as predict
    from napari_c2lst.jobs.api import pretrain as pretrain
    from napari_c2lst.jobs.api import publish as publish
    from napari_c2lst.jobs.api import run as run
    from napari_c2lst.jobs.api import sample as sample
    from napari_c2lst.jobs.api import sample_slide as sample_slide
    from napari_c2lst.jobs.api import select as select
    from napari_c2lst.jobs.api import train as train
    from napari_c2lst.jobs.api import train_cells as train_cells
    from napari_c2lst.slides.opening import open_slide as open_slide

__all__ = [
    "__version__",
    "adapt",
    "convert",
    "evaluate",
    "find_cells",
    "info",
    "open_slide",
    "predict",
    "pretrain",
    "publish",
    "run",
    "sample",
    "sample_slide",
    "select",
    "train",
    "train_cells",
]


_API = [name for name in __all__ if name not in ("__version__", "open_slide")]
__getattr__ = lazy_names(__name__, {"open_slide": "slides.opening", **dict.fromkeys(_API, "jobs.api")})[0]


def __dir__() -> list[str]:
    """Public names, those not imported yet included."""
    return sorted(__all__)
