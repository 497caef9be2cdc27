"""Items that are made in a thread while those before them are used."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


@contextmanager
def made_ahead(items: Iterable[T], most: int = 1) -> Iterator[Iterator[T]]:
    """The same items in the same order, made in a thread of their own.

    Parameters
    ----------
    items
        Their `close`, where they have one, is called in the thread, also when not all are taken.
    most
        Items that wait at most; one more is being made, and one is in use.

    Raises
    ------
    BaseException
        What making an item raises, where that item would come.
    """
    iterator = iter(items)
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:

        def taken() -> Iterator[T]:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(pool.submit(next, iterator, _END))
                yield item
                del item  # not held while the next one is waited for

        waiting.extend(pool.submit(next, iterator, _END) for _ in range(most + 1))
        try:
            yield taken()
        finally:
            for each in waiting:
                each.cancel()
            if hasattr(iterator, "close"):
                pool.submit(iterator.close).result()
