"""Finding nuclei: our post-processing beside MONAI's, and the fast forward beside the plain one.

    python benchmarks/cells.py postprocess [--tiles 4]
    python benchmarks/cells.py forward [--weights FILE] [--images 16]
    python benchmarks/cells.py memory --tiles 60 [--workers 8]
    python benchmarks/cells.py grids [--weights FILE]

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


class GivenMaps:
    """In place of the network: the same maps of real nuclei for every tile."""

    def __init__(self, folder: Path, px: int) -> None:
        from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts
        from napari_c2lst.cells.inference import Maps

        self.facts, self.batch = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES), 4
        instances, types = (np.pad(m, (0, px - len(m)), mode="wrap") for m in tile_of(folder, 0))
        self._parts = (types.astype(np.uint8), *maps_of(instances, 0))
        self._maps = Maps

    def maps(self, images: Array, reporter: object = None) -> Any:
        return self._maps(*(np.repeat(part[None], len(images), axis=0) for part in self._parts))


def slide_memory(folder: Path, tiles: int, workers: int) -> None:
    """Peak memory of everything but the network for so many tiles of an endless slide."""
    import tempfile
    from types import SimpleNamespace

    import dask.array as da

    from napari_c2lst.cells.joining import polygons, stitched
    from napari_c2lst.cells.partial import PartialCells
    from napari_c2lst.cells.spreading import here
    from napari_c2lst.cells.tiling import Tiling
    from napari_c2lst.common.reporter import Reporter
    from napari_c2lst.slides.images.pyramid import Pyramid

    side = 512
    image = da.full((3, side * -(-tiles // 20), side * 20), 200, np.uint8, chunks=(3, 1024, 1024))
    slide: Any = SimpleNamespace(pyramid=Pyramid.of_levels([image]), mpp=0.25, name="endless", path="memory")
    origin = np.array([divmod(i, 20) for i in range(tiles)]) * side
    tiling = Tiling(origin, side, "fast", 1.0, 0.25)
    net: Any = GivenMaps(folder, side + 2 * tiling.margin)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as kept:
        part = PartialCells(Path(kept) / "part", {}, -(-tiles // 4), resume=False)
        for number, found, bad in here(net, slide, tiling, list(enumerate(tiling.groups(4))), workers, Reporter()):
            part.write(number, found, bad)
        streamed, seconds = peak_mb(), time.perf_counter() - begin
        cpu = time.process_time() - begin_cpu
        nuclei = stitched(part.read())
        areas = polygons(nuclei)
    print(
        f"{tiles} tiles, {workers} workers: {streamed:.0f} MB while streaming ({seconds:.0f} s, processor {cpu:.0f}), "
        f"{peak_mb():.0f} MB with the {len(areas)} polygons"
    )


def forward(weights: str, folder: Path, images: int) -> None:
    """The plain fp32 forward of one image at a time against ours, and the nuclei of both."""
    import torch

    from napari_c2lst.cells.inference import NucleusNet
    from napari_c2lst.cells.network import HoVerNet
    from napari_c2lst.cells.weights import load_hovernet

    names = sorted((folder / "images" / "test").iterdir())[5 :: max(1, 224 // images)][:images]
    pictures = np.stack([np.asarray(Image.open(name)) for name in names])
    model = load_hovernet(weights)
    plain = model.net

    @torch.inference_mode()
    def slow() -> list[Any]:
        found = []
        for picture in pictures:
            raw = plain(torch.from_numpy(picture[None]).permute(0, 3, 1, 2).float().contiguous())
            types, prob = raw["tp"].argmax(1)[0].numpy(), torch.softmax(raw["np"], 1)[0, 1].numpy()
            found.append((types, prob, *raw["hv"][0].numpy()))
        return found

    quick = NucleusNet(model, "cpu", "bf16")
    seconds = _in_turns(slow, lambda: quick.maps(pictures))
    maps = quick.maps(pictures)
    found = []
    for i, parts in enumerate(slow()):
        assert maps.types is not None
        one, _ = postprocess(*parts)
        other, _ = postprocess(maps.types[i], maps.prob[i], maps.horizontal[i], maps.vertical[i])
        found.append((*_same(one, other, 0.5), _same(one, other, 0.8)[0]))
    half, total, extra, most = np.sum(found, axis=0).tolist()
    same = f"{half} of {total} ({half / max(total, 1):.1%}), {most} ({most / max(total, 1):.1%}), {extra} in all"
    print(
        "processor time an image of 256 px, one by one"
        "\n| network | fp32 | bf16 | ratio | the same nuclei at IoU 0.5, at IoU 0.8 |\n|---|---|---|---|---|"
    )
    print(_row(f"{model.facts.name}, width {model.facts.width:g}", seconds, images, same), flush=True)
    full = HoVerNet(nr_types=6).eval()
    from napari_c2lst.cells.facts import PANNUKE_TYPES, CellFacts
    from napari_c2lst.cells.weights import CellModel

    wide = NucleusNet(CellModel(full, CellFacts(mode="fast", nr_types=6, types=PANNUKE_TYPES), ""), "cpu", "bf16")
    some = pictures[:4]

    @torch.inference_mode()
    def one_by_one() -> None:
        for picture in some:
            full(torch.from_numpy(picture[None]).permute(0, 3, 1, 2).float().contiguous())

    print(_row("official size, random weights", _in_turns(one_by_one, lambda: wide.maps(some), 2), len(some), "-"))


def _row(name: str, seconds: tuple[float, float], images: int, same: str) -> str:
    slow, fast = (1e3 * each / images for each in seconds)
    return f"| {name} | {slow:.0f} ms | {fast:.0f} ms | {slow / fast:.1f} | {same} |"


def _in_turns(one: Callable[[], object], other: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Smallest processor seconds of both, in turns: other work on the machine slows each alike."""
    one(), other()
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for work, seconds in zip((one, other), spent, strict=True):
            begin = time.process_time()
            work()
            seconds.append(time.process_time() - begin)
    return min(spent[0]), min(spent[1])


def _same(one: Array, other: Array, least: float) -> tuple[int, int, int]:
    """Nuclei of `one` that `other` has too (IoU above `least`), and how many there are in each."""
    n, m = int(one.max()) + 1, int(other.max()) + 1
    shared = np.bincount(one.ravel().astype(np.int64) * m + other.ravel(), minlength=n * m).reshape(n, m)
    size, size_other = shared.sum(axis=1), shared.sum(axis=0)
    iou = shared / np.maximum(size[:, None] + size_other[None] - shared, 1)
    return int((iou[1:, 1:] > least).any(axis=1).sum()), int((size[1:] > 0).sum()), int((size_other[1:] > 0).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["postprocess", "forward", "memory", "grids"])
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data" / "hne-consep")
    parser.add_argument("--tiles", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--weights", default="embedded")
    parser.add_argument("--images", type=int, default=16)
    arguments = parser.parse_args()
    if arguments.what == "postprocess":
        compare_postprocessing(arguments.data, arguments.tiles)
        memory_of_postprocessing(arguments.data)
    elif arguments.what == "memory":
        slide_memory(arguments.data, arguments.tiles, arguments.workers)
    elif arguments.what == "grids":
        from cell_grids import compare_grids

        print(f"\nat least {compare_grids(arguments.weights, arguments.data):.2%} on every grid")
    else:
        forward(arguments.weights, arguments.data, arguments.images)


if __name__ == "__main__":
    main()
