import os
import platform
import socket

import pytest

from napari_c2lst.common import environment as module
from napari_c2lst.common.environment import environment, this_machine


def test_versions_of_what_a_result_depends_on():
    facts = environment()
    assert facts["python"] == platform.python_version()
    assert {"napari-c2lst", "torch", "diffusers", "spatialdata", "numpy"} <= set(facts)
    assert facts.items() >= this_machine().items()


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(module, "_PACKAGES", ("torch", "no-such-package"))
    facts = environment()
    assert "torch" in facts
    assert "no-such-package" not in facts


def test_a_machine_is_its_kind_not_its_name():
    here = this_machine()
    assert here["system"] == platform.system()
    assert here["cpus"] == os.cpu_count()
    assert set(here) == {"system", "cpus", "accelerator"}


@pytest.mark.parametrize("name", [socket.gethostname(), os.path.expanduser("~")])
def test_no_names_of_machines_or_folders(name):
    assert name not in map(str, environment().values())
