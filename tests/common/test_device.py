import pytest
import torch

from napari_c2lst.common.device import (
    autocast,
    autocast_dtype,
    describe_device,
    free_memory,
    halve_on_out_of_memory,
    is_out_of_memory,
    resolve_device,
)
from napari_c2lst.common.errors import DeviceMemoryError, InputError
from napari_c2lst.common.reporter import RecordingReporter

CPU = torch.device("cpu")


def test_auto_finds_a_device_and_cpu_is_cpu():
    assert resolve_device("cpu") == CPU
    assert resolve_device("auto").type in {"cpu", "cuda", "mps"}


@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(InputError, match=name):
        resolve_device(name)


def test_precision_is_what_was_asked_for():
    assert autocast_dtype(CPU, "fp32") is None
    assert autocast_dtype(CPU, "bf16") == torch.bfloat16
    assert autocast_dtype(CPU, "auto") in {None, torch.bfloat16}


def test_autocast_runs_in_the_wanted_format():
    x = torch.ones(4, 4)
    with autocast(CPU, torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
    with autocast(CPU, None):
        assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize(("threads", "said"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
def test_the_cpu_is_described_with_its_threads(monkeypatch, threads, said):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert describe_device(CPU) == said


def test_out_of_memory_is_recognised():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_batch_is_halved_until_it_fits_and_it_is_said():
    reporter = RecordingReporter()

    def work(batch):
        if batch > 2:
            raise torch.OutOfMemoryError("out of memory")
        return batch

    assert halve_on_out_of_memory(work, 8, reporter) == 2
    assert reporter.messages == [
        "out of memory with a batch of 8: going on with 4",
        "out of memory with a batch of 4: going on with 2",
    ]


def test_a_batch_of_one_that_does_not_fit_is_an_error():
    def work(batch):
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(DeviceMemoryError, match="batch of 1"):
        halve_on_out_of_memory(work, 2, RecordingReporter())


def test_other_errors_pass_through():
    def work(batch):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        halve_on_out_of_memory(work, 2, RecordingReporter())


@pytest.mark.parametrize("name", ["", "cpu:1", "cuda:-1", "CPU", "meta", "cpu cuda"])
def test_names_that_are_no_device_here_are_one_sentence(name):
    with pytest.raises(InputError, match="device") as caught:
        resolve_device(name)
    assert "cpu" in caught.value.hint


def test_memory_that_runs_out_again_and_again_ends_with_what_to_do():
    reporter, tried = RecordingReporter(), []

    def work(batch):
        tried.append(batch)
        raise MemoryError

    with pytest.raises(DeviceMemoryError) as caught:
        halve_on_out_of_memory(work, 5, reporter)
    assert tried == [5, 2, 1]
    assert "--device cpu" in caught.value.hint
    assert [event["level"] for event in reporter.of_kind("message")] == ["warning"] * 2


def test_what_fits_is_done_once_and_nothing_is_said():
    reporter, tried = RecordingReporter(), []
    assert halve_on_out_of_memory(lambda batch: tried.append(batch) or "done", 4, reporter) == "done"
    assert (tried, reporter.events) == ([4], [])


def test_the_memory_of_the_computer_is_not_a_devices():
    assert free_memory(CPU) is None
