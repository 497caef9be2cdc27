"""No option of the command line is named in a window, whatever a reader says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import napari_c2lst.slides
from napari_c2lst.plugin.forms.labels import in_window
from napari_c2lst.plugin.opening.wording import in_panel

SLIDES = Path(napari_c2lst.slides.__file__).parent


def said_with_options() -> list[str]:
    """Every piece of text of the code that opens slides which names an option."""
    files = [SLIDES / "opening.py", SLIDES / "slide.py", *SLIDES.glob("readers/*.py"), *SLIDES.glob("images/*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return sorted({text for text in texts if isinstance(text, str) and "--" in text})


@pytest.mark.parametrize("text", said_with_options())
def test_what_readers_say_names_no_option(text: str) -> None:
    read = in_window(in_panel(text))
    assert "--" not in read
    assert "FILE" not in read
    assert " to if " not in read
    assert " to to " not in read


def test_there_is_something_to_reword() -> None:
    assert any("--image FILE" in text for text in said_with_options())
    assert any("--image-scale" in text for text in said_with_options())


def test_the_size_of_a_pixel_is_corrected_in_the_panel() -> None:
    said = in_panel("0.5 um per pixel are stored; pass --mpp to choose")
    assert said == "0.5 µm per pixel are stored; correct “Pixel size” if it is wrong"


def test_other_words_stay() -> None:
    assert in_panel("3 chunks of image 'a--b' are missing") == "3 chunks of image 'a--b' are missing"
    assert in_panel("") == ""
