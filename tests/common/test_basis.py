from pathlib import Path

import pytest

from napari_c2lst.common.basis import refuse_other_basis
from napari_c2lst.common.errors import MismatchError


def test_the_same_is_taken() -> None:
    refuse_other_basis(Path("run"), {"slide": "a", "training spots": "b"}, {"training spots": "b", "slide": "a"})


def test_all_that_changed_is_named() -> None:
    with pytest.raises(MismatchError) as caught:
        refuse_other_basis(
            Path("run"), {"slide": "a", "genes": "b", "gone": "c"}, {"slide": "a", "genes": "x", "new": "y"}
        )
    assert caught.value.message == "'run' was made from other things than are there now: genes, gone, new"
    assert "--out" in caught.value.hint
