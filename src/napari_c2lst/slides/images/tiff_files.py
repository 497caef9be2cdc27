"""TIFF and its kin (.svs, .ome.tif, .ndpi): tiles are read and decoded one by one, in whatever thread asks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .image_files import ImageFile, LazyPixels
from .pyramid import Pyramid

# Resolution tags outside these bounds are placeholders (72 dpi = 353 um, 300 dpi = 85 um).
PLAUSIBLE_MPP = (0.05, 10.0)
_UM = {"µm": 1.0, "um": 1.0, "μm": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}
# Strips are often one row: dask wants larger pieces.
_STRIP_ROWS = 256
# Ways to store colours that would be taken for red, green and blue, or for grey, if nobody looked.
_WHITE_IS_ZERO, _YCBCR, _OTHER_COLOURS = 0, 6, (3, 5, 8, 9, 10)  # palette, CMYK, CIE Lab and its kin
_UNCONVERTED = (1, 5, 8, 32773, 32946, 50000)  # compressions that know no colours: none, LZW, deflate, PackBits, zstd
# What a whole-slide scanner leaves out is glass.
_MISSING = 255


def open_tiff(path: Path) -> ImageFile:
    """Open a TIFF lazily: its largest image with all levels.

    Raises
    ------
    InputError
        If it cannot be read, is cut off, or its axes are not those of one RGB picture.
    """
    import tifffile

    try:
        tiff = tifffile.TiffFile(path)
        series = max(tiff.series, key=lambda s: s.size)
        levels = [_LevelPixels(path, level) for level in series.levels]
        mpp, detail = _microns(tiff, series)
    except (tifffile.TiffFileError, OSError, ValueError, IndexError, KeyError) as error:
        raise InputError(f"the image '{path}' cannot be read: {error}", "copy it again, or export it anew") from error
    for level in levels:
        level.refuse_cut_off()
    tiff.close()
    arrays = [level.as_dask(level.chunk) for level in levels]
    notes: tuple[str, ...] = ()
    if len(arrays) == 1 and max(arrays[0].shape) > 8192:
        notes = (f"'{path.name}' has no pyramid: 'c2lst convert' makes one, and looking at it gets faster",)
    return ImageFile(Pyramid.of_levels(arrays, f"'{path.name}'"), mpp, detail, notes)


class _LevelPixels(LazyPixels):
    """One level of a TIFF; thread-safe, since every read has its own position in the file."""

    def __init__(self, path: Path, level: Any) -> None:
        page, axes = level.keyframe, level.axes
        if axes not in ("YXS", "YX", "SYX", "CYX"):
            raise InputError(
                f"the image '{path}' has the axes {axes}, not those of one RGB picture", "export it as RGB"
            )
        _refuse_other_colours(path, page)
        self._path = path
        self._page = page
        # SYX: one page with one plane of tiles after the other; CYX: a page for every channel
        self._planes = axes in ("SYX", "CYX")
        pages = level.pages if axes == "CYX" and page.axes == "YX" else [page]
        height, width = page.imagelength, page.imagewidth
        super().__init__((len(pages) * page.samplesperpixel, height, width), page.dtype)
        self._tile = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, width)
        self._tile = (min(self._tile[0], height), self._tile[1])
        self._grid = (-(-height // self._tile[0]), -(-width // self._tile[1]))
        self._decode = page.decode
        self._tables = page.jpegtables
        self._offsets = [offset for p in pages for offset in p.dataoffsets]
        self._sizes = [size for p in pages for size in p.databytecounts]
        self._file = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    @property
    def chunk(self) -> tuple[int, int]:
        """Rows and columns of a dask chunk: a tile, or a bundle of strips."""
        rows, columns = self._tile
        if not self._page.is_tiled:
            rows *= max(1, _STRIP_ROWS // rows)
        return min(rows, self.shape[1]), min(columns, self.shape[2])

    def refuse_cut_off(self) -> None:
        """Raise an InputError if tiles lie beyond the end of the file."""
        ends = np.asarray(self._offsets, dtype=np.int64) + np.asarray(self._sizes, dtype=np.int64)
        beyond = int((ends > os.fstat(self._file).st_size).sum())
        expected = self._grid[0] * self._grid[1] * (self.shape[0] if self._planes else 1)
        missing = max(0, expected - len(ends))
        if beyond or missing:
            raise InputError(
                f"the image '{self._path}' is cut off: {beyond + missing} of {expected} tiles are missing",
                "copy it again",
            )

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        """Pixels (y1 - y0, x1 - x0, c); every tile touched is decoded once."""
        out = np.full((y1 - y0, x1 - x0, self.shape[0]), _MISSING, dtype=self.dtype)
        th, tw = self._tile
        for row in range(y0 // th, -(-y1 // th)):
            for column in range(x0 // tw, -(-x1 // tw)):
                top, left = row * th, column * tw
                tile = self._read_tile(row * self._grid[1] + column)
                if tile is None:
                    continue
                a, b = max(y0, top), min(y1, top + tile.shape[0])
                c, d = max(x0, left), min(x1, left + tile.shape[1])
                out[a - y0 : b - y0, c - x0 : d - x0] = tile[a - top : b - top, c - left : d - left]
        return out

    def _read_tile(self, index: int) -> NDArray[Any] | None:
        if not self._planes:
            return self._segment(index)
        per_plane = self._grid[0] * self._grid[1]
        planes = [self._segment(index + plane * per_plane) for plane in range(self.shape[0])]
        return None if planes[0] is None else np.concatenate(planes, axis=-1)  # type: ignore[arg-type]

    def _segment(self, index: int) -> NDArray[Any] | None:
        size = self._sizes[index]
        if size == 0:
            return None
        data = os.pread(self._file, size, self._offsets[index])
        try:
            place = index % (self._grid[0] * self._grid[1])
            tile, _, shape = self._decode(data, place, **({"jpegtables": self._tables} if self._tables else {}))
        except Exception as error:
            raise InputError(
                f"tile {index} of the image '{self._path}' cannot be decoded: {error}", "copy it again"
            ) from error
        return None if tile is None else np.asarray(tile[0])[: shape[1], : shape[2]]


def _refuse_other_colours(path: Path, page: Any) -> None:
    kind = page.photometric
    inverted = kind == _WHITE_IS_ZERO and page.samplesperpixel == 1
    if inverted or kind in _OTHER_COLOURS or (kind == _YCBCR and page.compression in _UNCONVERTED):
        raise InputError(
            f"the image '{path}' stores its colours as {kind.name}, not as RGB or grey", "export it as RGB"
        )


def _microns(tiff: Any, series: Any) -> tuple[float | None, str]:
    """Microns per pixel by the tags of the file, and which tag; (None, "") when there is none."""
    page = series.levels[0].keyframe
    if tiff.is_ome and (value := _ome_microns(tiff.ome_metadata)):
        return value, "OME PhysicalSizeX"
    match = re.search(r"MPP\s*=\s*([0-9.]+)", page.description or "")
    if match and (value := _size(match[1])):
        return value, "Aperio MPP tag"
    value = _resolution_microns(page)
    return (value, "TIFF resolution tag") if value else (None, "")


def _ome_microns(xml: str) -> float | None:
    try:
        elements = ElementTree.fromstring(xml).iter()
    except ElementTree.ParseError:  # pixels do not need it
        return None
    for element in elements:
        if element.tag.endswith("}Pixels") or element.tag == "Pixels":
            size, unit = _size(element.get("PhysicalSizeX")), element.get("PhysicalSizeXUnit", "µm")
            return size * _UM[unit] if size and unit in _UM else None
    return None


def _size(text: str | None) -> float | None:
    """A size of pixels as a file's header has it; None for what can be none."""
    try:
        value = float(text or 0)
    except ValueError:
        return None
    return value if 0 < value < np.inf else None


def _resolution_microns(page: Any) -> float | None:
    tag, unit = page.tags.get("XResolution"), page.tags.get("ResolutionUnit")
    if tag is None or unit is None or not tag.value[0]:
        return None
    per_unit = {2: 25400.0, 3: 10000.0}.get(int(unit.value))
    if per_unit is None:
        return None
    value = per_unit * tag.value[1] / tag.value[0]
    return value if PLAUSIBLE_MPP[0] <= value <= PLAUSIBLE_MPP[1] else None
