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
    CellType,
    default_types,
    embedded_file,
    facts_of_header,
    listed,
    read_facts,
    read_type_info,
    refuse_same_names,
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


def type_info(folder: Path, *entries: object) -> Path:
    """A type_info.json with these entries as types 0, 1, ..."""
    file = folder / "type_info.json"
    file.write_text(json.dumps({str(i): entry for i, entry in enumerate(entries)}))
    return file


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ([["background", [0, 0, 0]], ["a", [300, 0, 0]]], "colour.0 = 300: Input should be less than or equal to 255"),
        ([["background", [0, 0, 0]], ["a", [0, 0, -1]]], "colour.2 = -1: Input should be greater than or equal to 0"),
        ([["background", [0, 0, 0]], [7, [0, 0, 0]]], "name = 7: Input should be a valid string"),
        ([["background", [0, 0, 0]], ["a", [0, 0, 0]], ["a", [1, 1, 1]]], "two types are called 'a'"),
        ([["background", [0, 0, 0]], ["untyped", [0, 0, 0]]], "'untyped' is no name of a type"),
        ([["background", [0, 0, 0]], ["", [0, 0, 0]]], "'' is no name of a type"),
    ],
    ids=["too bright", "too dark", "no text", "twice", "reserved", "empty"],
)
def test_type_info_that_no_table_could_keep(tmp_path: Path, entries: list[object], what: str) -> None:
    """Said before any work: a table of nuclei would fail on it after hours."""
    with pytest.raises(InputError) as caught:
        read_type_info(type_info(tmp_path, *entries))
    assert caught.value.message == f"'{tmp_path / 'type_info.json'}' does not name types ({what})"
    assert "neoplastic" in caught.value.hint


def test_a_background_alone_is_no_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names 1 types / name the background and at least one type"):
        read_type_info(type_info(tmp_path, ["background", [0, 0, 0]]))


def test_type_info_of_windows_and_of_other_tongues(tmp_path: Path) -> None:
    """Editors there write a byte order mark; types are in the order of their numbers, not of the file."""
    file = tmp_path / "type_info.json"
    text = json.dumps({"1": ["Drüse", [1, 2, 3]], "0": ["Grund", [0, 0, 0]]}, ensure_ascii=False)
    file.write_text(text, encoding="utf-8-sig")
    assert [t.name for t in read_type_info(file)] == ["Grund", "Drüse"]
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="does not name types"):
        read_type_info(file)


@pytest.mark.parametrize("names", [("a", "b", "a"), ("untyped",), ("a", "")])
def test_names_that_tables_could_not_keep_apart(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"two types are called 'a'|is no name of a type"):
        refuse_same_names(names)
    types = (CONSEP_TYPES[0], *(CellType(name=name, colour=(1, 2, 3)) for name in names))
    with pytest.raises(ValidationError, match=r"two types are called|no name of a type"):
        CellFacts(mode="fast", nr_types=len(types), types=types)


def test_a_type_may_be_called_as_the_background_is() -> None:
    """Only what stands in tables must differ, and the background does not."""
    refuse_same_names(["background", "Background"])


@pytest.mark.parametrize(
    "text",
    ["{nope", "[1]", "3", "null", '{"version": 1}', '{"facts": {"mode": "fast"}}', '{"version": 1, "facts": 5}'],
)
def test_headers_cut_off_or_of_something_else(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"x.safetensors' are damaged: .* / copy them again"):
        facts_of_header({FACTS_KEY: text}, tmp_path / "x.safetensors")


def test_a_damaged_header_says_which_value(tmp_path: Path) -> None:
    text = json.dumps({"version": 1, "facts": {"mode": "slow", "width": 0.5}})
    with pytest.raises(InputError, match=r"damaged: mode = 'slow': Input should be 'fast' or 'original'"):
        facts_of_header({FACTS_KEY: text}, tmp_path / "x.safetensors")


def test_facts_come_back_from_their_json() -> None:
    facts = CellFacts(
        mode="original", nr_types=6, types=PANNUKE_TYPES, density=(0.5, 0.75, 1.0), card={"scores": {"pq": 0.5}}
    )
    text = json.dumps({"version": 1, "facts": facts.model_dump(mode="json")})
    assert facts_of_header({FACTS_KEY: text}, Path("x.safetensors")) == facts


def test_more_types_than_colours_begin_anew() -> None:
    types = default_types(10)
    assert types[1].colour == types[8].colour
    assert len({t.name for t in types}) == 10


def test_the_file_in_the_package_says_what_it_is_without_torch() -> None:
    facts = read_facts(embedded_file())
    assert facts is not None
    assert facts.type_names == tuple(t.name for t in CONSEP_TYPES[1:])
    assert facts.density is not None
