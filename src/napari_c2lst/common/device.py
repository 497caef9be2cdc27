"""Where to compute, in which number format, and what to do when the device's memory is too small."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import DeviceMemoryError, InputError
from .reporter import Reporter

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


def resolve_device(name: str) -> "torch.device":
    """The device of that name; 'auto' takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"there is no device {name!r}", "use auto, cpu, cuda, cuda:0 or mps") from None
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }.get(device.type, 0)
    if (device.index or 0) >= there:
        raise InputError(f"device {name!r} is not on this machine", "use --device auto or --device cpu")
    return device


def autocast_dtype(device: "torch.device", precision: str) -> "torch.dtype | None":
    """bfloat16 where it is asked for, or where 'auto' finds hardware for it; None = plain fp32."""
    import torch

    if precision == "fp32":
        return None
    if precision == "bf16":
        return torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type == "cpu":
        # without AVX-512 bf16 the CPU emulates it, slower than fp32
        return torch.bfloat16 if _cpu_has_bf16() else None
    return None


def _cpu_has_bf16() -> bool:
    import torch

    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check is not None and check())


def autocast(device: "torch.device", dtype: "torch.dtype | None") -> AbstractContextManager[Any]:
    """The autocast context of a number format; nothing for fp32."""
    import torch

    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def describe_device(device: "torch.device") -> str:
    """A device in words a user knows: 'CPU, 2 threads' or 'NVIDIA H200, 139 GB'."""
    import torch

    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
    if device.type != "cpu":
        return device.type
    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s' if count > 1 else ''}"


def free_memory(device: "torch.device") -> tuple[int, int] | None:
    """Free and total bytes of a CUDA device's memory; None for other devices, which share the computer's."""
    import torch

    return torch.cuda.mem_get_info(device) if device.type == "cuda" else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's memory is exhausted."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def halve_on_out_of_memory(work: Callable[[int], T], batch: int, reporter: Reporter) -> T:
    """Do `work(batch)`; when the device runs out of memory, say so and do it again with half the batch.

    Raises
    ------
    DeviceMemoryError
        If even a batch of one does not fit.
    """
    import torch

    while True:
        try:
            return work(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if batch == 1:
                raise DeviceMemoryError(
                    "the device ran out of memory with a batch of 1", "use --device cpu, or close other programs"
                ) from error
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        reporter.message(f"out of memory with a batch of {batch}: going on with {batch // 2}", "warning")
        batch //= 2
