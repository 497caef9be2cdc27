"""How long `import napari_c2lst` and `c2lst --help` take, beside an empty Python: ``python benchmarks/startup.py``."""

import argparse
import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python": ["-c", "pass"],
    "import napari_c2lst": ["-c", "import napari_c2lst"],
    "c2lst --help": ["-m", "napari_c2lst.cli.main", "--help"],
    "c2lst adapt --help": ["-m", "napari_c2lst.cli.main", "adapt", "--help"],
    "open_slide looked up": ["-c", "import napari_c2lst; napari_c2lst.open_slide"],
}


def seconds(arguments: list[str]) -> float:
    """Wall-clock time of one start of Python."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {}
    for name, arguments in COMMANDS.items():
        seconds(arguments)  # once unmeasured: files come into the cache, byte code is written
        found[name] = statistics.median(seconds(arguments) for _ in range(options.repeats))
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        for name, value in found.items():
            print(f"{name:22} {value:6.3f} s")


if __name__ == "__main__":
    main()
