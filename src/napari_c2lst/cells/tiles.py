"""The nuclei of a few tiles: read, through the network, post-processed. The unit of work, here or on a cluster."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter

from .found import Found, joined
from .inference import Maps, NucleusNet
from .postprocess import Nuclei, postprocess
from .reading import read_on_lattice
from .separating import FixedRange
from .tiling import Tiling

# Tiles that are post-processed at the same time, whatever the number of workers: memory does not follow them.
MOST_AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class Images:
    """Pixels of a group of tiles.

    Attributes
    ----------
    index
        (k,) the tiles that could be read.
    pixels
        (k, px, px, 3) uint8.
    bad
        What was wrong with the others: tile and reason.
    """

    index: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    bad: tuple[tuple[int, str], ...] = ()


def read_tiles(slide: Any, tiling: Tiling, index: NDArray[np.int64], workers: int | None = None) -> Images:
    """Read a group of tiles at the network's microns per pixel; those that cannot be read are left out and named.

    Parameters
    ----------
    index
        (k,) which tiles.
    workers
        Threads.
    """
    try:
        return Images(index, read_on_lattice(slide, tiling.corners(index), tiling.input_px, tiling.mpp, workers))
    except InputError as error:
        if len(index) == 1:
            empty = np.empty((0, tiling.input_px, tiling.input_px, 3), np.uint8)
            return Images(index[:0], empty, ((int(index[0]), error.message),))
    singles = [read_tiles(slide, tiling, index[i : i + 1], workers) for i in range(len(index))]
    return Images(
        np.concatenate([one.index for one in singles]),
        np.concatenate([one.pixels for one in singles]),
        tuple(fault for one in singles for fault in one.bad),
    )


def find_nuclei(
    net: NucleusNet,
    tiling: Tiling,
    images: Images,
    pool: ThreadPoolExecutor | None = None,
    reporter: Reporter | None = None,
) -> Found:
    """Nuclei of tiles whose pixels are there.

    Parameters
    ----------
    pool
        Threads for the post-processing; None does it here.
    """
    if len(images.index) == 0:
        return Found.none()
    maps = net.maps(images.pixels, reporter)

    def work(place: int) -> Found:
        return nuclei_of_maps(maps, place, tiling, int(images.index[place]))

    places = range(len(maps))
    return joined(list(map(work, places) if pool is None else pool.map(work, places)))


def nuclei_of_maps(maps: Maps, place: int, tiling: Tiling, tile: int) -> Found:
    """Nuclei of one tile, on the lattice of the slide."""
    types = None if maps.types is None else maps.types[place]
    _, nuclei = postprocess(types, maps.prob[place], maps.horizontal[place], maps.vertical[place], fixed=FixedRange())
    top, left = tiling.origin[tile].tolist()
    return Found.of(moved(nuclei, -tiling.margin), tile, (top, left), tiling.core)


def moved(nuclei: Nuclei, by: int) -> Nuclei:
    """The nuclei moved by so many pixels down and to the right."""
    contours = [contour + np.int32(by) for contour in nuclei.contours]
    return replace(nuclei, centroid=nuclei.centroid + by, contours=contours)
