"""What results are called inside a slide."""

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
        ("runs/narrow/", "narrow"),
        ("hovernet.safetensors", "hovernet"),  # in the current folder, which says nothing
        ("weights/other.pth", "other"),
        ("köln.pt", "k_ln"),
        (".", "cells"),
    ],
)
def test_results_are_called_after_their_weights(weights: str, name: str) -> None:
    assert cells_name(None, weights) == name


@pytest.mark.parametrize("wrap", ["runs/{}", "runs/{}/", "runs/{}/hovernet.safetensors"])
def test_runs_that_differ_behind_a_point_only_do_not_overwrite_each_other(wrap: str) -> None:
    names = {cells_name(None, wrap.format(run)) for run in ("lr_0.1", "lr_0.25", "lr_0")}
    assert names == {"lr_0.1", "lr_0.25", "lr_0"}


@pytest.mark.parametrize("name", ["mine-1", "B4.second", "_", "0"])
def test_a_name_of_ones_own(name: str) -> None:
    assert cells_name(name, "embedded") == name


@pytest.mark.parametrize("odd", ["", "a b", "a/b", "../up", "nuclei\n", "zellen_ü"])
def test_names_that_no_store_takes(odd: str) -> None:
    with pytest.raises(InputError, match="cannot be the name") as caught:
        cells_name(odd, "embedded")
    assert repr(odd) in caught.value.message
    assert caught.value.hint == "use letters, digits, _, - and ."
