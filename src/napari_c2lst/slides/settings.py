"""Settings of the tasks `info` and `convert`."""

from pathlib import Path
from typing import Any, ClassVar

from napari_c2lst.common.settings import TaskSettings, setting


class SlideSettings(TaskSettings):
    """How to open a slide; what every task that opens one understands."""

    slide: Path = setting(
        help="a SpatialData .zarr, a Space Ranger folder, a HEST-1k sample, a legacy ST folder, or an image",
        positional=True,
    )
    image: Path | None = setting(None, help="the full-resolution image that Space Ranger folders lack")
    mpp: float | None = setting(
        None, help="size of an image pixel; overrides what is stored or fitted", unit="um", ge=0.01, le=100
    )
    image_name: str | None = setting(None, help="which image of a SpatialData to use", advanced=True)
    table: str | None = setting(None, help="which table of a SpatialData to use", advanced=True)
    coordinate_system: str | None = setting(None, help="which coordinate system of a SpatialData to use", advanced=True)
    image_scale: float | None = setting(
        None, help="pixels of --image per full-resolution pixel; none = worked out", gt=0, advanced=True
    )
    square_um: float = setting(
        112.0, help="side of the squares that Visium HD bins are summed into", unit="um", ge=2, advanced=True
    )

    @property
    def opening(self) -> dict[str, Any]:
        """What `open_slide` takes besides the path."""
        return {name: getattr(self, name) for name in SlideSettings.model_fields if name != "slide"}


class InfoSettings(SlideSettings):
    """What a slide is made of, before any work."""

    task: ClassVar[str] = "info"

    tissue: bool = setting(True, help="also look for tissue under the spots (reads a coarse level of the image)")


class ConvertSettings(SlideSettings):
    """Turn any slide into a SpatialData store."""

    task: ClassVar[str] = "convert"

    out: Path = setting(help="the .zarr to write", positional=True)
