"""The runtime that computes with torch."""

import numpy as np
import pytest
import torch

from burnish.bundle.core import TOKENS_PER_BATCH, TOKENS_PER_GPU_BATCH
from burnish.bundle.predictor import load_predictor
from burnish.bundle.torch_core import tokens_at_once
from burnish.core.settings import settings


def test_a_network_is_put_where_this_process_computes(bundle, monkeypatch):
    monkeypatch.setattr("burnish.models.device.best_device", lambda: torch.device("meta"))
    assert next(load_predictor(bundle).core.network.parameters()).device == torch.device("meta")


@pytest.fixture
def threads():
    """As many as torch had, put back."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)
    settings.cache_clear()


@pytest.mark.parametrize("asked", [1, 3])
def test_it_computes_with_as_many_threads_as_the_setting_says(bundle, threads, monkeypatch, asked):
    monkeypatch.setenv("BURNISH_THREADS", str(asked))
    settings.cache_clear()
    load_predictor(bundle)
    assert torch.get_num_threads() == asked


def test_without_the_setting_the_threads_stay_those_of_the_program_that_loads(bundle, threads, monkeypatch):
    monkeypatch.delenv("BURNISH_THREADS", raising=False)
    settings.cache_clear()
    torch.set_num_threads(5)
    load_predictor(bundle)
    assert torch.get_num_threads() == 5


def test_a_gpu_gets_larger_batches():
    assert tokens_at_once(torch.device("cpu")) == TOKENS_PER_BATCH < TOKENS_PER_GPU_BATCH
    assert tokens_at_once(torch.device("cuda", 0)) == TOKENS_PER_GPU_BATCH


@pytest.mark.gpu
def test_a_gpu_answers_as_the_cpu_does(bundle, monkeypatch):
    outputs = []
    for is_cpu_asked in ("true", "false"):
        monkeypatch.setenv("ACCELERATE_USE_CPU", is_cpu_asked)
        predictor = load_predictor(bundle)
        answered = predictor.answer([predictor.task.read({"text": text}, False) for text in ("good day", "so bad all")])
        outputs.append(np.stack([one.outputs[0] for one in answered]))
    np.testing.assert_allclose(*outputs, atol=1e-4)
