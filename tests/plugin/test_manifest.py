from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

npe2 = pytest.importorskip("npe2")

FILE = Path(str(resources.files("napari_c2lst") / "napari.yaml"))


@pytest.fixture
def manifest() -> Any:
    return npe2.PluginManifest.from_file(FILE)


def used_commands(manifest: Any) -> set[str]:
    there = manifest.contributions
    used = {each.command for each in (*there.readers, *there.writers, *there.widgets)}
    return used | {item.command for items in there.menus.values() for item in items}


def test_every_command_can_be_imported(manifest: Any) -> None:
    manifest.validate_imports()


def test_npe2_finds_nothing_to_complain_about() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "--imports", str(FILE)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_found_by_its_entry_point() -> None:
    entries = metadata.entry_points(group="napari.manifest", name="napari-c2lst")
    assert [e.value for e in entries] == ["napari_c2lst:napari.yaml"]


def test_commands_and_contributions_match(manifest: Any) -> None:
    commands = {c.id for c in manifest.contributions.commands or []}
    assert commands == used_commands(manifest)
    assert all(name.startswith("napari-c2lst.") for name in commands)


def test_the_sample_is_a_name_that_our_reader_knows(manifest: Any) -> None:
    from napari_c2lst.plugin.reading import get_reader
    from napari_c2lst.plugin.sample_data import NAME, read_sample

    (sample,) = manifest.contributions.sample_data
    assert (sample.uri, sample.reader_plugin) == (NAME, manifest.name)
    assert get_reader(sample.uri) is read_sample
    assert get_reader([sample.uri]) is read_sample
    assert get_reader(f"x{NAME}") is None


def test_the_menu_has_the_guide_and_every_panel(manifest: Any) -> None:
    from napari_c2lst.plugin.guide.steps import STEPS

    names = [widget.display_name for widget in manifest.contributions.widgets]
    assert names[:2] == ["Guide", "Open slide..."]
    places = {command.id: command.python_name for command in manifest.contributions.commands}
    panels = {places[widget.command].removeprefix("napari_c2lst.plugin.") for widget in manifest.contributions.widgets}
    assert panels == {"dock:C2LDock", *(where for step in STEPS for _, where in step.panels)}


def test_widgets_are_given_the_viewer(manifest: Any) -> None:
    """napari hands the viewer to a class whose parameter is annotated so; to a function it does not."""
    import inspect

    from npe2.manifest.utils import import_python_name

    places = {command.id: command.python_name for command in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        parameters = inspect.signature(import_python_name(places[widget.command]).__init__).parameters
        assert parameters["viewer"].annotation == "napari.viewer.Viewer", widget.command


def test_nothing_the_manifest_names_imports_torch(manifest: Any) -> None:
    names = [command.python_name for command in manifest.contributions.commands]
    code = (
        "import importlib, json, sys\n"
        f"for name in {names!r}:\n"
        "    module, _, attribute = name.partition(':')\n"
        "    assert hasattr(importlib.import_module(module), attribute), name\n"
        "print(json.dumps(sorted({'torch', 'diffusers', 'transformers', 'accelerate'} & sys.modules.keys())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_link_at_the_top_leads_to_it(root: Path) -> None:
    link = root / "napari.yaml"
    assert link.is_symlink()
    assert link.read_text() == (root / "src" / "napari_c2lst" / "napari.yaml").read_text()
