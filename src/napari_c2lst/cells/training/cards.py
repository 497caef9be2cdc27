"""The model card of trained weights: what they are, what they learned from, how well they do."""

from pathlib import Path
from typing import Any

from napari_c2lst.cells.facts import CellFacts, Density
from napari_c2lst.common.files import atomic_file

from .scoring import score_lines

CARD = "README.md"


def write_card(facts: CellFacts, parameters: int, folder: Path) -> Path:
    """Write the card into the folder of the weights, as `README.md`."""
    with atomic_file(folder / CARD) as temporary:
        temporary.write_text(card_text(facts, parameters))
    return folder / CARD


def card_text(facts: CellFacts, parameters: int) -> str:
    """The card as Markdown; what the weights do not know is left out."""
    card = facts.card
    rows = {
        "network": f"HoVer-Net ({facts.mode}), {facts.width:g} of the channels, {parameters / 1e6:.2f} M parameters",
        "images": f"{facts.mpp:g} um/px, H&E",
        "types": ", ".join(facts.type_names) if facts.nr_types else "none: outlines only",
        "learned from": " ".join(str(x) for x in (card.get("data"), _augmented(card)) if x),
        "darkness": _darkness(facts.density),
        "training": _training(card),
        "licence": facts.licence or "not stated",
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in rows.items() if text)
    scores = "\n".join(f"- {line}" for line in score_lines(card.get("scores", {})))
    return f"""# {facts.name}: nuclei and their types in H&E

Find the nuclei of a slide with `c2lst cells SLIDE --weights FOLDER`.

| | |
|---|---|
{table}

Scores on images that were not learned from (means over images; F1 over all nuclei):

{scores}

Retrain with `c2lst train-cells`; `scripts/train_embedded_cells.sh` is how the weights in the package were made.

It knows the types it was trained on, in the tissue it was trained on, and no others. Not a medical device.

Method: Graham et al. 2019, HoVer-Net, Medical Image Analysis 58. Please cite it, and the data.
"""


def _augmented(card: dict[str, Any]) -> str:
    share = card.get("degraded_share")
    return f"({share:.0%} of the patches as scans of up to {card['degraded_mpp']:g} um/px show them)" if share else ""


def _darkness(density: Density | None) -> str:
    if density is None:
        return ""
    red, green, blue = density
    known = f"{red:.2f}, {green:.2f} and {blue:.2f}"
    return f"optical density of the darkest tissue {known} in red, green and blue; slides above are lightened to it"


def _training(card: dict[str, Any]) -> str:
    if "steps" not in card:
        return ""
    return f"{card['steps']} steps of {card['batch']} patches, mean loss of the last 100 steps {card['loss']:.3f}"
