"""Packed tiles against a training step: is the loader ever the limit?

    python benchmarks/loader.py [--tiles 100000] [--px 64] [--device cpu] [--turns 10] [--folder FOLDER]

Random tiles are packed by the package's own writer and read back as `c2lst pretrain` reads them: an order over all
tiles and rows of the memory-mapped file are one core's work, then the device turns and flips them and draws noise.
Printed: images a second and core up to the device, and with the device's part; the same of a training step (forward,
backward, AdamW) of the paper preset's network; and how many times as fast the loader is. The file is in the system's
cache: a first epoch from a slow disk is limited by that disk.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_c2lst.common.device import autocast, autocast_dtype, describe_device, resolve_device
from napari_c2lst.diffusion.batches import batch_indices, turned
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles.packed import read_packed, tile_writer, write_facts
from napari_c2lst.diffusion.unet import as_batch, build_noise_net
from napari_c2lst.slides.patches.cutting import PatchSpec


def main() -> None:
    options = parse()
    device = resolve_device(options.device)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, {describe_device(device)}, "
          f"torch {torch.__version__}, load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    paper = PretrainSettings.resolve(tiles=(Path("none"),), out=Path("none"), preset="paper")
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        tiles = packed(Path(temporary), options.tiles, options.px)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        rows = per_second(lambda number: read(tiles, paper.batch, number), paper.batch, options.turns)
        loader = per_second(lambda number: loaded(tiles, paper.batch, number, device), paper.batch, options.turns)
        torch.set_num_threads(threads)
    step = per_second(training_step(paper, options.px, device, options.batch), options.batch, min(3, options.turns))
    print(f"{options.tiles} tiles of {options.px} px, batch {paper.batch}, one core: {rows:.0f} images a second "
          f"up to the device, {loader:.0f} turned and with noise on {device.type}")  # fmt: skip
    print(f"a step of the paper preset's network: {step:.1f} images a second (batch {options.batch})")
    print(f"the loader is {loader / step:.0f} times as fast")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=int, default=100_000)
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16, help="of the training step; 256 is the preset's")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--folder", type=Path, help="where the tiles are written for the while")
    return parser.parse_args()


def packed(folder: Path, count: int, px: int) -> Any:
    draw = np.random.default_rng(0)
    with tile_writer(folder, px) as writer:
        for start in range(0, count, 1000):
            writer.append(draw.integers(0, 256, (min(1000, count - start), px, px, 3), dtype=np.uint8))
    write_facts(folder, PatchSpec(patch_um=112.0, patch_px=px), [0] * count, ["random"], [], 0)
    tiles = read_packed(folder)
    assert tiles is not None
    return tiles


def read(tiles: Any, batch: int, number: int) -> torch.Tensor:
    """The bytes of one batch."""
    return torch.from_numpy(tiles.pixels[batch_indices(len(tiles), batch, 0, number)])


def loaded(tiles: Any, batch: int, number: int, device: torch.device) -> None:
    """One batch as pretraining draws it, on the device."""
    draw = torch.Generator(device=device.type).manual_seed(number)
    x0 = turned(as_batch(read(tiles, batch, number).to(device)), 0, number)
    float((x0 + torch.randn(x0.shape, generator=draw, device=device)).flatten()[0])  # waits for the device


def training_step(paper: PretrainSettings, px: int, device: torch.device, batch: int) -> Callable[[int], None]:
    net = build_noise_net(
        patch_px=px,
        stem=paper.stem,
        widths=paper.widths,
        blocks=paper.blocks,
        attention_levels=paper.attention_levels,
    )
    net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    dtype = autocast_dtype(device, "auto")
    x = torch.randn(batch, 3, px, px, device=device).contiguous(memory_format=torch.channels_last)
    t = torch.full((batch,), 500, device=device)

    def step(number: int) -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(device, dtype):
            loss = (net(x, t) - x).square().mean()
        loss.backward()
        optimizer.step()
        float(loss.detach())  # waits for the device

    return step


def per_second(work: Callable[[int], object], images: int, turns: int) -> float:
    """Images a second, the median over turns after one that warms up."""
    times = []
    for number in range(turns + 1):
        begin = time.perf_counter()
        work(number)
        times.append(time.perf_counter() - begin)
    return images / statistics.median(times[1:])


if __name__ == "__main__":
    main()
