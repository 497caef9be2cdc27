from __future__ import annotations

from pathlib import Path

import pytest

from napari_c2lst.cli import reference
from napari_c2lst.jobs.tasks import TASKS, Task

from .fakes import EveryKind


def test_the_page_in_the_docs_is_up_to_date(root: Path) -> None:
    page = (root / reference.PAGE).read_text(encoding="utf-8")
    assert page == reference.reference_page(), "run `make docs`"


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_every_setting_is_on_the_page(task: Task) -> None:
    section = reference.reference_page().split(f"\n## {task.name}\n")[1].split("\n## ")[0]
    for field in task.settings_class().fields_info():
        shown = field.name.upper() if field.positional else "--" + field.name.replace("_", "-")
        assert f"| `{shown}" in section
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(task.settings_class().model_fields)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("steps", "| `--steps` | whole number, >= 1 | 10000 / 300 | optimiser steps |"),
        ("mpp", "| `--mpp` | number in um/px, > 0 | none | microns per pixel |"),
        ("patch_um", "| `--patch-um` | number in um, > 0 | 112 um | side of a patch |"),
        ("sampler", "| `--sampler` | `ddim`, `unipc` | unipc | how to sample |"),
        ("widths", "| `--widths` | list of whole numbers | 64,128 / 32,64 | channels |"),
        ("slide", "| `SLIDE` | path | **needed** | the slide |"),
        ("extra", "| `--extra` | JSON | none | numbers by name |"),
    ],
)
def test_rows(name: str, row: str) -> None:
    field = next(f for f in EveryKind.fields_info() if f.name == name)
    assert reference._row(field, EveryKind) == row


def test_check_and_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "docs" / "settings.md"
    assert reference.main(["--check", "--page", str(page)]) == 1
    assert not page.exists()
    assert reference.main(["--page", str(page)]) == 0
    assert reference.main(["--check", "--page", str(page)]) == 0
    page.write_text(page.read_text() + "edited by hand")
    assert reference.main(["--check", "--page", str(page)]) == 1
    assert "not up to date" in capsys.readouterr().out
