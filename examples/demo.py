"""The whole chain on one slide, as the commands a user would type; each is printed before it runs.

    python examples/demo.py --out demo                                  # the sample slide
    python examples/demo.py --out mob --slide ../MOB1.tsv.gz            # a slide of your own
    python examples/demo.py --out crc --slide OUTS --image HE.tif       # Space Ranger output with its picture

Started again it goes on where it stopped. At the end: where the SpatialData and the pictures are, and how long and how
much memory each step took (also in OUT/steps.json).
"""

import argparse
import itertools
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from napari_c2lst.slides.sample_data import sample_source

ARMS = {"real": [], "synthetic": ["--use", "synthetic"], "both": []}


def main() -> None:
    options = parse()
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    steps = Steps(out / "steps.json")
    store, pairs = out / f"{options.name}.zarr", out / "pairs"
    image = ["--image", options.image] if options.image else []
    device = ["--preset", options.preset, "--device", options.device, "--seed", options.seed]
    learned = [out / "predictors" / arm for arm in ARMS]

    if not store.exists():
        steps.run("convert", options.slide, store, *image)
    steps.run("info", store)
    chosen = ["--fraction", 0.25, "--split", options.split, "--seed", options.seed, "--replace"]
    steps.run("select", store, "--name", "train", *chosen)
    steps.run("adapt", store, "--spots", "train", "--central", options.central, "--out", out / "local", *device)
    steps.run("sample", store, "--local", out / "local", "--out", pairs, *device)
    for (arm, flags), run in zip(ARMS.items(), learned, strict=True):
        given = [] if arm == "real" else ["--synthetic", pairs, *flags]
        steps.run("train", store, "--spots", "train", *given, "--central", options.central, "--out", run, *device)
    for arm, run in zip(ARMS, learned, strict=True):
        where = "both" if arm == "both" else "spots"
        steps.run("predict", store, "--predictor", run, "--where", where, "--device", options.device)
    steps.run("evaluate", store, "--pairs", pairs, "--out", out / "scores")
    finish(out, store, steps)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The whole chain on one slide.")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for everything that is written")
    parser.add_argument("--slide", type=Path, default=sample_source() / "B4.tsv.gz", help="none = the sample slide")
    parser.add_argument("--image", type=Path, help="the full-resolution image that Space Ranger folders lack")
    parser.add_argument("--central", default="embedded", help="the central model")
    parser.add_argument("--split", default="blocked", choices=["blocked", "random"], help="how spots are held out")
    parser.add_argument("--preset", default="small", choices=["auto", "small", "paper"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.name = options.slide.name.split(".")[0]
    return options


class Steps:
    """Runs commands one after the other and keeps the time and the peak memory of each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows: list[dict[str, str | float]] = []

    def run(self, *words: object) -> None:
        arguments = [str(w) for w in words]
        print(f"\n$ c2lst {shlex.join(arguments)}", flush=True)
        begin = time.monotonic()
        child = subprocess.Popen([sys.executable, "-m", "napari_c2lst.cli.main", *arguments])
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)  # wait4 has taken it: Popen must not wait again
        if child.returncode != 0:
            sys.exit(f"c2lst {arguments[0]} ended with exit code {child.returncode}")
        self.rows.append(
            {
                "command": arguments[0],
                "run": next((Path(b).name for a, b in itertools.pairwise(arguments) if a == "--out"), ""),
                "seconds": round(time.monotonic() - begin, 1),
                "peak_megabytes": round(usage.ru_maxrss / 1024),
            }
        )
        self.file.write_text(json.dumps(self.rows, indent=1))


def finish(out: Path, store: Path, steps: Steps) -> None:
    print("\nstep                        seconds   peak memory")
    for row in steps.rows:
        print(f"{row['command']:9} {row['run']:15} {row['seconds']:9.0f} {row['peak_megabytes']:10.0f} MB")
    print(f"{'total':25} {sum(float(r['seconds']) for r in steps.rows):9.0f}")
    print(f"\nthe slide with its spot sets and predictions: {store}")
    print("pictures:")
    for picture in sorted((out / "scores").rglob("*.png")):
        print(f"  {picture}")


if __name__ == "__main__":
    main()
