"""Cohorts: throughput of two workers over one, and peak memory as slides grow.

    python benchmarks/cohorts.py PREDICTOR [--out FOLDER] [--slides 4]

PREDICTOR is the run folder of `c2lst train`. Slides are made of the sample slide's picture, laid side by side 1, 4 and
16 times; each is predicted on a grid over its tissue by a process of its own. Every process computes with one thread.
"""

import argparse
import csv
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")

import numpy as np
from PIL import Image

import napari_c2lst as c2lst
from napari_c2lst.slides.sample_data import sample_source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictor", type=Path)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--slides", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        memory(out, options.predictor)
        throughput(out, options.predictor, options.slides)


def memory(out: Path, predictor: Path) -> None:
    """Peak memory of `predict --where grid` on 1, 4 and 16 times the area."""
    stores = [enlarged(out / f"x{k * k}.zarr", k) for k in (1, 2, 4)]
    rows = cohort(out / "memory", stores, predictor, workers=1)[1]
    for store in stores:
        row = rows[store.stem]
        print(f"{store.stem}: {row['seconds']} s, peak {row['peak_mb']} MB")


def throughput(out: Path, predictor: Path, count: int) -> None:
    """Slides an hour of one worker and of two."""
    first = enlarged(out / "t0.zarr", 2)
    stores = [first, *(Path(shutil.copytree(first, out / f"t{i}.zarr")) for i in range(1, count))]
    seconds = {workers: cohort(out / f"workers{workers}", stores, predictor, workers)[0] for workers in (1, 2)}
    print(f"{count} slides: one worker {seconds[1]:.0f} s, two {seconds[2]:.0f} s: {seconds[1] / seconds[2]:.2f} times")


def cohort(out: Path, stores: list[Path], predictor: Path, workers: int) -> tuple[float, dict[str, dict[str, str]]]:
    out.mkdir(parents=True)
    table = out / "cohort.csv"
    table.write_text("slide\n" + "".join(f"{store.absolute()}\n" for store in stores))
    settings = {"predictor": str(predictor.absolute()), "where": "grid", "device": "cpu", "name": out.name}
    begin = time.perf_counter()
    c2lst.run(table, out, predict=settings, workers=workers)
    seconds = time.perf_counter() - begin
    with (out / "summary.csv").open(newline="") as stream:
        return seconds, {row["name"]: row for row in csv.DictReader(stream)}


def enlarged(store: Path, times: int) -> Path:
    """The sample slide's picture, `times` by `times` of it, as a SpatialData."""
    picture = np.asarray(Image.open(sample_source() / "B4.jpg").convert("RGB"))
    file = store.with_suffix(".png")
    Image.fromarray(np.tile(picture, (times, times, 1))).save(file, compress_level=1)
    Image.MAX_IMAGE_PIXELS = None
    c2lst.convert(file, store, mpp=0.6875)
    file.unlink()
    return store


if __name__ == "__main__":
    main()
