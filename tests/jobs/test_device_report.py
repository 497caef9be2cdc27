from __future__ import annotations

import json
import subprocess
import sys

import pytest

from napari_c2lst.common.accelerator import cuda_devices
from napari_c2lst.common.device import free_memory, resolve_device
from napari_c2lst.jobs.device_report import report


def test_the_cpu() -> None:
    said = report("cpu")
    assert said["device"] == "cpu"
    assert str(said["name"]).startswith("CPU")
    assert (said["free"], said["total"]) == (None, None)


def test_a_device_that_is_not_here() -> None:
    said = report("cuda:99")
    assert "cuda:99" in str(said["problem"])
    assert said["hint"]


@pytest.mark.gpu
def test_a_gpu_says_its_free_memory() -> None:
    if not cuda_devices():
        pytest.skip("no CUDA device")
    memory = free_memory(resolve_device("cuda"))
    assert memory is not None
    assert 0 < memory[0] <= memory[1]


def test_one_line_of_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_c2lst.jobs.device_report", "cpu"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["device"] == "cpu"
