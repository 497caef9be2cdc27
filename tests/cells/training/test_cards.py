from __future__ import annotations

from pathlib import Path

from napari_c2lst.cells.facts import CellFacts, default_types
from napari_c2lst.cells.training.cards import card_text, write_card

SCORES = {"images": 14, "dice": 0.8, "aji": 0.5, "dq": 0.6, "sq": 0.7, "pq": 0.42}


def facts(**card: object) -> CellFacts:
    return CellFacts(
        mode="fast",
        nr_types=3,
        width=0.25,
        types=default_types(3),
        name="narrow",
        licence="research use",
        card={"data": "CoNSeP", "steps": 100, "batch": 4, "loss": 5.123, "scores": SCORES, **card},
    )


def test_it_says_what_one_must_know(tmp_path: Path) -> None:
    text = write_card(facts(), 2_370_000, tmp_path).read_text()
    for part in ("# narrow", "research use", "CoNSeP", "type 1, type 2", "2.37 M", "0.25 um/px", "100 steps of 4"):
        assert part in text
    assert "Dice 0.800" in text
    assert "Dice 0.853" in text
    assert "train_embedded_cells.sh" in text
    assert "Not a medical device" in text


def test_coarse_scans_are_said() -> None:
    assert "(40% of the patches as scans of up to 0.7 um/px show them)" in card_text(
        facts(degraded_share=0.4, degraded_mpp=0.7), 1
    )
    assert "as scans of" not in card_text(facts(degraded_share=0.0, degraded_mpp=0.7), 1)


def test_weights_that_know_little() -> None:
    text = card_text(CellFacts(mode="original"), 1)
    assert "not stated" in text
    assert "none: outlines only" in text
    assert "not scored" in text
    assert "| training |" not in text


def test_how_dark_its_tissue_was_is_said_where_it_is_known() -> None:
    dark = facts().model_copy(update={"density": (0.71, 0.8, 0.9)})
    assert "darkest tissue 0.71, 0.80 and 0.90 in red, green and blue" in card_text(dark, 1)
    assert "darkness" not in card_text(facts(), 1)


def test_a_card_is_written_over_whole(tmp_path: Path) -> None:
    write_card(facts(), 1, tmp_path)
    again = write_card(facts(loss=1.5), 1, tmp_path)
    assert "mean loss of the last 100 steps 1.500" in again.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]
