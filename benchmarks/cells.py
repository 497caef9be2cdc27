"""Finding nuclei: our post-processing beside MONAI's, and the fast forward beside the plain one.

    python benchmarks/cells.py [--data hne-consep] [--weights FILE] [--tiles 4] [--forward]

MONAI is no dependency; without it, its column is left out. `pip install --no-deps --target DIR monai`, then
PYTHONPATH=DIR, is enough.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from napari_c2lst.cells.postprocess import postprocess

Array = NDArray[Any]


def median_seconds(work: Callable[[], object], times: int = 5) -> tuple[float, float]:
    """Wall and processor seconds, medians after one warm-up."""
    work()
    wall, cpu = [], []
    for _ in range(times):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - begin_cpu)
    return float(np.median(wall)), float(np.median(cpu))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tile_of(folder: Path, number: int) -> tuple[Array, Array]:
    """Four patches of CoNSeP as one tile of 512 px: instances and types."""
    names = sorted(p.stem for p in (folder / "inst" / "test").glob("*.png"))
    parts = [names[(number * 4 + i) * 13 % len(names)] for i in range(4)]

    def joined(kind: str, lift: int) -> Array:
        loaded = [np.asarray(Image.open(folder / kind / "test" / f"{n}.png")).astype(np.int32) for n in parts]
        lifted = [np.where(p > 0, p + lift * i, 0) for i, p in enumerate(loaded)]
        return np.block([[lifted[0], lifted[1]], [lifted[2], lifted[3]]])

    return joined("inst", 10_000), joined("type", 0)


def maps_of(instances: Array, seed: int) -> tuple[Array, Array, Array]:
    """What a good network gives for them: blurred, with some noise."""
    rng = np.random.default_rng(seed)
    maps = np.zeros((2, *instances.shape), np.float32)
    for number in np.unique(instances)[1:]:
        y, x = np.nonzero(instances == number)
        for axis, values in enumerate((x, y)):
            away = values - np.round(values.mean())
            maps[axis, y, x] = np.where(away < 0, away / max(-away.min(), 1), away / max(away.max(), 1))
    blurred = [ndimage.gaussian_filter(m.astype(np.float32), 0.8) for m in ((instances > 0), *maps)]
    grain = [ndimage.gaussian_filter(rng.normal(size=instances.shape), 1.5) * 0.5 for _ in range(3)]
    prob, h, v = (np.asarray(m + g, np.float32) for m, g in zip(blurred, grain, strict=True))
    return np.clip(prob, 0, 1), h, v


def monai_postprocess() -> Callable[[Array, Array, Array, Array], Any] | None:
    """MONAI's instance and type post-processing as one function of the same maps, or None."""
    try:
        import torch
        from monai.apps.pathology.transforms.post.dictionary import (
            HoVerNetInstanceMapPostProcessingd,
            HoVerNetNuclearTypePostProcessingd,
        )
        from monai.utils.enums import HoVerNetBranch
    except ImportError as error:
        print(f"MONAI is not here ({error}): its column is left out")
        return None
    instance = HoVerNetInstanceMapPostProcessingd(sobel_kernel_size=21, marker_threshold=0.4, marker_radius=2)
    typed = HoVerNetNuclearTypePostProcessingd()

    def work(types: Array, prob: Array, h: Array, v: Array) -> Any:
        logit = np.log(np.clip(prob, 1e-6, 1 - 1e-6) / np.clip(1 - prob, 1e-6, 1))
        data = {
            HoVerNetBranch.NP.value: torch.from_numpy(np.stack([np.zeros_like(logit), logit])),
            HoVerNetBranch.HV.value: torch.from_numpy(np.stack([h, v])),
            HoVerNetBranch.NC.value: torch.nn.functional.one_hot(torch.from_numpy(types).long(), 5).permute(2, 0, 1)
            * 9.0,
        }
        return typed(instance(data))

    return work


def compare_postprocessing(folder: Path, tiles: int) -> None:
    monai = monai_postprocess()
    print(
        "| tile | nuclei | ours, ms (CPU ms) | MONAI, ms (CPU ms) | ratio | MONAI's nuclei |\n|---|---|---|---|---|---|"
    )
    for number in range(tiles):
        instances, types = tile_of(folder, number)
        maps = maps_of(instances, number)
        found = len(postprocess(types, *maps)[1])
        ours = median_seconds(lambda t=types, m=maps: postprocess(t, *m))
        row = f"| {number} | {found} | {ours[0] * 1e3:.0f} ({ours[1] * 1e3:.0f}) |"
        if monai is None:
            print(row + " - | - | - |", flush=True)
            continue
        theirs = median_seconds(lambda t=types, m=maps: monai(t, *m), 3)
        count = len(_nuclei_of(monai(types, *maps)))
        times = f" {theirs[0] * 1e3:.0f} ({theirs[1] * 1e3:.0f}) | {theirs[1] / ours[1]:.1f} |"
        print(f"{row}{times} {count} |", flush=True)


def _nuclei_of(result: Any) -> Any:
    for value in result.values():
        if isinstance(value, dict):
            return value
    return {}


def memory_of_postprocessing(folder: Path) -> None:
    instances, types = tile_of(folder, 0)
    maps = maps_of(instances, 0)
    postprocess(types, *maps)
    before = peak_mb()
    for _ in range(50):
        postprocess(types, *maps)
    print(f"memory: {before:.0f} MB after one tile, {peak_mb():.0f} MB after fifty more")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "hne-consep")
    parser.add_argument("--tiles", type=int, default=4)
    arguments = parser.parse_args()
    compare_postprocessing(arguments.data, arguments.tiles)
    memory_of_postprocessing(arguments.data)


if __name__ == "__main__":
    main()
