"""The settings of `c2lst cells`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from napari_c2lst.common.settings import DeviceSettings, setting
from napari_c2lst.slides.settings import SlideSettings

from .facts import EMBEDDED


class CellsSettings(DeviceSettings, SlideSettings):
    """Find the nuclei of a slide, or of synthetic patches, and their types."""

    task: ClassVar[str] = "cells"
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"paper": {}, "small": {"tile_px": 384, "batch": 2}}

    slide: Path = setting(
        help="a slide, as every command takes it, or synthetic pairs (the --out of 'c2lst sample')", positional=True
    )
    weights: str = setting(
        EMBEDDED,
        help="HoVer-Net weights: a checkpoint (.tar, .pth, .safetensors), the --out of 'c2lst train-cells', embedded ="
        " the narrow network of the package (CoNSeP's four types), pannuke = the public PanNuke weights",
    )
    type_info: Path | None = setting(None, help="a type_info.json with names and colours of the types", advanced=True)
    allow_download: bool = setting(False, help="let the PanNuke weights be downloaded (with --weights pannuke)")
    accept_licence: bool = setting(False, help="accept the licence of the PanNuke weights, CC BY-NC-SA 4.0")
    name: str | None = setting(None, help="name of the result inside the slide; none = that of the weights")
    geojson: Path | None = setting(None, help="also write the nuclei as GeoJSON for QuPath")
    scheduler: str | None = setting(
        None, help="address of a Dask scheduler whose workers take the tiles, for example tcp://10.0.0.1:8786"
    )
    resume: Literal["auto", "never"] = setting(
        "auto", help="auto = go on where the same work was stopped, never = start anew"
    )
    tile_px: int = setting(
        512,
        help="side of a tile, at the pixels of the weights; a multiple of 8",
        unit="px",
        ge=64,
        le=4096,
        advanced=True,
    )
    batch: int = setting(8, help="tiles at a time on a GPU; a CPU takes one", ge=1, advanced=True)
    density: float | None = setting(
        None,
        help="factor on the optical density of the image before the network sees it; none = one for each channel, below"
        " 1 where nuclei are darker than those the weights have learned from; 1 = as they are",
        gt=0,
        le=4,
        advanced=True,
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.tile_px % 8:
            raise ValueError(f"tile_px = {self.tile_px} is no multiple of 8")
        if self.geojson is not None and self.geojson.is_dir():
            raise ValueError(f"geojson = '{self.geojson}' is a folder: name a file")
        if self.geojson is not None and self.geojson.exists() and "json" not in self.geojson.suffix.lower():
            raise ValueError(f"geojson = '{self.geojson}' is there and is no GeoJSON: name another file")
        return self
