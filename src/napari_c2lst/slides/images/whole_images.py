"""JPEG and PNG: pictures that can only be decoded as a whole, which is put off until pixels are asked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError

from .image_files import ImageFile, LazyPixels
from .pyramid import Pyramid, halved, rgb_block

CHUNK = 1024
_SMALLEST = 1024
_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"
# Cameras and editors append small blocks after the end of the picture.
_TAIL = 65536


def open_whole(path: Path) -> ImageFile:
    """Open a JPEG or PNG by its header; coarser levels are means of 2 x 2 pixels, made when asked for.

    Raises
    ------
    InputError
        If it is not such a picture, or cut off.
    """
    with path.open("rb") as file:
        head = file.read(32)
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        height, width = int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")
        whole = _PNG_END in tail
    elif head.startswith(b"\xff\xd8"):
        height, width = jpeg_size(path)
        whole = _JPEG_END in tail
    else:
        raise InputError(f"'{path}' is neither a JPEG nor a PNG picture", "check the file")
    if not whole:
        raise InputError(f"the image '{path}' is cut off: it has no end", "copy it again")
    return ImageFile(Pyramid.of_levels(_levels(_Picture(path, height, width)), f"'{path.name}'"))


def jpeg_size(path: Path) -> tuple[int, int]:
    """Height and width of a JPEG by its frame header, without decoding."""
    with path.open("rb") as file:
        file.seek(2)
        while marker := file.read(4):
            if len(marker) < 4 or marker[0] != 0xFF:
                break
            length = int.from_bytes(marker[2:], "big")
            # SOF0..SOF15, without the tables DHT, JPG and DAC that lie between them
            if 0xC0 <= marker[1] <= 0xCF and marker[1] not in (0xC4, 0xC8, 0xCC):
                frame = file.read(5)
                return int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
            file.seek(length - 2, 1)
    raise InputError(f"the image '{path}' is cut off or damaged: it has no size", "copy it again")


class _Picture:
    """A picture and its halved versions, each decoded or computed once and then kept."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path = path
        self.sizes = [(height, width)]
        while max(self.sizes[-1]) > _SMALLEST:
            self.sizes.append((-(-self.sizes[-1][0] // 2), -(-self.sizes[-1][1] // 2)))
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self._lock = threading.RLock()

    def level(self, index: int) -> NDArray[np.uint8]:
        """Pixels (3, h, w) of a level."""
        with self._lock:
            if index not in self._kept:
                self._kept[index] = halved(self.level(index - 1)) if index else self._decode()
            return self._kept[index]

    def _decode(self) -> NDArray[np.uint8]:
        import imagecodecs

        data = self.path.read_bytes()
        try:
            # not PIL, which refuses pictures of this size
            if data[:2] == b"\xff\xd8":
                pixels = imagecodecs.jpeg8_decode(data, outcolorspace="RGB")
            else:
                pixels = imagecodecs.png_decode(data)
        except Exception as error:
            raise InputError(
                f"the image '{self.path}' cannot be decoded: {error}", "copy it again, or export it as an RGB PNG"
            ) from error
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        if pixels.shape[2] == 2:
            pixels = pixels[..., [0, 0, 0, 1]]
        return np.ascontiguousarray(rgb_block(pixels.transpose(2, 0, 1)))


class _PictureLevel(LazyPixels):
    def __init__(self, picture: _Picture, index: int) -> None:
        super().__init__((3, *picture.sizes[index]), np.dtype(np.uint8))
        self._picture, self._index = picture, index

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[np.uint8]:
        """Pixels (y1 - y0, x1 - x0, 3)."""
        return np.ascontiguousarray(self._picture.level(self._index)[:, y0:y1, x0:x1]).transpose(1, 2, 0)


def _levels(picture: _Picture) -> list[Any]:
    return [_PictureLevel(picture, i).as_dask((CHUNK, CHUNK)) for i in range(len(picture.sizes))]
