from pathlib import Path

import pytest

from napari_c2lst.common.basis import check_basis, refuse_other_basis
from napari_c2lst.common.errors import MismatchError
from napari_c2lst.common.reporter import RecordingReporter


def test_the_same_is_taken() -> None:
    refuse_other_basis(Path("run"), {"slide": "a", "training spots": "b"}, {"training spots": "b", "slide": "a"})


def test_all_that_changed_is_named() -> None:
    with pytest.raises(MismatchError) as caught:
        refuse_other_basis(
            Path("run"), {"slide": "a", "genes": "b", "gone": "c"}, {"slide": "a", "genes": "x", "new": "y"}
        )
    assert caught.value.message == "'run' was made from other things than are there now: genes, gone, new"
    assert "--out" in caught.value.hint


def test_what_was_not_kept_is_a_warning_and_what_differs_an_error() -> None:
    reporter = RecordingReporter()
    check_basis(Path("run"), None, {"slide": "a"}, reporter)
    assert "does not say what it was made from" in reporter.messages[0]
    assert reporter.of_kind("message")[0]["level"] == "warning"
    check_basis(Path("run"), {"slide": "a"}, {"slide": "a"}, reporter)
    assert len(reporter.messages) == 1
    with pytest.raises(MismatchError, match="slide"):
        check_basis(Path("run"), {}, {"slide": "a"}, reporter)
