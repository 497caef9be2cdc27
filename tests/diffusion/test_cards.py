"""The model card says what the model is, and nothing it does not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.diffusion.models import tiny_central

from napari_c2lst.diffusion.cards import write_card
from napari_c2lst.diffusion.schedule import NOISE, VELOCITY
from napari_c2lst.diffusion.unet import count_parameters

FACTS = {"tiles": 1200, "data": "two breasts", "steps": 40, "batch": 8, "loss": 0.25, "licence": "CC BY 4.0"}


def rows(card: Path) -> dict[str, str]:
    """The table of a card."""
    lines = [line for line in card.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1] for row in cells if row[0]}


def test_a_card_states_the_facts(tmp_path: Path) -> None:
    central = replace(tiny_central(), facts=FACTS)
    path = write_card(central, tmp_path)
    assert path == tmp_path / "README.md"
    table = rows(path)
    assert table["patches"] == "112 x 112 um, 16 x 16 px (7.000 um/px)"
    assert table["stain"] == "as scanned"
    assert table["learned from"] == "1200 tiles: two breasts"
    assert table["training"] == "40 steps of 8 patches, mean loss of the last 100 steps 0.25"
    assert table["licence"] == "CC BY 4.0"
    assert table["content hash"] == f"`{central.content_hash}`"
    assert f"{count_parameters(central.net) / 1e6:.2f} M parameters, space-to-depth 2" in table["network"]


@pytest.mark.parametrize(("prediction", "words"), [(NOISE, "the noise"), (VELOCITY, "velocity, turned into noise")])
def test_it_says_what_the_network_predicts(tmp_path: Path, prediction: str, words: str) -> None:
    table = rows(write_card(tiny_central(prediction=prediction), tmp_path))
    assert f"the network predicts {words};" in table["noise"]
    assert table["noise"].startswith("T = 1000, cosine")


def test_what_was_not_stated_is_said_to_be_so(tmp_path: Path) -> None:
    table = rows(write_card(replace(tiny_central(), facts={"tiles": 3, "data": "", "licence": None}), tmp_path))
    assert table["learned from"] == "3 tiles: not stated"
    assert table["licence"] == "not stated"


def test_how_to_train_it_again_can_be_said(tmp_path: Path) -> None:
    text = write_card(tiny_central(), tmp_path, retrain="Run `make central`.").read_text()
    assert "Run `make central`." in text
    assert "Not a medical device" in text
    assert "Retrain with" not in text


def test_writing_again_replaces_the_card(tmp_path: Path) -> None:
    write_card(tiny_central(), tmp_path)
    text = write_card(replace(tiny_central(), name="renamed"), tmp_path).read_text()
    assert text.startswith("# renamed: a central model of C2L-ST")
    assert [p.name for p in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("facts", "learned", "training"),
    [
        ({}, "not stated", "not stated"),
        ({"data": "one brain"}, "one brain", "not stated"),
        ({"tiles": 0, "steps": 5}, "0 tiles: not stated", "5 steps"),
        (
            {"steps": 5, "batch": 2, "loss": 0.0},
            "not stated",
            "5 steps of 2 patches, mean loss of the last 100 steps 0.0",
        ),
    ],
)
def test_a_fact_that_is_missing_is_no_none(
    tmp_path: Path, facts: dict[str, object], learned: str, training: str
) -> None:
    card = write_card(replace(tiny_central(), facts=facts), tmp_path)
    table = rows(card)
    assert (table["learned from"], table["training"]) == (learned, training)
    assert "None" not in card.read_text()


def test_texts_of_several_lines_and_with_bars_stay_in_their_cell(tmp_path: Path) -> None:
    facts = {**FACTS, "data": "H&E | frozen\nof two breasts", "licence": "CC BY 4.0\n\nno warranty"}
    lines = write_card(replace(tiny_central(), facts=facts), tmp_path).read_text().splitlines()
    assert "| learned from | 1200 tiles: H&E \\| frozen of two breasts |" in lines
    assert "| licence | CC BY 4.0 no warranty |" in lines


def test_a_card_is_utf_8_whatever_the_machine_prefers(tmp_path: Path) -> None:
    card = write_card(replace(tiny_central(), facts={**FACTS, "data": "Gehirn, µm, 脳"}), tmp_path)
    assert "1200 tiles: Gehirn, µm, 脳" in card.read_bytes().decode("utf-8")
