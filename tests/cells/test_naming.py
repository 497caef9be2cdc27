import pytest

from napari_c2lst.cells.naming import cells_name
from napari_c2lst.common.errors import InputError


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        ("embedded", "embedded"),
        ("pannuke", "pannuke"),
        ("runs/my cells", "my_cells"),
        ("hovernet_fast_pannuke_type_tf2pytorch.tar", "hovernet_fast_pannuke_type_tf2pytorch"),
        ("runs/narrow/hovernet.safetensors", "narrow"),
    ],
)
def test_results_are_called_after_their_weights(weights: str, name: str) -> None:
    assert cells_name(None, weights) == name


def test_a_name_of_ones_own() -> None:
    assert cells_name("mine-1", "embedded") == "mine-1"
    for odd in ("", "a b", "a/b"):
        with pytest.raises(InputError, match="cannot be the name"):
            cells_name(odd, "embedded")
