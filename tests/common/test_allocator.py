"""What the rule does is asked of the C library itself, in processes of their own: it cannot be taken back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_c2lst.common import allocator
from napari_c2lst.common.allocator import LARGE_PAGES, RULE, keep_little_memory, settle_memory

ASK = '''
import ctypes, threading
from napari_c2lst.common.allocator import MB, keep_little_memory

class Info(ctypes.Structure):
    _fields_ = [(n, ctypes.c_size_t) for n in
        "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]

c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
c.mallinfo2.restype = Info

def mapped(size):
    """Whether a block is mapped by itself, once one of its size has been freed."""
    c.free(c.malloc(size))
    before = c.mallinfo2().hblks
    block = c.malloc(size)
    after = c.mallinfo2().hblks
    c.free(block)
    return after > before

def kept(megabytes):
    """MB at the heap's end that stay when so many have been taken and freed."""
    for block in [c.malloc(MB) for _ in range(megabytes)]:
        c.free(block)
    return c.mallinfo2().keepcost / MB

def heaps():
    """Heaps of six threads that have memory at the same time."""
    gate = threading.Barrier(6)
    def work():
        gate.wait(); block = c.malloc(50_000); gate.wait(); c.free(block); gate.wait()
    threads = [threading.Thread(target=work) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    c.malloc_stats()  # to standard error
'''


def ask(what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_", LARGE_PAGES))}
    return subprocess.run(
        [sys.executable, "-c", ASK + what],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.fixture
def glibc() -> None:
    if allocator._glibc() is None or not hasattr(allocator._glibc(), "mallinfo2"):
        pytest.skip("needs glibc 2.33 or newer")


@pytest.mark.usefixtures("glibc")
def test_large_blocks_go_back_when_they_are_freed_and_small_ones_stay() -> None:
    sizes = "print(*(mapped(size * MB) for size in (1, 5, 9, 30)))"
    assert ask(sizes).stdout.split() == ["False"] * 4, "glibc keeps large blocks by itself no more: is the rule needed?"
    assert ask("assert keep_little_memory();" + sizes).stdout.split() == ["False", "False", "True", "True"]


@pytest.mark.usefixtures("glibc")
def test_the_end_of_a_heap_is_kept_up_to_a_bound() -> None:
    few, many = map(float, ask("keep_little_memory(); print(kept(12), kept(100))").stdout.split())
    bound = RULE[allocator._TRIM] / allocator.MB
    assert 12 <= few <= bound
    assert many <= bound + 1


@pytest.mark.usefixtures("glibc")
def test_threads_share_their_heaps() -> None:
    assert ask("heaps()").stderr.count("Arena ") > 2
    assert ask("keep_little_memory(); heaps()").stderr.count("Arena ") <= 2


@pytest.mark.usefixtures("glibc")
@pytest.mark.parametrize(
    ("environment", "one", "nine"),
    [
        ({"MALLOC_ARENA_MAX": "1"}, "False", "False"),
        ({"MALLOC_MMAP_THRESHOLD_": "100000"}, "True", "True"),
        ({"MALLOC_TRIM_THRESHOLD_": "65536"}, "True", "True"),  # Dask, for what its workers start
        ({"GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}, "False", "False"),
    ],
)
def test_what_somebody_has_set_holds(environment: dict[str, str], one: str, nine: str) -> None:
    told = ask("print(keep_little_memory(), mapped(MB), mapped(9 * MB))", **environment).stdout
    assert told.split() == ["False", one, nine]


@pytest.mark.usefixtures("glibc")
def test_torch_is_asked_for_large_pages_before_it_is_there() -> None:
    say = "keep_little_memory(); import os, sys; print(os.environ['THP_MEM_ALLOC_ENABLE'], 'torch' in sys.modules)"
    assert ask(say).stdout.split() == ["1", "False"]
    assert ask(say, THP_MEM_ALLOC_ENABLE="0").stdout.split() == ["0", "False"]


@pytest.mark.parametrize("other", ["darwin", "win32"])
def test_other_systems_are_left_as_they_are(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LARGE_PAGES, "0")
    monkeypatch.setattr(sys, "platform", other)
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("no C library is to be opened"))
    assert not keep_little_memory()


@pytest.mark.skipif(not hasattr(os, "confstr"), reason="needs a POSIX system")
@pytest.mark.parametrize("answer", [None, "", "musl 1.2", ValueError("unrecognized configuration name")])
def test_other_c_libraries_are_left_as_they_are(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def confstr(name: str) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setenv(LARGE_PAGES, "0")
    monkeypatch.setattr(os, "confstr", confstr)
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("no C library is to be opened"))
    assert not keep_little_memory()


@pytest.mark.usefixtures("glibc")
@pytest.mark.parametrize(("little", "said"), [(True, "True 1"), (False, "False None")])
def test_only_a_task_that_it_suits_is_given_the_rule(little: bool, said: str) -> None:
    say = f"allocator.settle_memory(little={little}); print(mapped(9 * MB), os.environ.get('THP_MEM_ALLOC_ENABLE'))"
    assert ask("import os; from napari_c2lst.common import allocator;" + say).stdout.strip() == said


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize(("set_by_user", "then"), [(None, "1"), ("0", "0")])
def test_large_pages_where_dask_has_memory_given_back(
    little: bool, set_by_user: str | None, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("Dask's choice holds"))
    monkeypatch.setenv(LARGE_PAGES, "")  # so that it is put back
    os.environ.pop(LARGE_PAGES) if set_by_user is None else os.environ.update({LARGE_PAGES: set_by_user})
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    settle_memory(little=little)
    assert os.environ[LARGE_PAGES] == then
