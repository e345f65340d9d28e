import shutil

import pytest
import torch

from burnish.bundle.bundle import MODEL, Knowledge
from burnish.core.manifest import write_manifest
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Decision


def write_bundle(folder, base, task="classification", labels=("bad", "good"), decision=None):
    """A bundle that was never trained: as good as a trained one wherever its answers need not be right."""
    task = Shelf("tasks").build(task)
    tokenizer = load_tokenizer(base, is_cjk_split=task.is_cjk_split)
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        network = task.head_part.attach(base, task.head_plan(labels))
    for parameter in network.parameters():
        parameter.data *= 8 if parameter.ndim == 2 else 1  # else every text would get nearly the same logits
    network.save(folder / MODEL)
    tokenizer.save(folder / MODEL, base)
    Knowledge(task, labels, decision or Decision(), tokenizer.max_length, "tiny").save(folder)
    (folder / "recipe.yaml").write_text("task: classification\n")
    write_manifest(folder)
    return folder


@pytest.fixture(scope="session")
def _untrained(tmp_path_factory, tiny_base):
    return write_bundle(tmp_path_factory.mktemp("bundles") / "untrained", tiny_base)


@pytest.fixture
def bundle(_untrained, tmp_path):
    """A bundle of its own for each test, which may damage it."""
    return shutil.copytree(_untrained, tmp_path / "bundle")
