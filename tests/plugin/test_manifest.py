from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path

import pytest

npe2 = pytest.importorskip("npe2")


@pytest.fixture
def manifest() -> npe2.PluginManifest:
    return npe2.PluginManifest.from_file(Path(str(resources.files("napari_c2lst") / "napari.yaml")))


def test_every_command_can_be_imported(manifest: npe2.PluginManifest) -> None:
    manifest.validate_imports()


def test_it_is_found_by_its_entry_point() -> None:
    entries = metadata.entry_points(group="napari.manifest", name="napari-c2lst")
    assert [e.value for e in entries] == ["napari_c2lst:napari.yaml"]


def test_commands_and_contributions_match(manifest: npe2.PluginManifest) -> None:
    commands = {c.id for c in manifest.contributions.commands or []}
    used = {r.command for r in manifest.contributions.readers or []}
    used |= {s.command for s in manifest.contributions.sample_data or []}
    assert commands == used
    assert all(name.startswith("napari-c2lst.") for name in commands)


def test_the_link_at_the_top_leads_to_it(root: Path) -> None:
    link = root / "napari.yaml"
    assert link.is_symlink()
    assert link.read_text() == (root / "src" / "napari_c2lst" / "napari.yaml").read_text()
