"""Cost of stain normalisation, ours beside staintools: ``python benchmarks/stain.py SLIDE REFERENCE [--device cuda]``.

Milliseconds of processor time a patch; with `--device` also those by the clock of tensors that lie on that device.

Patches of SLIDE are brought to REFERENCE (a slide too). "patch" estimates the stains of every patch, as staintools
does; "slide" uses those of the whole slide, as models of this package do. Ours is the best of some repeats on a batch;
staintools works through a few patches one by one; the ratio is staintools' to "patch". The difference is the mean over
pixels and channels, in grey levels of 255, of the same patches with the same reference.

staintools' Vahadane learns for one second of wall-clock time, whatever the patch and the machine; on a busy machine it
gets less of the processor in that second, and the ratio is too low. On a patch of 256 px a second is not enough: with
3,000 iterations it comes to the stains that ours finds, and the difference goes away.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec, read_patches, stain_reference
from napari_c2lst.slides.stain.normalizer import Method, StainNormalizer
from napari_c2lst.slides.stain.of_slide import sample_positions


def milliseconds(
    work: Callable[[], Any], patches: int, repeats: int, now: Callable[[], float] = time.process_time
) -> float:
    seconds = []
    for _ in range(repeats):
        began = now()
        work()
        seconds.append(now() - began)
    return min(seconds) / patches * 1e3


def on_device(ours: StainNormalizer, patches: np.ndarray, values: Any, device: str, repeats: int) -> dict[str, float]:
    """Milliseconds a patch of tensors, and the largest difference to arrays."""
    import torch

    tensor = torch.from_numpy(patches).to(device)
    found = {}
    for name, given in {"patch": None, "slide": values}.items():
        result = ours.transform(tensor, given).cpu().numpy()
        work = lambda given=given: ours.transform(tensor, given).sum().item()  # noqa: E731  waits for the device
        found[f"{device}, {name}"] = milliseconds(work, len(patches), repeats, time.perf_counter)
        found[f"{device}, {name}, differs by"] = float(
            np.abs(result.astype(int) - ours.transform(patches, given)).max()
        )
    return found


def measure(method: Method, patches: np.ndarray, reference: Any, options: argparse.Namespace) -> dict[str, float]:
    ours, few, repeats = StainNormalizer.from_reference(reference), options.few, options.repeats
    values = ours.estimate(patches)
    found = {
        "ours, patch": milliseconds(lambda: ours.transform(patches), len(patches), repeats),
        "ours, slide": milliseconds(lambda: ours.transform(patches, values), len(patches), repeats),
    }
    if options.device:
        found |= on_device(ours, patches, values, options.device, repeats)
    try:
        theirs = StainNormalizer.from_reference(reference, backend="staintools")
    except InputError:
        return found
    some = patches[:few]
    found["staintools, patch"] = milliseconds(lambda: theirs.transform(some), few, 1)
    found["ratio"] = found["staintools, patch"] / found["ours, patch"]
    difference = ours.transform(some).astype(float) - theirs.transform(some)
    found["difference"] = float(np.abs(difference).mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--few", type=int, default=8, help="patches for staintools")
    parser.add_argument("--px", type=int, nargs="+", default=[64, 224])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default=None, help="where tensors are to lie, e.g. cuda")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    slide, reference, rows = open_slide(options.slide), open_slide(options.reference), {}
    for px in options.px:
        spec = PatchSpec(patch_px=px)
        yx = sample_positions(slide, spec.patch_um, options.count)
        patches = read_patches(slide, yx, patch_um=spec.patch_um, patch_px=px)
        for method in get_args(Method):
            row = measure(method, patches, stain_reference(reference, spec, method), options)
            rows[f"{method}, {px} px"] = row
            if not options.json:
                print(f"{method:9} {px:4} px  " + "   ".join(f"{name} {value:8.2f}" for name, value in row.items()))
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
