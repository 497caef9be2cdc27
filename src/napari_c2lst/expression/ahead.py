"""Items that are made in a thread while those before them are used."""

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    """No more items, or why not."""

    error: BaseException | None = None


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
    run = _Ahead(items, most)
    run.start()
    try:
        yield run.taken()
    finally:
        run.end()


class _Ahead(Generic[T]):
    def __init__(self, items: Iterable[T], most: int) -> None:
        self._items = items
        self._ready: queue.Queue[T | _End] = queue.Queue()
        self._room = threading.Semaphore(most + 1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._make, name="ahead", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop after the item that is being made."""
        self._ended.set()
        self._room.release()
        self._thread.join()

    def taken(self) -> Iterator[T]:
        while not isinstance(item := self._ready.get(), _End):
            self._room.release()
            yield item
            del item  # not held while the next one is waited for
        if item.error is not None:
            raise item.error

    def _make(self) -> None:
        error: BaseException | None = None
        try:
            self._make_all()
        except BaseException as raised:  # told where the item would come
            error = raised
        self._ready.put(_End(error))

    def _make_all(self) -> None:
        iterator: Any = iter(self._items)
        try:
            while self._may_go_on():
                try:
                    self._ready.put(next(iterator))
                except StopIteration:
                    return
        finally:
            if hasattr(iterator, "close"):
                iterator.close()

    def _may_go_on(self) -> bool:
        self._room.acquire()
        return not self._ended.is_set()
