"""Cohorts: throughput of two workers over one, and peak memory as slides grow.

    python benchmarks/cohorts.py PREDICTOR [--out FOLDER] [--slides 4] [--only memory|throughput] [--quick]
    python benchmarks/cohorts.py --task cells --only memory [--out FOLDER]

PREDICTOR is the run folder of `c2lst train`. Slides are made of the sample slide's picture, laid side by side 1, 4 and
16 times; each is predicted on a grid over its tissue by a process of its own. Every process computes with one thread.
`--quick` takes slides of 1x the area for the throughput instead of 4x: `--only throughput --quick` is the part for two
idle cores, a few minutes in all. `--large` measures the memory of 62 times the area too.

`--task cells` finds nuclei with the embedded network instead, on slides made of a part of that picture full of them, a
21st of it: some 120, 440 and 1,700 tiles, about 40 minutes of a core.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")

import numpy as np
from PIL import Image
from quadrupled import quadrupled

import napari_c2lst as c2lst
from napari_c2lst.slides.sample_data import sample_source

DENSE = np.s_[3900:5300, 100:1500]  # rows and columns of the sample slide's picture where nuclei lie close


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictor", type=Path, nargs="?")
    parser.add_argument("--task", choices=("predict", "cells"), default="predict")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--slides", type=int, default=4)
    parser.add_argument("--only", choices=("memory", "throughput"), default=None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.task == "predict" and options.predictor is None:
        parser.error("predict needs the run folder of 'c2lst train'")
    work = cells() if options.task == "cells" else predict(options.predictor)
    with tempfile.TemporaryDirectory() as temporary:
        out = options.out or Path(temporary)
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        out.mkdir(parents=True, exist_ok=True)
        if options.only != "throughput":
            memory(out, work, large=options.large)
        if options.only != "memory":
            throughput(out, work, options.slides, 1 if options.quick else 2)


@dataclass(frozen=True)
class Work:
    """A task, its settings, and the part of the sample slide's picture that its slides are made of."""

    task: str
    settings: dict[str, Any]
    part: tuple[slice, slice] = np.s_[:, :]


def predict(predictor: Path) -> Work:
    return Work("predict", {"predictor": str(predictor.absolute()), "where": "grid", "device": "cpu", "workers": 1})


def cells() -> Work:
    return Work("cells", {"preset": "small", "device": "cpu", "workers": 1}, DENSE)


def memory(out: Path, work: Work, *, large: bool) -> None:
    """Peak memory of a task on 1, 4 and 16 times the area, and on some 62 times."""
    stores = [enlarged(out / f"x{k * k}.zarr", work.part, k) for k in (1, 2, 4)]
    if large:
        stores.append(quadrupled(stores[-1], out / "large.zarr"))
    rows = cohort(out / "memory", stores, work, workers=1)[1]
    for store in stores:
        row = rows[store.stem]
        print(f"{store.stem}: {row['seconds']} s, peak {row['peak_mb']} MB; {size(out / 'memory', store, work)}")


def throughput(out: Path, work: Work, count: int, times: int) -> None:
    """Slides an hour of one worker and of two, their start included; each worker computes with one thread."""
    first = enlarged(out / "t0.zarr", work.part, times)
    stores = [first, *(Path(shutil.copytree(first, out / f"t{i}.zarr")) for i in range(1, count))]
    seconds = {workers: cohort(out / f"workers{workers}", stores, work, workers)[0] for workers in (1, 2)}
    for workers, taken in seconds.items():
        print(f"{count} slides, {workers} workers: {taken:.0f} s, {3600 * count / taken:.0f} slides an hour")
    print(f"two workers over one: {seconds[1] / seconds[2]:.2f} times; load {os.getloadavg()[0]:.1f}")


def cohort(out: Path, stores: list[Path], work: Work, workers: int) -> tuple[float, dict[str, dict[str, str]]]:
    out.mkdir(parents=True)
    table = out / "cohort.csv"
    table.write_text("slide\n" + "".join(f"{store.absolute()}\n" for store in stores))
    settings = {work.task: {**work.settings, "name": out.name}}
    begin = time.perf_counter()
    c2lst.run(table, out, tasks=[work.task], workers=workers, **settings)
    seconds = time.perf_counter() - begin
    with (out / "summary.csv").open(newline="") as stream:
        return seconds, {row["name"]: row for row in csv.DictReader(stream)}


def size(out: Path, store: Path, work: Work) -> str:
    """How much there was to do: what the task's result says in numbers."""
    result = json.loads((out / "slides" / f"{store.stem}.{work.task}.json").read_text())["result"]
    return ", ".join(f"{key} {value}" for key, value in result.items() if isinstance(value, int))


def enlarged(store: Path, part: tuple[slice, slice], times: int) -> Path:
    """A part of the sample slide's picture, `times` by `times` of it, as a SpatialData."""
    picture = np.asarray(Image.open(sample_source() / "B4.jpg").convert("RGB"))[part]
    file = store.with_suffix(".png")
    Image.fromarray(np.tile(picture, (times, times, 1))).save(file, compress_level=1)
    Image.MAX_IMAGE_PIXELS = None
    c2lst.convert(file, store, mpp=0.6875)
    file.unlink()
    return store


if __name__ == "__main__":
    main()
