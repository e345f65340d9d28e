"""A run with an anchor that was stopped ends, bit for bit, like one that was not: what it holds on to is made anew."""

import os
import signal

import pytest
from tiny_training import TinyBatches, TinyBert, fingerprint, tiny_job

from burnish.core.events import Progress
from burnish.core.files import sha256_of
from burnish.core.shelves import Shelf
from burnish.training.origin import Origin
from burnish.training.run import run
from burnish.training.tensors import weights_of


def train(work, name, **changes):
    """Two epochs of three steps with dropout, a checkpoint after each step; the hash of the last weights."""
    anchor = Shelf("anchors").build({"name": name, "weight": 1.0})
    old = TinyBatches((1,) * 4 if anchor.is_row_by_row else (4, 3)) if anchor.most_rows else None
    network = TinyBert(dropout=0.3)
    settings = {"checkpoint_every_s": 1e-9, "start": "bundle", "anchor": anchor}
    run(tiny_job(work, network=network, settings=settings, origin=Origin("choice", old=old), **changes))
    final = work / "checkpoints" / "step-6"
    return fingerprint(weights_of(network)), [
        sha256_of(final / f"{one}.safetensors") for one in ("weights", "optimizer")
    ]


@pytest.mark.parametrize("name", ["ewc", "l2sp", "replay"])
def test_a_run_that_was_stopped_at_any_step_ends_like_one_that_was_not(tmp_path, name):
    expected = train(tmp_path / "whole", name)
    for last in (1, 3, 5):

        def stop(event, last=last):
            if isinstance(event, Progress) and (event.stage, event.done) == ("train", last):
                os.kill(os.getpid(), signal.SIGINT)

        work = tmp_path / f"torn after {last}"
        with pytest.raises(KeyboardInterrupt):
            train(work, name, listen=stop)
        assert train(work, name, is_resumed=True) == expected


def test_each_anchor_leads_elsewhere(tmp_path):
    assert len({train(tmp_path / name, name)[0] for name in ("ewc", "l2sp", "replay")}) == 3
