"""A SPIDER collection of a few made-up tiles."""

import json
from pathlib import Path

import numpy as np
from PIL import Image


def make_spider(folder: Path) -> Path:
    """Two slides, three records, four different tiles; one context repeats, one file is missing."""
    (folder / "images").mkdir(parents=True)
    draw = np.random.default_rng(7)
    for name in ("a.png", "b.png", "c.png", "d.png"):
        Image.fromarray(draw.integers(0, 255, (224, 224, 3), dtype=np.uint8)).save(folder / "images" / name)
    records = [
        {"slide_id": "S1", "image_name": "a.png", "context_info": {"2_2": "a.png", "2_3": "b.png", "0_0": "gone.png"}},
        {"slide_id": "S1", "image_name": "b.png", "context_info": {"2_1": "a.png", "2_2": "b.png", "2_3": "c.png"}},
        {"slide_id": "S2", "image_name": "d.png", "class": "fat", "split": "train"},
    ]
    (folder / "metadata.json").write_text(json.dumps(records))
    return folder
