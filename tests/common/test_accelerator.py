"""The device is found without torch, and is the one torch itself would take."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from napari_c2lst.common import accelerator
from napari_c2lst.common.accelerator import cuda_devices, device_kind, torch_built_for
from napari_c2lst.common.device import resolve_device
from napari_c2lst.common.errors import InputError


@pytest.fixture(autouse=True)
def _asked_anew() -> Any:
    cuda_devices.cache_clear()
    yield
    cuda_devices.cache_clear()


def test_agrees_with_torch() -> None:
    import torch

    assert device_kind("auto") == resolve_device("auto").type
    assert cuda_devices() == torch.cuda.device_count()
    assert torch_built_for("cuda") == torch.version.cuda


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:7", "mps", "abacus", "cpu:1", ""])
def test_refuses_what_torch_refuses(name: str) -> None:
    def answer(ask: Callable[[str], Any]) -> tuple[str, ...]:
        try:
            return (str(ask(name)),)
        except InputError as error:
            return error.message, error.hint

    assert answer(device_kind) == answer(lambda wanted: resolve_device(wanted).type)


def test_does_not_import_torch() -> None:
    code = (
        "import sys; from napari_c2lst.common.settings import DeviceSettings as D;"
        "D.resolve(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def fake_torch(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "version.py").write_text(text)
    spec = SimpleNamespace(origin=str(folder / "__init__.py"))
    monkeypatch.setattr(accelerator, "find_spec", lambda name: spec)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "12.8"),
        ('cuda = "11.8"\n', "11.8"),
        ("cuda: Optional[str] = None\n", None),
        ("", None),
    ],
)
def test_reads_what_torch_was_built_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str | None
) -> None:
    fake_torch(tmp_path, monkeypatch, text)
    assert torch_built_for("cuda") == version


class Driver:
    """A CUDA driver of some version with some devices."""

    def __init__(self, version: int, devices: int, broken: bool = False) -> None:
        self.version, self.devices, self.broken = version, devices, broken

    def cuInit(self, flags: int) -> int:
        return 100 if self.broken else 0

    def cuDriverGetVersion(self, out: Any) -> int:
        out._obj.value = self.version
        return 0

    def cuDeviceGetCount(self, out: Any) -> int:
        out._obj.value = self.devices
        return 0


@pytest.mark.parametrize(
    ("driver", "count"),
    [
        (Driver(12080, 2), 2),
        (Driver(13000, 1), 1),
        (Driver(12010, 1), 1),  # an older one of the same major version will do
        (Driver(11040, 1), 0),  # too old for what torch was built for
        (Driver(12080, 0), 0),
        (Driver(12080, 1, broken=True), 0),
    ],
)
def test_counts_what_the_driver_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: Driver, count: int
) -> None:
    fake_torch(tmp_path, monkeypatch, "cuda = '12.8'\n")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: driver)
    assert cuda_devices() == count
    assert device_kind("auto") == ("cuda" if count else "cpu")


def test_no_driver_is_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(tmp_path, monkeypatch, "cuda = '12.8'\n")

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert cuda_devices() == 0


def test_apple_silicon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(accelerator.platform, "mac_ver", lambda: ("14.2", ("", "", ""), "arm64"))
    monkeypatch.setattr(accelerator, "cuda_devices", lambda: 0)
    assert device_kind("auto") == device_kind("mps") == "mps"
