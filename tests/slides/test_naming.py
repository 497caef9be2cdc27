"""Names of results that a store can hold on every disk."""

import pytest
from spatialdata._core.validation import check_valid_name

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import GRID, SPOTS
from napari_c2lst.slides.naming import name_of_predictions, result_name, safe_name


@pytest.mark.parametrize(
    ("text", "name"),
    [("HLA-A", "HLA-A"), ("NKX2.1", "NKX2.1"), ("a/b c", "a_b_c"), ("my run (2)", "my_run__2_"), ("köln\n", "k_ln_")],
)
def test_any_text_becomes_a_name(text: str, name: str) -> None:
    assert safe_name(text) == name
    check_valid_name(name)


def test_a_result_is_called_as_the_user_says_else_after_what_made_it() -> None:
    assert result_name(None, "my run (2)") == "my_run__2_"
    assert result_name("mine-2.b", "my run (2)") == "mine-2.b"


@pytest.mark.parametrize("name", ["a b", "a/b", "", "a\n", "ü"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a result") as caught:
        result_name(name, "run")
    assert repr(name) in caught.value.message


@pytest.mark.parametrize("name", ["mine", "a_table", "c2lst_spots_x"])
def test_the_name_of_predictions_is_the_one_that_the_user_gave(name: str) -> None:
    assert name_of_predictions(SPOTS + name) == name
    assert name_of_predictions(f"{GRID}{name}_table") == name
