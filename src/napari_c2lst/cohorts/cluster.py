"""Dask workers: some processes on this machine, or a cluster that is there already."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from napari_c2lst.common.errors import InputError

LOCAL = "local"
_CONNECT_SECONDS = 20


@contextmanager
def connected(scheduler: str, workers: int, retries: int) -> Iterator[Any]:
    """A `distributed.Client`; a local cluster ends with it, one that was there goes on.

    Raises
    ------
    InputError
        If there is no scheduler at that address.
    """
    import dask

    distributed: Any = import_module("distributed")  # it has no types

    # a slide is tried again on another worker so often after its worker died; our own errors never kill a worker
    dask.config.set({"distributed.scheduler.allowed-failures": retries, "distributed.admin.log-length": 100})
    if scheduler == LOCAL:
        with (
            distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=0,  # the work is done in children, whose memory Dask does not see
                silence_logs=50,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"no Dask scheduler answers at '{scheduler}'", "give 'local', or an address such as tcp://host:8786"
        ) from error
    with client:
        yield client
