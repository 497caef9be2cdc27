"""Patches a second of `c2lst predict` beside its bare network, in one run.

    python benchmarks/prediction.py SLIDE PREDICTOR [--resnet] [--quick] [--threads 1]

SLIDE is a SpatialData store with known microns per pixel, PREDICTOR the run folder of `c2lst train`. These things are
timed in turn, as clock time and as processor time of all threads, the median of some turns each:

- network: forward of batches of random pixels that lie on the device, nothing else; also in the smaller batches that
  `predict` takes them apart into on a CPU.
- reading: patches of a grid over the tissue are read and brought to the predictor's stain, nothing else.
- predict: the command's own loop over the open slide: reading beside the network, rows written to the disk.

The ratios are predict's patches a second over the network's; the aim is 0.9. `--resnet` takes a ResNet-50 of random
weights at 224 px instead of the predictor's network, with its panel and its stain.
"""

import argparse
import dataclasses
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch

from napari_c2lst.common.device import autocast
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.expression.grid import tissue_grid
from napari_c2lst.expression.networks import build_network, number_format
from napari_c2lst.expression.partial import PartialRows
from napari_c2lst.expression.predicting import PredictJob
from napari_c2lst.expression.predictor import Predictor, find_predictor, load_predictor
from napari_c2lst.expression.settings import PredictSettings
from napari_c2lst.expression.tables import Written
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import iter_spot_patches, stain_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("predictor", type=Path)
    parser.add_argument("--resnet", action="store_true")
    parser.add_argument("--quick", action="store_true", help="fewer patches, one turn")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    predictor = load_predictor(options.predictor, device=options.device)
    if options.resnet:
        predictor = resnet(predictor)
    batch, count = (32, 320) if options.resnet else (256, 16384)
    count = count // 4 if options.quick else count
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        compare(options, predictor, batch, count, Path(folder))


def compare(options: argparse.Namespace, predictor: Predictor, batch: int, count: int, folder: Path) -> None:
    """Time the three and print them."""
    settings = PredictSettings.resolve(
        slide=options.slide, predictor=options.predictor, where="grid", batch=batch, workers=options.threads
    )
    slide = open_slide(options.slide)
    written = Written.of("benchmark", find_predictor(options.predictor), predictor, slide, tta=False)
    job = PredictJob(settings, predictor, slide, Reporter(), written)
    yx = tissue_grid(slide, 112.0, predictor.spec.patch_um).yx
    yx = np.resize(yx, (count, 2))  # a small slide is read again and again
    yx = yx[np.lexsort(yx.T[::-1])]
    if predictor.spec.stain is not None:
        stain_of(slide, predictor.spec)

    def predict() -> None:
        part = PartialRows(folder / "rows", {}, (count, len(predictor.panel)), spread=False, resume=False)
        job.fill(part, yx, "positions")
        part.discard()

    def reading() -> None:
        for _ in iter_spot_patches(slide, yx, predictor.spec, batch=batch, workers=options.threads):
            pass

    forward = {"network": network(predictor, batch, count)}
    if (few := predictor.at_once(batch)) < batch:
        forward[f"network, {few} at once"] = network(predictor, few, count)
    timed = turns({**forward, "reading": reading, "predict": predict}, options.quick)
    px = predictor.spec.patch_px
    stain = predictor.spec.stain.method if predictor.spec.stain else "none"
    print(
        f"{count} patches of {px} px, stain {stain}, batches of {batch}, {options.threads} threads, {predictor.dtype}"
    )
    for name, (clock, processor) in timed.items():
        print(f"{name:20s} {count / clock:8.0f} patches/s, {1000 * processor / count:7.3f} ms of processor a patch")
    for name in forward:
        clock, processor = (timed[name][i] / timed["predict"][i] for i in (0, 1))
        print(f"predict / {name}: {clock:.2f} by the clock, {processor:.2f} by processor time")


def network(predictor: Predictor, batch: int, count: int) -> Callable[[], None]:
    """Forward of `count` patches of random pixels."""
    px = predictor.spec.patch_px
    pixels = torch.randint(0, 256, (batch, px, px, 3), dtype=torch.uint8, device=predictor.device).permute(0, 3, 1, 2)

    @torch.inference_mode()
    def forward() -> None:
        for _ in range(count // batch):
            with autocast(predictor.device, predictor.dtype):
                out = predictor.net(pixels)
        float(out.sum())  # waits for the device

    return forward


def turns(work: dict[str, Callable[[], None]], quick: bool) -> dict[str, tuple[float, float]]:
    """Median seconds by the clock and of the processor, of turns in which each thing has one go."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for turn in range(2 if quick else 4):
        for name, do in work.items():
            clock, processor = time.perf_counter(), time.process_time()
            do()
            if turn:  # the first one warms up
                found[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return {name: (median(c for c, _ in times), median(p for _, p in times)) for name, times in found.items()}


def resnet(predictor: Predictor) -> Predictor:
    """A ResNet-50 of random weights at 224 px in place of the predictor's network."""
    import transformers

    config = transformers.ResNetConfig().to_dict()
    names = ("embedding_size", "hidden_sizes", "depths", "layer_type", "hidden_act")
    net = build_network({"name": "resnet50", **{n: config[n] for n in names}}, len(predictor.panel))
    net = net.eval().requires_grad_(False).to(predictor.device, memory_format=torch.channels_last)
    spec = predictor.spec.model_copy(update={"patch_px": 224})
    facts = predictor.facts.model_copy(update={"spec": spec})
    dtype = number_format(predictor.device, "auto", net.architecture)
    return dataclasses.replace(predictor, net=net, facts=facts, dtype=dtype)


if __name__ == "__main__":
    main()
