"""What weights know: types, colours, versions."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from napari_c2lst.cells.facts import (
    CONSEP_TYPES,
    FACTS_KEY,
    PANNUKE_TYPES,
    CellFacts,
    default_types,
    facts_of_header,
    listed,
    read_facts,
    read_type_info,
    with_types,
)
from napari_c2lst.common.errors import InputError, MismatchError

OFFICIAL = {"0": ["nolabe", [0, 0, 0]], "1": ["neopla", [255, 0, 0]], "2": ["inflam", [0, 255, 0]]}


def test_pannuke_types_in_their_order_and_colours() -> None:
    assert [t.name for t in PANNUKE_TYPES[1:]] == [
        "neoplastic",
        "inflammatory",
        "connective",
        "dead",
        "non-neoplastic epithelial",
    ]
    assert [t.colour for t in PANNUKE_TYPES][-2:] == [(255, 255, 0), (255, 165, 0)]


def test_type_info_as_hovernet_has_it(tmp_path: Path) -> None:
    file = tmp_path / "type_info.json"
    file.write_text(json.dumps(OFFICIAL))
    types = read_type_info(file)
    assert [t.name for t in types] == ["nolabe", "neopla", "inflam"]
    assert types[2].colour == (0, 255, 0)


@pytest.mark.parametrize(
    "text", ["not json", "[1]", '{"0": "background"}', '{"1": ["a", [0, 0, 0]]}', '{"0": ["a", [0, 0]]}', "{}"]
)
def test_type_info_that_names_no_types(tmp_path: Path, text: str) -> None:
    file = tmp_path / "type_info.json"
    file.write_text(text)
    with pytest.raises(InputError, match="type"):
        read_type_info(file)


def test_type_info_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_type_info(tmp_path / "none.json")


def test_default_types() -> None:
    assert default_types(None) == ()
    assert default_types(6) == PANNUKE_TYPES
    assert [t.name for t in default_types(4)] == ["background", "type 1", "type 2", "type 3"]
    assert len({t.colour for t in default_types(5)}) == 5


def test_names_must_be_as_many_as_types() -> None:
    facts = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, name="w")
    assert facts.type_names == ("miscellaneous", "inflammatory", "epithelial", "spindle-shaped")
    assert facts.type_colours[2] == (255, 0, 0)
    with pytest.raises(MismatchError, match=r"6 types are named.*5 types with background"):
        with_types(facts, PANNUKE_TYPES)
    with pytest.raises(ValidationError, match="5 names of types"):
        CellFacts(mode="fast", nr_types=3, types=CONSEP_TYPES)


def test_without_types_all_are_nuclei() -> None:
    facts = CellFacts(mode="fast", name="w")
    assert facts.type_names == ("nucleus",)
    assert len(facts.type_colours) == 1
    with pytest.raises(MismatchError, match="have no types"):
        with_types(facts, CONSEP_TYPES)


def test_headers_of_other_versions_and_damaged_ones(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    assert facts_of_header({}, file) is None
    with pytest.raises(InputError, match="version 99"):
        facts_of_header({FACTS_KEY: '{"version": 99}'}, file)
    with pytest.raises(InputError, match="damaged"):
        facts_of_header({FACTS_KEY: '{"version": 1, "facts": {"mode": "slow"}}'}, file)


def test_facts_of_a_file_that_is_no_safetensors(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="cannot be read"):
        read_facts(file)
    assert read_facts(tmp_path / "official.tar") is None


def test_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c and 2 more"
