"""OpenVINO for models that write: with float32 weights the text is that of transformers, however it is chosen."""

import sys

import openvino
import pytest
import torch
from tests.compression.methods.test_weights import features_of, subject_of

from burnish.bundle import stateful_trunk
from burnish.bundle.runtimes.openvino_causal import OpenvinoCausal
from burnish.bundle.torch_core import TorchCore
from burnish.compression.stateful import to_stateful
from burnish.core.errors import UserError
from burnish.tasks._writing import told


@pytest.fixture(scope="module")
def subject(tiny_causal_base):
    return subject_of(tiny_causal_base)


@pytest.fixture(scope="module")
def folder(subject, tmp_path_factory):
    """The artefact of the methods but for the rounding."""
    folder = tmp_path_factory.mktemp("stateful")
    openvino.save_model(to_stateful(subject.network), folder / "model.xml", compress_to_fp16=False)
    subject.network.trunk.config.save_pretrained(folder)
    subject.reader.save(folder, subject.folder)
    return folder


@pytest.fixture
def unrounded(subject, folder):
    """Both cores for a way of decoding: OpenVINO's, and that of torch."""

    def cores(**decoding):
        how = subject.task.decoding.model_copy(update=decoding)
        task = subject.task.model_copy(update={"decoding": how})
        theirs = OpenvinoCausal(activation_group=0).load(folder, task, subject.reader, ())
        return theirs, TorchCore(subject.network, task, subject.reader.pad_id, 0)

    return cores


WAYS = {
    "greedy": {},
    "drawn": {"temperature": 0.8, "top_p": 0.9},
    "beams": {"num_beams": 3},
    "penalties": {"repetition_penalty": 1.5, "no_repeat_ngram": 2},
    "stop": {"stop": ("a",)},
    "one token": {"max_new_tokens": 1},
}


@pytest.mark.parametrize("way", WAYS)
def test_float32_weights_write_what_transformers_writes(way, unrounded, subject):
    """Rows of unlike lengths, alone and in company: the mask, the positions and what is kept of each row are right."""
    theirs, ours = unrounded(**WAYS[way])
    features = features_of(subject)
    for some in (features, features[1:2]):
        for a, b in zip(theirs.run(some), ours.run(some), strict=True):
            assert told(a)[1:] == told(b)[1:]
            assert told(a).nll == pytest.approx(told(b).nll, abs=1e-3)


def test_a_stream_gives_the_text_and_two_of_them_do_not_meet(unrounded, subject):
    theirs, ours = unrounded()
    first, second = features_of(subject)[:2]
    wanted = ["".join(ours.stream(one)) for one in (first, second)]
    one, other = theirs.stream(first), theirs.stream(second)
    pieces = [[], []]
    for piece in one:
        pieces[0].append(piece)
        pieces[1] += [next(other, "")]
    pieces[1] += list(other)
    assert ["".join(found) for found in pieces] == wanted


def test_logits_of_every_token_are_those_of_the_network(unrounded, subject):
    theirs, ours = unrounded()
    ids = torch.tensor([[1, 5, 9, 3], [7, 2, 2, 8]])
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        found, wanted = (core.network(input_ids=ids, attention_mask=mask) for core in (theirs, ours))
    assert found.shape == wanted.shape == (2, 4, subject.network.trunk.config.vocab_size)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_what_is_missing_or_no_model_is_told(subject, tmp_path):
    with pytest.raises(
        UserError, match=r"model\.xml: OpenVINO cannot load it \(it is missing, or no model in OpenVINO"
    ):
        OpenvinoCausal().load(tmp_path, subject.task, subject.reader, ())
    (tmp_path / "model.xml").write_text("<?xml version='1.0'?><net/>")
    with pytest.raises(UserError, match=r"model\.xml: OpenVINO cannot load it \(.+\)\.$"):
        OpenvinoCausal().load(tmp_path, subject.task, subject.reader, ())


def test_torch_must_be_there_too(subject, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"this needs the library 'torch': pip install 'burnish\[train\]'\."):
        OpenvinoCausal().load(folder, subject.task, subject.reader, ())


def test_prompts_of_many_lengths_are_read_in_a_few(unrounded, subject, monkeypatch):
    theirs, ours = unrounded()
    seen = set()
    real = stateful_trunk.Held.infer

    def spy(held, input_ids, attention_mask, places):
        if held.n_tokens == 0:
            seen.add(input_ids.shape[1] + held.n_filled)
        return real(held, input_ids, attention_mask, places)

    monkeypatch.setattr(stateful_trunk.Held, "infer", spy)
    features = features_of(subject, ["a" * n for n in range(1, 12)])
    lengths = {int(one["n_prompt"][0]) for one in features}
    assert len(lengths) == 11
    assert [told(a).text for a in theirs.run(features)] == [told(b).text for b in ours.run(features)]
    for one in features:
        assert "".join(theirs.stream(one)) == told(ours.run([one])[0]).text
    assert all(n % 8 == 0 for n in seen)
    assert len(seen) <= 5
