"""Sampling beside denoising-diffusion-pytorch, with one and the same network, in one run.

    python benchmarks/sampling.py SLIDE RUN --peer FOLDER [--images 500] [--seeds 3] [--device cpu]

SLIDE is a SpatialData with a spot set, RUN the run folder of `c2lst adapt` on it. FOLDER is where the peer was put:

    pip install --no-deps --target FOLDER denoising-diffusion-pytorch einops

The peer is its DDIM with 250 steps and guidance 3, the paper's sampler, in fp32, two evaluations a step, as it comes;
an adapter gives it our network (it otherwise takes class indices). Ours are the plans below. Printed: seconds an image
(median over batches), ratios, and KID against the slide's real patches with `colour-texture-42`; "as good" means that
our KID is not above the largest of the peer's own seeds. With `--images 0` times alone are measured, over a few steps.

On a CPU the peer's images take hours. `--keep FOLDER` keeps them batch by batch, so that the same command goes on
after a stop; `--peer-bf16` draws them in bf16 and channels_last, which its own code does not do. Its time is in any
case that of one more batch, drawn as it comes.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_c2lst.common.device import autocast_dtype, describe_device, resolve_device
from napari_c2lst.diffusion.central import load_central
from napari_c2lst.diffusion.guidance import Guidance
from napari_c2lst.diffusion.kid import kid, load_extractor
from napari_c2lst.diffusion.local import load_local
from napari_c2lst.diffusion.modulation import modulated
from napari_c2lst.diffusion.samplers import Engine, sample
from napari_c2lst.diffusion.solvers import SamplingPlan
from napari_c2lst.diffusion.unet import as_patches, build_noise_net
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import spot_patches

PEER_STEPS, SCALE = 250, 3.0
PLANS = {
    "DDIM 250, guidance 3 (the paper's)": SamplingPlan("ddim", 250, Guidance(SCALE)),
    "DPM-Solver++ 2M 20": SamplingPlan("dpm++2m", 20, Guidance(SCALE)),
    "DPM-Solver++ 2M 20, guidance on 0.2-0.8 (preset small)": SamplingPlan("dpm++2m", 20, Guidance(SCALE, 0.2, 0.8)),
    "UniPC 12, guidance on 0.2-0.8": SamplingPlan("unipc", 12, Guidance(SCALE, 0.2, 0.8)),
    "DPM-Solver++ 2M 10, guidance on 0.2-0.8": SamplingPlan("dpm++2m", 10, Guidance(SCALE, 0.2, 0.8)),
    "UniPC 8, guidance on 0.2-0.8": SamplingPlan("unipc", 8, Guidance(SCALE, 0.2, 0.8)),
}


def main() -> None:
    options = parse()
    device = resolve_device(options.device)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, {describe_device(device)}, "
          f"torch {torch.__version__}, load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    central = load_central(options.central)
    local = load_local(options.run, central)
    slide = open_slide(options.slide)
    peer = load_peer(options.peer)
    conditions = training_conditions(slide, local)
    if options.images == 0:
        times_only(central, local, conditions, peer, device, options)
        return
    spots = slide.require_spots()
    real = spot_patches(slide, spots.yx, central.spec)
    extractor = load_extractor()
    features = extractor.features(real)
    rows = np.resize(conditions, (options.images, conditions.shape[1]))
    found: dict[str, Any] = {"images": options.images, "features": extractor.name, "real": len(real)}
    peers = [peer_images(peer, central, local, rows, seed, device, options) for seed in options.seeds]
    peer_kid = [kid(features, extractor.features(images)) for images in peers]
    peer_time = peer_seconds(peer, central, local, rows[: options.batch], device)
    print(f"peer: {peer_time:.3f} s an image, KID {', '.join(f'{k:.4f}' for k in peer_kid)}")
    found["peer"] = {"seconds": peer_time, "kid": peer_kid}
    for name, plan in list(PLANS.items())[0 if options.slow else 1 :]:
        engine = Engine(central, device, autocast_dtype(device, "auto"), options.batch)
        begin = time.perf_counter()
        images = sample(engine, local.modulation, rows, plan, seed=0)
        seconds = (time.perf_counter() - begin) / len(rows)
        value = kid(features, extractor.features(images))
        good = "as good" if value <= max(peer_kid) else "worse"
        print(f"{name}: {seconds:.4f} s an image, {peer_time / seconds:.1f} times as fast, KID {value:.4f} ({good})")
        found[name] = {"seconds": seconds, "ratio": peer_time / seconds, "kid": value}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--central", default="embedded")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the peer")
    parser.add_argument("--keep", type=Path, help="where the peer's images are kept")
    parser.add_argument("--peer-bf16", action="store_true", help="draw the peer's images in bf16")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--slow", action="store_true", help="our DDIM-250 as well")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def load_peer(folder: Path) -> Any:
    """The module of classifier-free guidance alone: the package's own `__init__` needs torchvision."""
    file = folder / "denoising_diffusion_pytorch" / "classifier_free_guidance.py"
    spec = importlib.util.spec_from_file_location("peer", file)
    if spec is None or spec.loader is None or not file.exists():
        sys.exit(f"no peer in '{folder}': pip install --no-deps --target '{folder}' denoising-diffusion-pytorch einops")
    sys.path.append(str(folder))  # for einops
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.tqdm = lambda steps, **_: steps
    return module


class Adapter(torch.nn.Module):
    """Our network with the face that the peer expects; classes are rows of conditions."""

    channels = out_dim = 3
    random_or_learned_sinusoidal_cond = False

    def __init__(self, net: torch.nn.Module, modulation: Any = None, conditions: torch.Tensor | None = None) -> None:
        super().__init__()
        self.net, self.modulation, self.conditions = net, modulation, conditions

    def _forward(self, x: torch.Tensor, t: torch.Tensor, classes: torch.Tensor, active: bool) -> torch.Tensor:
        if self.modulation is None or self.conditions is None:
            return self.net(x, t)
        z = self.conditions[classes]
        maps = self.modulation(z, torch.full((len(z),), active, device=z.device))
        with modulated(self.net, maps):
            return self.net(x, t)

    def forward_with_cond_scale(
        self, x: torch.Tensor, t: torch.Tensor, classes: torch.Tensor, cond_scale: float, rescaled_phi: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Two evaluations, as the peer's own network makes them."""
        cond, null = self._forward(x, t, classes, True), self._forward(x, t, classes, False)
        return null + (cond - null) * cond_scale, null


def peer_of(peer: Any, adapter: Adapter, px: int, alphas_cumprod: torch.Tensor, steps: int) -> Any:
    diffusion = peer.GaussianDiffusion(
        adapter, image_size=px, timesteps=1000, sampling_timesteps=steps, objective="pred_noise", ddim_sampling_eta=0.0
    )
    # the very schedule the network was trained with
    a = alphas_cumprod.double()
    diffusion.alphas_cumprod.copy_(a)
    diffusion.sqrt_recip_alphas_cumprod.copy_((1 / a).sqrt())
    diffusion.sqrt_recipm1_alphas_cumprod.copy_((1 / a - 1).sqrt())
    return diffusion


def peer_images(
    peer: Any, central: Any, local: Any, rows: np.ndarray, seed: int, device: torch.device, options: argparse.Namespace
) -> np.ndarray:
    """(N, px, px, 3) uint8 of the peer; batches that are kept already are not drawn again."""
    diffusion = peer_for(peer, central, local, rows, device)
    dtype = autocast_dtype(device, "auto") if options.peer_bf16 else None
    central.net.to(memory_format=torch.channels_last if dtype is not None else torch.contiguous_format)
    images = []
    for start in range(0, len(rows), options.batch):
        kept = options.keep / f"peer-{seed}-{start}.npy" if options.keep else None
        if kept is not None and kept.exists():
            images.append(np.load(kept))
            continue
        torch.manual_seed(1_000_000 * seed + start)
        with cast(device, dtype):
            images.append(drawn(diffusion, start, min(start + options.batch, len(rows)), device))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, images[-1])
    return np.concatenate(images)


def peer_for(peer: Any, central: Any, local: Any, rows: np.ndarray, device: torch.device) -> Any:
    adapter = Adapter(central.net.to(device), local.modulation.to(device), torch.from_numpy(rows).to(device))
    alphas = torch.as_tensor(central.schedule.scheduler.alphas_cumprod)
    return peer_of(peer, adapter, central.spec.patch_px, alphas, PEER_STEPS).to(device)


def drawn(diffusion: Any, start: int, stop: int, device: torch.device) -> np.ndarray:
    with torch.inference_mode():
        unit = diffusion.sample(torch.arange(start, stop, device=device), cond_scale=SCALE, rescaled_phi=0.0)
    return as_patches(unit.float() * 2 - 1)


def peer_seconds(peer: Any, central: Any, local: Any, rows: np.ndarray, device: torch.device) -> float:
    """Seconds an image of the peer as it comes: fp32, its own memory layout; one batch."""
    central.net.to(memory_format=torch.contiguous_format)
    diffusion = peer_for(peer, central, local, rows, device)
    begin = time.perf_counter()
    drawn(diffusion, 0, len(rows), device)
    return (time.perf_counter() - begin) / len(rows)


def training_conditions(slide: Any, local: Any) -> np.ndarray:
    """z-scored expression of the training spots, (N, d)."""
    ids = list(slide.require_spots().ids)
    rows = [ids.index(name) for name in local.facts.training_ids]
    panel = local.facts.panel
    return panel.condition(panel.targets(slide.counts()[rows], slide.genes))


def times_only(
    central: Any, local: Any, conditions: np.ndarray, peer: Any, device: torch.device, options: argparse.Namespace
) -> None:
    """Seconds of one evaluation, from a few steps of each, and what they come to; also for the paper's network."""
    paper = build_noise_net(patch_px=64, stem=1, widths=(64, 128, 256, 512), blocks=2, attention_levels=1)
    for name, net in (("embedded", central.net), ("the paper's at 64 px", paper.eval())):
        ours, theirs = evaluation_seconds(net, device, options.batch)
        best = PLANS["DPM-Solver++ 2M 20, guidance on 0.2-0.8 (preset small)"]
        evaluations = best.evaluations(central.schedule)
        total, total_peer = ours * evaluations, theirs * 2 * PEER_STEPS
        print(f"{name}: one evaluation {1e3 * theirs:.1f} ms an image in fp32 as it comes, {1e3 * ours:.1f} ms ours; "
              f"{total_peer:.2f} s against {total:.3f} s an image: {total_peer / total:.1f} times")  # fmt: skip


def evaluation_seconds(net: torch.nn.Module, device: torch.device, batch: int) -> tuple[float, float]:
    """Seconds an image of one evaluation: (ours: bf16 where the device has it, channels_last; fp32 as it comes)."""
    dtype = autocast_dtype(device, "auto")
    x, t = torch.randn(batch, 3, 64, 64, device=device), torch.full((batch,), 500, device=device)
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(6):
        for kind in times:
            layout = torch.channels_last if kind == "ours" else torch.contiguous_format
            net.to(device).to(memory_format=layout)
            with torch.inference_mode(), cast(device, dtype if kind == "ours" else None):
                begin = time.perf_counter()
                float(net(x.contiguous(memory_format=layout), t).sum())
                times[kind].append((time.perf_counter() - begin) / batch)
    ours, theirs = (statistics.median(times[kind][1:]) for kind in ("ours", "theirs"))
    return ours, theirs


def cast(device: torch.device, dtype: torch.dtype | None) -> Any:
    return torch.autocast(device.type, dtype) if dtype is not None else contextlib.nullcontext()


if __name__ == "__main__":
    main()
