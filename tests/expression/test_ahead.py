import threading

import pytest

from napari_c2lst.expression.ahead import made_ahead


def counting(count, log, fail_at=None):
    try:
        for i in range(count):
            if i == fail_at:
                raise ValueError(f"item {i}")
            log.append(i)
            yield i
    finally:
        log.append("closed")


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 20])
def test_items_come_in_order(count, most):
    with made_ahead(range(count), most) as items:
        assert list(items) == list(range(count))


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def pair():
        yield 1
        made.set()
        yield 2

    with made_ahead(pair()) as items:
        assert next(items) == 1
        assert made.wait(10)  # nobody has asked for the second one
        assert list(items) == [2]


def test_no_more_are_made_than_may_wait():
    log, third = [], threading.Event()

    def items_to_make():
        for i in range(10):
            log.append(i)
            if i == 3:
                third.set()
            yield i

    with made_ahead(items_to_make(), most=2) as items:
        assert next(items) == 0
        assert third.wait(10)
        assert len(log) <= 4  # one in use, two that wait, one being made


def test_an_error_comes_where_its_item_would():
    log = []
    with made_ahead(counting(5, log, fail_at=2)) as items:
        assert [next(items), next(items)] == [0, 1]
        with pytest.raises(ValueError, match="item 2"):
            next(items)
    assert log[-1] == "closed"


def use_one_and_fail(log):
    with made_ahead(counting(100, log)) as items:
        next(items)
        raise RuntimeError("using it failed")


def test_whoever_leaves_early_ends_the_thread_and_closes_the_items():
    log = []
    with pytest.raises(RuntimeError, match="using it failed"):
        use_one_and_fail(log)
    assert log[-1] == "closed"
    assert len(log) < 6
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_items_need_not_be_a_generator():
    with made_ahead([1, 2, 3]) as items:
        assert next(items) == 1
