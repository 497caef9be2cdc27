"""Adaptation beside full fine-tuning: time of a step, memory, size of what is kept; each in a process of its own.

    python benchmarks/adaptation.py [--device cpu] [--batch 8] [--turns 5] [--network embedded|paper|both]

Adaptation is `c2lst adapt`'s own loop (frozen U-Net, the modulation learns). Full fine-tuning is the same loop with
every weight of the U-Net learning as well: same batch, draws, loss, optimiser, moving average. Patches and expression
are random: neither time nor memory depends on them. Memory is what the process's peak grows by from before the first
step; on a GPU what torch allocated at most.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NETWORKS = ("embedded", "paper")
ARMS = ("adaptation", "full fine-tuning")
GENES, SPOTS = 250, 71


def main() -> None:
    options = parse()
    if options.arm:
        print(json.dumps(measured(options.network, options.arm, options)))
        return
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, batch {options.batch}, "
          f"load average {os.getloadavg()[0]:.1f}")  # fmt: skip
    for network in NETWORKS if options.network == "both" else (options.network,):
        found = {arm: in_a_process(network, arm, options) for arm in ARMS}
        for arm, of in found.items():
            print(
                f"{network}, {arm}: {of['seconds']:.3f} s a step ({of['processor']:.3f} s of processor time), memory "
                f"+{of['memory_mb']:.0f} MB, {of['learned'] / 1e6:.2f} M weights learn, kept {of['kept_mb']:.1f} MB"
            )
        ours, full = found["adaptation"], found["full fine-tuning"]
        times = {key: full[key] / ours[key] for key in ("seconds", "processor", "memory_mb", "kept_mb")}
        print(
            f"{network}: full fine-tuning takes {times['seconds']:.2f} times as long ({times['processor']:.2f} in "
            f"processor time), {times['memory_mb']:.2f} times the memory, {times['kept_mb']:.1f} times the file"
        )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=(*NETWORKS, "both"), default="both")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    return parser.parse_args()


def in_a_process(network: str, arm: str, options: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, __file__, "--network", network, "--arm", arm, "--device", options.device]
    command += ["--batch", str(options.batch), "--turns", str(options.turns)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measured(network: str, arm: str, options: argparse.Namespace) -> dict[str, float]:
    """Medians over the turns of one arm."""
    import torch

    fit, device = build(network, arm, options)
    fit.step(0)  # the first one warms up: its memory counts, its time does not
    times = []
    for step in range(1, options.turns + 1):
        begin = (time.perf_counter(), time.process_time())
        fit.step(step)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_bytes()
    learned = sum(p.numel() for p in fit._parameters)
    return {
        "seconds": statistics.median(t[0] for t in times),
        "processor": statistics.median(t[1] for t in times),
        "memory_mb": (peak - fit.before) / 1e6,
        "learned": learned,
        "kept_mb": 4 * learned / 1e6,
    }


def build(network: str, arm: str, options: argparse.Namespace) -> Any:
    """The loop of `c2lst adapt`, or the same with every weight learning."""
    import numpy as np
    import torch

    from napari_c2lst.common.device import autocast_dtype, resolve_device
    from napari_c2lst.common.reporter import Reporter
    from napari_c2lst.diffusion.central import CentralModel, load_central
    from napari_c2lst.diffusion.local_fit import LocalFit, Spots
    from napari_c2lst.diffusion.modulation import Modulation, norm_channels
    from napari_c2lst.diffusion.settings import AdaptSettings
    from napari_c2lst.diffusion.unet import build_noise_net

    class FullFit(LocalFit):
        """Every weight of the U-Net learns beside the modulation."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            s = self.settings
            self._parameters += [p.requires_grad_(True) for p in self.central.net.parameters()]
            self._average = [p.detach().clone() for p in self._parameters]
            self._optimizer = torch.optim.AdamW(self._parameters, lr=s.learning_rate, weight_decay=s.weight_decay)

    device = resolve_device(options.device)
    central = load_central("embedded")
    if network == "paper":
        net = build_noise_net(patch_px=64, stem=1, widths=(64, 128, 256, 512), blocks=2, attention_levels=1)
        central = CentralModel(net, central.schedule, central.spec, "random weights")
    settings = AdaptSettings(slide=Path("none"), out=Path("none"), batch=options.batch, accumulation=1, steps=1000)
    draw = np.random.default_rng(0)
    patches = draw.integers(0, 256, (SPOTS, 64, 64, 3), dtype=np.uint8)
    spots = Spots(patches, draw.standard_normal((SPOTS, GENES)).astype(np.float32))
    modulation = Modulation(GENES, settings.embedding, norm_channels(central.net, settings.blocks), settings.null)
    central.net.to(device)
    modulation.to(device)
    before = torch.cuda.memory_allocated(device) if device.type == "cuda" else peak_bytes()
    kind = LocalFit if arm == "adaptation" else FullFit
    fit = kind(central, modulation, spots, settings, device, autocast_dtype(device, "auto"), Reporter())
    fit.before = before  # type: ignore[attr-defined]
    return fit, device


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
