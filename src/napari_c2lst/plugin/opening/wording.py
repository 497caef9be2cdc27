"""What readers of slides say, in the words of the panel; the command line shows the same with its options."""

from __future__ import annotations

# Longer ones first.
_IN_PANEL = {
    "pass --image FILE for the real one": "use “Use another image file …” for the real one",
    "pass --image FILE": "use “Use another image file …”",
    "pass --image-scale if the image is a scaled version": "a scaled version needs “c2lst convert” and its scale",
    "pass --image-scale to use it anyway": "“c2lst convert” takes it anyway if it is given the scale",
    "pass --mpp to choose": "correct “Pixel size” if it is wrong",
    "um per pixel": "µm per pixel",
}


def in_panel(text: str) -> str:
    """A note or a hint that names options of the command line, in the words of the panel."""
    for option, words in _IN_PANEL.items():
        text = text.replace(option, words)
    return text
