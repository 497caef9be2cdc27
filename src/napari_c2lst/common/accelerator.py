"""Which kind of device is here, found without importing torch: a window or a help page cannot wait for that."""

import ctypes
import platform
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from .errors import InputError

Kind = Literal["cuda", "mps", "cpu"]


def device_kind(name: str) -> Kind:
    """The kind of a device by its name; 'auto' takes CUDA, then Apple's MPS, then the CPU, as `resolve_device` does.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    if name == "auto":
        return "cuda" if cuda_devices() else "mps" if _has_mps() else "cpu"
    match = re.fullmatch(r"(cpu|cuda|mps)(?::(\d+))?", name)
    if match is None:
        raise InputError(f"there is no device {name!r}", "use auto, cpu, cuda, cuda:0 or mps")
    there: dict[Kind, int] = {"cpu": 1, "cuda": cuda_devices(), "mps": int(_has_mps())}
    for kind, count in there.items():
        if kind == match[1] and int(match[2] or 0) < count:
            return kind
    raise InputError(f"device {name!r} is not on this machine", "use --device auto or --device cpu")


@cache
def cuda_devices() -> int:
    """How many CUDA devices torch can use: as many as the driver shows, if torch was built for that driver."""
    if torch_built_for("hip"):
        import torch  # AMD's driver has no such simple question

        return torch.cuda.device_count()
    built_for = torch_built_for("cuda")
    if built_for is None:
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        version, count = ctypes.c_int(), ctypes.c_int()
        if driver.cuInit(0) or driver.cuDriverGetVersion(ctypes.byref(version)):
            return 0
        # a driver runs what was built for its own major version or an older one
        if version.value // 1000 < int(built_for.split(".")[0]) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def torch_built_for(platform_name: Literal["cuda", "hip"]) -> str | None:
    """The CUDA or HIP version that the installed torch was built for, read from its files; None for another build."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).with_name("version.py")
    pattern = rf"""^{platform_name}\b[^=]*=\s*['"]([\d.]+)"""
    found = re.search(pattern, file.read_text(), re.MULTILINE) if file.exists() else None
    return found[1] if found else None


def _has_mps() -> bool:
    """Apple silicon with the macOS that Metal's shaders need."""
    release = platform.mac_ver()[0]  # empty elsewhere
    return platform.machine() == "arm64" and tuple(int(part) for part in release.split(".")[:2] if part) >= (12, 3)
