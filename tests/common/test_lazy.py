import importlib
import subprocess
import sys

import pytest

ROOMS = ["napari_c2lst.slides", "napari_c2lst.diffusion", "napari_c2lst.expression"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_of_a_room_is_there(room):
    module = importlib.import_module(room)
    assert module.__all__ == dir(module)
    for name in module.__all__:
        value = getattr(module, name)
        assert value.__module__.startswith(room)


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_nothing_heavy(room):
    code = f"import sys, {room}; print([m for m in ('torch', 'spatialdata', 'qtpy', 'dask') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_a_name_that_is_not_there_is_an_attribute_error():
    module = importlib.import_module("napari_c2lst.slides")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing
