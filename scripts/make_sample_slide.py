"""Crop her2st section B4 to its tissue: the sample slide that comes with the package.

Usage: python scripts/make_sample_slide.py HER2ST_FOLDER

Data: Andersson et al., Nat Commun 2021 (https://doi.org/10.1038/s41467-021-26271-2), CC BY 4.0.
"""

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
from PIL import Image

OUT = Path(__file__).parents[1] / "src" / "napari_c2lst" / "data" / "sample"
MARGIN_PX = 260  # about 180 um around the outermost spots: every patch and its tissue stay inside
JPEG_QUALITY = 72  # the original's file has about this much detail; nuclei look the same beside it


def main(her2st: Path) -> None:
    """Write the cropped picture, the moved spot table and the counts into the package."""
    meta = json.loads((her2st / "meta.json").read_text())
    section = meta["sections"]["B4"]
    spots = pd.read_csv(her2st / section["spots"], sep="\t")
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(her2st / section["image"]) as image:
        left = max(0, int(spots["pixel_x"].min()) - MARGIN_PX)
        top = max(0, int(spots["pixel_y"].min()) - MARGIN_PX)
        right = min(image.width, int(spots["pixel_x"].max()) + MARGIN_PX)
        bottom = min(image.height, int(spots["pixel_y"].max()) + MARGIN_PX)
        crop = image.convert("RGB").crop((left, top, right, bottom))
    spots["pixel_x"] = (spots["pixel_x"] - left).round(2)
    spots["pixel_y"] = (spots["pixel_y"] - top).round(2)
    OUT.mkdir(parents=True, exist_ok=True)
    crop.save(OUT / "B4.jpg", quality=JPEG_QUALITY, optimize=True)
    spots.to_csv(OUT / "B4_selection.tsv", sep="\t", index=False)
    shutil.copyfile(her2st / section["counts"], OUT / "B4.tsv.gz")
    size = sum(f.stat().st_size for f in OUT.iterdir())
    print(f"{OUT}: {crop.width} x {crop.height} px, {len(spots)} spots, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
