"""Where work was done, as far as its result and its time depend on it: versions and kinds, no names."""

import os
import platform
from importlib import metadata
from typing import Any

from .accelerator import device_kind

_PACKAGES = ("torch", "diffusers", "accelerate", "transformers", "spatialdata", "anndata", "numpy", "zarr")


def environment() -> dict[str, Any]:
    """Versions of what the result depends on; no names of machines, users or folders."""
    versions = {}
    for package in ("napari-c2lst", *_PACKAGES):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), **this_machine(), **versions}


def this_machine() -> dict[str, Any]:
    """What of a machine decides how long work takes: "system", "cpus" and "accelerator"; no name of it."""
    return {"system": platform.system(), "cpus": os.cpu_count(), "accelerator": device_kind("auto")}
