import multiprocessing

import pytest
import torch

from burnish.core.settings import settings


@pytest.fixture(scope="session")
def processes():
    """Processes that are forked from one which has imported everything and computed nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "transformers.models.bert.modeling_bert", "burnish.training.run"])
    return context


@pytest.fixture(autouse=True)
def _one_thread_of_a_cpu(monkeypatch):
    """Two threads on matrices of 32 × 32 mostly wait for each other."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("BURNISH_THREADS", "1")
    settings.cache_clear()
    yield
    torch.set_num_threads(before)
    settings.cache_clear()
