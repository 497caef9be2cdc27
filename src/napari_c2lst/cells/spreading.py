"""Groups of tiles, done here or by the workers of a Dask cluster; results come as soon as they are there."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.images.chunks import in_order, worker_count
from napari_c2lst.slides.slide import Slide

from .facts import Density
from .found import Found
from .inference import NucleusNet
from .partial import Fault
from .tiles import MOST_AT_ONCE, find_nuclei, read_tiles
from .tiling import Tiling
from .weights import load_hovernet

_CONNECT_SECONDS = 10.0
_IN_FLIGHT = 2  # groups waiting for each worker of a cluster

Group = tuple[int, NDArray[np.int64]]  # its number, and its tiles
Done = tuple[int, Found, tuple[Fault, ...]]


class RemoteWork(BaseModel):
    """What a worker of a cluster needs to do a group as it would be done here.

    Attributes
    ----------
    store, image_name, mpp
        The slide's store, at a path that every worker sees, its image and its microns per pixel.
    weights, weights_hash
        The weights' file and what must be in it.
    device, precision, batch, density
        As in `NucleusNet`.
    """

    model_config = ConfigDict(frozen=True)

    store: str
    image_name: str
    mpp: float
    weights: str
    weights_hash: str
    device: str
    precision: str
    batch: int
    density: Density


def here(
    net: NucleusNet, slide: Slide, tiling: Tiling, groups: Sequence[Group], workers: int | None, reporter: Reporter
) -> Iterator[Done]:
    """Do groups in this process: one is read ahead while another is computed; memory does not follow `workers`."""
    threads = worker_count(workers)

    def read(group: Group) -> Any:
        return read_tiles(slide, tiling, group[1], threads)

    with (
        ThreadPoolExecutor(1, thread_name_prefix="read-tiles") as reader,
        ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="nuclei") as pool,
    ):
        for (number, _), images in in_order(reader, read, groups, ahead=1):
            yield number, find_nuclei(net, tiling, images, pool, reporter), images.bad


def on_cluster(scheduler: str, work: RemoteWork, tiling: Tiling, groups: Sequence[Group]) -> Iterator[Done]:
    """Do groups on the workers of a Dask cluster, a few in advance for each of them.

    Raises
    ------
    InputError
        If the scheduler does not answer or has no workers.
    """
    distributed: Any = import_module("distributed")
    client = _connected(distributed, scheduler)
    with client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise InputError(f"the Dask scheduler '{scheduler}' has no workers", f"start some: dask worker {scheduler}")
        waiting = iter(groups)
        running = distributed.as_completed(loop=client.loop)

        def submit(group: Group) -> None:
            number, index = group
            part = tiling.some(index)
            running.add(client.submit(do_group, work, part, number, index, pure=False))

        for _, group in zip(range(_IN_FLIGHT * threads), waiting, strict=False):
            submit(group)
        for future in running:
            done = future.result()
            future.release()
            yield done
            following = next(waiting, None)
            if following is not None:
                submit(following)


def do_group(work: RemoteWork, tiling: Tiling, number: int, index: NDArray[np.int64]) -> Done:
    """One group on a worker; `tiling` holds its tiles alone, `index` their numbers on the slide."""
    slide = _slide(work.store, work.image_name, work.mpp)
    net = _net(work)
    images = read_tiles(slide, tiling, np.arange(len(tiling)), 1)
    found = find_nuclei(net, tiling, images)
    bad = tuple((int(index[tile]), why) for tile, why in images.bad)
    return number, found.renamed(index), bad


@lru_cache(maxsize=2)
def _slide(store: str, image_name: str, mpp: float) -> Slide:
    from napari_c2lst.slides.opening import open_slide

    return open_slide(store, image_name=image_name, mpp=mpp)


@lru_cache(maxsize=1)
def _net(work: RemoteWork) -> NucleusNet:
    model = load_hovernet(work.weights)
    if model.content_hash != work.weights_hash:
        raise MismatchError(f"'{work.weights}' holds other weights on a worker", "copy the same file everywhere")
    return NucleusNet(model, work.device, work.precision, work.batch, work.density)


def _connected(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"no Dask scheduler answers at '{scheduler}': {first_line(error)}",
            "start one: dask scheduler, then dask worker ADDRESS",
        ) from error
