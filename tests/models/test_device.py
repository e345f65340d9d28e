"""Where networks compute."""

import pytest
import torch

from burnish.models import device
from burnish.models.device import best_device, is_cpu_asked


@pytest.mark.parametrize(("said", "expected"), [("true", True), ("1", True), ("Yes", True), ("0", False), ("", False)])
def test_the_cpu_can_be_asked_for(monkeypatch, said, expected):
    monkeypatch.setenv("ACCELERATE_USE_CPU", said)
    assert is_cpu_asked() is expected


@pytest.fixture
def _with_a_gpu(monkeypatch):
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(device.torch.accelerator, "current_accelerator", lambda check_available: torch.device("cuda"))


@pytest.mark.usefixtures("_with_a_gpu")
def test_an_accelerator_is_taken_where_there_is_one():
    assert best_device() == torch.device("cuda")


@pytest.mark.usefixtures("_with_a_gpu")
def test_no_accelerator_is_taken_where_the_cpu_is_asked_for(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert best_device() == torch.device("cpu")


@pytest.mark.usefixtures("_with_a_gpu")
def test_each_process_of_several_has_an_accelerator_of_its_own(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert best_device() == torch.device("cuda", 3)


def test_without_an_accelerator_the_cpu_computes(monkeypatch):
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    monkeypatch.setattr(device.torch.accelerator, "current_accelerator", lambda check_available: None)
    assert best_device() == torch.device("cpu")
