import copy

import pytest

from napari_c2lst.common.errors import (
    C2LError,
    DeviceMemoryError,
    InputError,
    MismatchError,
    RunFailure,
    Stopped,
    first_line,
    raise_all,
)


def test_an_error_reads_as_message_and_hint():
    error = InputError("slide 'P12' has no microns per pixel", "pass --mpp")
    assert str(error) == "slide 'P12' has no microns per pixel / pass --mpp"
    assert str(C2LError("no hint here")) == "no hint here"


def test_a_stop_names_its_checkpoint(tmp_path):
    assert Stopped("stopped", "go on", tmp_path).checkpoint == tmp_path


def test_raise_all_is_silent_without_problems():
    raise_all([])


def test_raise_all_raises_a_single_problem_as_it_is():
    problem = MismatchError("a")
    with pytest.raises(MismatchError) as caught:
        raise_all([problem])
    assert caught.value is problem


def test_raise_all_lists_every_problem_and_each_hint_once():
    with pytest.raises(InputError) as caught:
        raise_all([InputError("a", "do x"), InputError("b", "do x"), InputError("c", "do y")])
    assert caught.value.message == "3 things are wrong: (1) a; (2) b; (3) c"
    assert caught.value.hint == "do x; do y"


def test_every_error_is_one_of_ours_and_input_errors_are_told_apart():
    assert issubclass(MismatchError, InputError)
    for kind in (InputError, DeviceMemoryError, RunFailure, Stopped):
        assert issubclass(kind, C2LError)
    for kind in (DeviceMemoryError, RunFailure, Stopped):
        assert not issubclass(kind, InputError)


@pytest.mark.parametrize("kind", [InputError, MismatchError, RunFailure, DeviceMemoryError])
def test_errors_survive_the_way_between_processes(kind):
    back = copy.copy(kind("what", "do"))
    assert (type(back), back.message, back.hint) == (kind, "what", "do")


def test_several_problems_without_a_hint_have_none():
    with pytest.raises(InputError) as caught:
        raise_all([InputError("a"), InputError("b")])
    assert caught.value.hint == ""
    assert str(caught.value) == "2 things are wrong: (1) a; (2) b"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError(), "ValueError"),
        (KeyError("a"), "'a'"),
        (OSError("\n late"), "late"),
    ],
)
def test_a_librarys_error_is_told_in_one_line(error, line):
    assert first_line(error) == line
