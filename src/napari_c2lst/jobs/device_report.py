"""What device a task would take, and its free memory, as one line of JSON: ``python -m ... [DEVICE]``.

For a window that must not import torch itself.
"""

import json
import sys

from napari_c2lst.common.device import describe_device, free_memory, resolve_device
from napari_c2lst.common.errors import InputError


def report(name: str) -> dict[str, object]:
    """Name, kind, and free and total bytes (None where the device does not say); or what is wrong with the name."""
    try:
        device = resolve_device(name)
    except InputError as error:
        return {"problem": error.message, "hint": error.hint}
    free, total = free_memory(device) or (None, None)
    return {"device": str(device), "name": describe_device(device), "free": free, "total": total}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(report(sys.argv[1] if len(sys.argv) > 1 else "auto")) + "\n")
