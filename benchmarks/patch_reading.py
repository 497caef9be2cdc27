"""Cost of reading 3,000 patches beside decoding the stored chunks they touch.

    python benchmarks/patch_reading.py ../shared/data/her2st/B4
    python benchmarks/patch_reading.py --as-is ../shared/data/hne-wsi/CMU-1-Small-Region.svs
    python benchmarks/patch_reading.py --as-is large.zarr  # see large_slide.py

SLIDE is anything that can be opened. It is first written as a SpatialData store with a pyramid into a temporary folder,
or read as it is. Three things are timed in turn, with as many threads, the best of some repeats each:

- dask: `dask.compute` of the chunks, nothing else. What decoding costs whoever asks dask for them.
- decode: the same chunks through our own reader of single chunks, nothing else.
- read: `read_patches`, which decodes the same chunks and makes patches of them.

CPU seconds are those of all threads together: they depend less on what else runs. The rest, (read - decode) / patches,
is the price of a patch: assembling, antialiasing, copying. It does not depend on how the slide is stored.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import numpy as np
import psutil

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.images.chunks import ChunkReader, in_order, worker_count
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import iter_patches, read_patches
from napari_c2lst.slides.patches.regions import Regions
from napari_c2lst.slides.patches.stream import PatchStream
from napari_c2lst.slides.store.storing import write_store

SIZES = ((112.0, 64), (112.0, 224))  # the embedded model; an encoder at 0.5 um/px


def positions(slide: Any, count: int) -> dict[str, np.ndarray]:
    """Where patches are read: as spots lie on an array, all over tissue and glass, and at random."""
    height, width = slide.pyramid.shape
    rng = np.random.default_rng(0)
    return {
        "Visium array": hexagons(slide, count),
        "random": rng.uniform(0, (height, width), (count, 2)),
    }


def hexagons(slide: Any, count: int) -> np.ndarray:
    """Spots as on a Visium array, 100 um to each neighbour: a square field in the middle, less if the slide is."""
    step, middle = 100.0 / slide.mpp, np.array(slide.pyramid.shape) / 2
    rows = int(np.ceil(np.sqrt(count / np.sqrt(0.75))))
    row, column = np.mgrid[:rows, : -(-count // rows)].reshape(2, -1)
    yx = np.stack([row * np.sqrt(0.75), column + row % 2 / 2], axis=1)[:count] * step
    yx += middle - yx.mean(axis=0)
    return yx[((yx > 0) & (yx < slide.pyramid.shape)).all(axis=1)]


def touched(slide: Any, yx: np.ndarray, um: float, px: int) -> tuple[Any, list[int]]:
    """The level that is read and the chunks of it that the patches touch."""
    index = slide.pyramid.level_for(um / px, slide.mpp)
    factor = slide.pyramid.downsample[index]
    level = slide.pyramid.levels[index]
    regions = Regions.around(yx / factor, um / slide.mpp / factor, px)
    return level, PatchStream(ChunkReader(level, "benchmark"), regions, 1).chunks


def decode_with_dask(level: Any, chunks: list[int], workers: int) -> None:
    columns = level.numblocks[2]
    # one chunk at a time per thread, let go at once: computing them all together would hold all of them
    sums = [level.blocks[(0, *divmod(chunk, columns))][0, 0, 0] for chunk in chunks]
    dask.compute(*sums, scheduler="threads", num_workers=workers)


def decode_ourselves(level: Any, chunks: list[int], workers: int) -> None:
    reader = ChunkReader(level, "benchmark")
    reader.expect(np.array(chunks))
    with ThreadPoolExecutor(workers) as pool:
        for _ in in_order(pool, reader.read, chunks, ahead=2 * workers):
            pass


def best(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    wall, cpu = [], []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return {"wall_s": min(wall), "cpu_s": min(cpu)}


def peak_mib(work: Callable[[], Any]) -> float:
    """How much more memory the process holds at most while it works."""
    process, done = psutil.Process(), threading.Event()
    start = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return (most - start) / 2**20


def measure(slide: Any, yx: np.ndarray, um: float, px: int, workers: int, repeats: int) -> dict[str, Any]:
    level, chunks = touched(slide, yx, um, px)

    def stream() -> None:
        for _ in iter_patches(slide, yx, patch_um=um, patch_px=px, batch=64, workers=workers):
            pass

    row: dict[str, Any] = {"patches": len(yx), "px": px, "chunks": len(chunks), "peak_mib": peak_mib(stream)}
    row["chunk_mib"] = float(np.prod([size[0] for size in level.chunks])) / 2**20
    row["dask"] = best(lambda: decode_with_dask(level, chunks, workers), repeats)
    row["decode"] = best(lambda: decode_ourselves(level, chunks, workers), repeats)
    row["read"] = best(lambda: read_patches(slide, yx, patch_um=um, patch_px=px, workers=workers), repeats)
    return row


def show(name: str, row: dict[str, Any]) -> None:
    dask_, decode, read = row["dask"], row["decode"], row["read"]
    print(f"{name}: {row['patches']} patches of {row['px']} px, {row['chunks']} chunks of {row['chunk_mib']:.1f} MiB")
    for kind in ("wall_s", "cpu_s"):
        rest = (read[kind] - decode[kind]) / row["patches"] * 1e3
        print(
            f"  {kind[:-2]:4}  dask {dask_[kind]:6.2f} s   decode {decode[kind]:6.2f} s   read {read[kind]:6.2f} s"
            f"   read / dask {read[kind] / dask_[kind]:.2f}   read / decode {read[kind] / decode[kind]:.2f}"
            f"   rest {rest:.3f} ms a patch"
        )
    print(f"  peak memory of streaming them: {row['peak_mib']:.0f} MiB above the start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--as-is", action="store_true", help="read SLIDE itself, do not write a store of it first")
    parser.add_argument("--mpp", type=float)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    workers, rows = worker_count(options.workers), {}
    with tempfile.TemporaryDirectory() as folder:
        slide = open_slide(options.slide, mpp=options.mpp)
        if not options.as_is:
            store = Path(folder) / "slide.zarr"
            write_store(slide, store, Reporter())
            slide = open_slide(store, mpp=options.mpp)
        for name, yx in positions(slide, options.count).items():
            for um, px in SIZES:
                row = measure(slide, yx, um, px, workers, options.repeats)
                rows[f"{name}, {px} px"] = row
                if not options.json:
                    show(name, row)
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
