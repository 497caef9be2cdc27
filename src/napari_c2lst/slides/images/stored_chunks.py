"""Chunks of a zarr array on this machine's disk, read and decoded without zarr's event loop.

Zarr hands every chunk to an event loop in a thread of its own, which costs about as much as decoding a chunk of 3 MiB.
A file that holds one compressed block of bytes needs no more than its decoder. Whatever is stored in another way
(sharded, filtered, not on a local disk) is left to zarr.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StoredChunks:
    """Where the chunks of a dask array lie on disk, and what decodes them.

    Attributes
    ----------
    array
        The zarr array (3, H, W) uint8.
    folder
        The folder of the array.
    decoder
        Codec of numcodecs that gives the bytes of a chunk; None: they are stored as they are.
    """

    array: Any
    folder: Path
    decoder: Any

    @classmethod
    def of(cls, level: Any) -> "StoredChunks | None":
        """The stored chunks that are the chunks of a dask array; None when zarr has to read them."""
        array = _source(level)
        if array is None or not _plain(array, level):
            return None
        known, decoder = _decoder(array.metadata)
        return cls(array, Path(array.store.root) / array.path, decoder) if known else None

    def read(self, row: int, column: int) -> NDArray[np.uint8]:
        """Pixels (3, h, w) of a chunk; one that is not on disk is blank.

        Raises
        ------
        Exception
            What the file system and the decoder raise.
        ValueError
            When a chunk holds another number of pixels than it must.
        """
        shape = self.array.chunks
        try:
            data = (self.folder / self.array.metadata.encode_chunk_key((0, row, column))).read_bytes()
        except FileNotFoundError:
            pixels = np.full(shape, self.array.fill_value or 0, np.uint8)
        else:
            block = data if self.decoder is None else self.decoder.decode(data)
            pixels = np.frombuffer(block, np.uint8).reshape(shape)
        height, width = (
            min(size, whole - at * size)
            for size, whole, at in zip(shape[1:], self.array.shape[1:], (row, column), strict=True)
        )
        return pixels[:, :height, :width]


def _source(level: Any) -> Any:
    """The zarr array that a dask array shows as it is; None when anything was done to it, or it is none."""
    import zarr

    layers = level.dask.layers
    held = layers.get(f"original-{level.name}")
    if held is None or set(layers) != {level.name, f"original-{level.name}"}:
        return None
    node = next(iter(held.values()))
    array = getattr(node, "value", node)
    return array if isinstance(array, zarr.Array) else None


def _plain(array: Any, level: Any) -> bool:
    from zarr.storage import LocalStore

    sizes = [
        (size,) * (whole // size) + ((whole % size,) if whole % size else ())
        for size, whole in zip(array.chunks, array.shape, strict=True)
    ]
    return (
        isinstance(array.store, LocalStore)
        and array.dtype == np.uint8
        and array.ndim == 3
        and array.shards is None
        and len(sizes[0]) == 1
        and array.chunks[0] == array.shape[0]
        and level.chunks == tuple(sizes)
    )


def _decoder(metadata: Any) -> tuple[bool, Any]:
    """Whether a chunk is one compressed block in C order, and what decodes it."""
    if metadata.zarr_format == 2:
        return not metadata.filters and metadata.order == "C", metadata.compressor
    names = [codec.to_dict()["name"] for codec in metadata.codecs]
    if names == ["bytes"]:
        return True, None
    if len(names) == 2 and names[0] == "bytes" and names[1] in _DECODERS:
        return True, _codec(_DECODERS[names[1]])
    return False, None


_DECODERS = {"zstd": "zstd", "blosc": "blosc", "gzip": "gzip"}  # names in zarr v3 and in numcodecs


def _codec(name: str) -> Any:
    from numcodecs import get_codec

    return get_codec({"id": name})  # what decoding needs to know stands in the data
