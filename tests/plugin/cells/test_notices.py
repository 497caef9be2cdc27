"""What is said of weights without loading them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from napari_c2lst.cells.facts import CONSEP_TYPES, EMBEDDED, PANNUKE, CellFacts, embedded_file
from napari_c2lst.plugin.cells.notices import OTHERS, notice_of, weights_facts, weights_note


def write_weights(file: Path, **changes: object) -> Path:
    from napari_c2lst.cells.network import HoVerNet
    from napari_c2lst.cells.weights import save_hovernet

    facts = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, width=0.0625, **changes)  # type: ignore[arg-type]
    return save_hovernet(HoVerNet("fast", 5, 0.0625), facts, file)


def test_own_weights_say_types_and_terms(tmp_path: Path) -> None:
    write_weights(tmp_path / "hovernet.safetensors", notice="for research use")
    note = weights_note(str(tmp_path))
    assert note == "Types: miscellaneous, inflammatory, epithelial, spindle-shaped. For research use."
    assert notice_of(str(tmp_path / "hovernet.safetensors")) == "For research use."


def test_without_terms_there_is_nothing_to_read_first(tmp_path: Path) -> None:
    file = write_weights(tmp_path / "free.safetensors", licence="CC0")
    assert weights_note(str(file)).endswith("Licence: CC0.")
    assert notice_of(str(file)) == ""


def test_public_weights_and_those_of_others(tmp_path: Path) -> None:
    assert "CC BY-NC-SA 4.0" in notice_of(PANNUKE)
    assert weights_note(PANNUKE) == notice_of(PANNUKE)
    (tmp_path / "a.tar").write_bytes(b"x")
    assert weights_note(str(tmp_path / "a.tar")) == OTHERS
    assert weights_facts(str(tmp_path / "none.safetensors")) is None
    (tmp_path / "bad.safetensors").write_bytes(b"x")
    assert weights_note(str(tmp_path / "bad.safetensors")) == OTHERS
    assert weights_note("") == ""


def test_the_package_says_research_use() -> None:
    assert embedded_file().is_file()
    assert "research use" in notice_of(EMBEDDED)
    assert "epithelial" in weights_note(EMBEDDED)


def test_no_torch_is_needed() -> None:
    code = (
        "import sys\n"
        "from napari_c2lst.plugin.cells.notices import weights_note\n"
        "from napari_c2lst.plugin.cells import panel, step, shown\n"
        "print(weights_note('embedded'), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().endswith("False"), done.stdout


@pytest.mark.parametrize("weights", ["x" * 5000, "~nobody-of-that-name/w.safetensors", "a\0b", ".", "/", "~"])
def test_whatever_is_typed_is_no_error_while_it_is_typed(weights: str) -> None:
    """The note is written anew at every key; what is wrong is said when it is run."""
    assert weights_facts(weights) is None
    assert weights_note(weights) == OTHERS
    assert notice_of(weights) == ""
