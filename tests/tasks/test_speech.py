"""One label for a recording, or for a recording and a text: settings, rows, and that each of the two counts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import tone

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf

RATE = 16_000


def build(**settings):
    return Shelf("tasks").build({"name": "speech", "max_seconds": 1, **settings})


def row(hertz=300, **more):
    return {"audio": (tone(hertz, 0.4), RATE), "label": "a", **more}


@pytest.fixture
def fused(tiny_base):
    task = build(text_base=str(tiny_base))
    return task.opened(lambda name: getattr(task, name), lambda folder: None)


def logits(task, folder, rows):
    reader = task.load_reader(folder, None, "")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = task.head_part.attach(folder, task.head_plan(("a", "b")))
    encoded = task.encode([task.read(one, is_labelled=True) for one in rows], reader, ("a", "b"))
    core = TorchCore(network, task, reader.pad_id, 2)
    return encoded, core.run([one.features[0] for one in encoded])


def test_the_head_follows_from_whether_a_text_is_read(fused):
    assert build().head_part.part_name == "recording"
    assert fused.head_part.part_name == "fusion"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"head": "fusion"}, r"the head 'fusion' needs a text_base, or leave the head out"),
        ({"head": "recording", "text_base": "minilm"}, r"the head 'recording' reads no text; take text_base out, or"),
        ({"head": "cls"}, r"the head 'cls' does not fit this task; it takes: "),
        ({"max_seconds": 0}, r"greater than or equal to 1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**settings)


def test_a_recording_and_its_text_both_decide(fused, tiny_listener):
    _, (one, other_text, other_sound) = logits(
        fused, tiny_listener, [row(text="good day"), row(text="so bad"), row(900, text="good day")]
    )
    assert not np.allclose(one, other_text, atol=1e-4)
    assert not np.allclose(one, other_sound, atol=1e-6)


def test_a_recording_with_a_text_costs_its_frames_and_its_tokens(fused, tiny_listener):
    encoded, _ = logits(fused, tiny_listener, [row(text="good day")])
    n_tokens = len(encoded[0].features[0]["input_ids"])
    assert encoded[0].features[0]["n_units"].tolist() == [50 + n_tokens]


def test_readers_are_shown_the_recordings_name_and_copies_are_told_by_sound_and_text(fused):
    plain, said, other = build().read(row(), True), fused.read(row(text="a"), True), fused.read(row(text="b"), True)
    assert (plain["text"], plain["text_pair"]) == ("a recording of 0.40 s", None)
    assert (said["text"], said["text_pair"]) == ("a", "a recording of 0.40 s")
    assert said["content"].startswith(plain["content"])
    assert said["content"] != other["content"]


@pytest.mark.parametrize(
    ("values", "is_labelled", "sentence"),
    [
        (
            {"audio": "", "text": "a", "label": "a"},
            True,
            r"^'audio' is empty; name a sound file or take the row out\.$",
        ),
        (row(label=" "), True, r"^'label' is empty; give it a label"),
        (row(text=" "), True, r"^'text' is empty; give it a text"),
        (
            row(),
            False,
            r"^'text' is missing: this task reads a text with each recording \(--pair on the command line\)\.$",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(values, is_labelled, sentence, fused):
    with pytest.raises(ValueError, match=sentence):
        fused.read(values, is_labelled)


@pytest.mark.parametrize(("max_length", "prompt", "name"), [(64, "", "max_length"), (None, "query: ", "prompt")])
def test_settings_for_texts_are_refused_where_none_is_read(max_length, prompt, name, tiny_listener):
    sentence = rf"^data\.{name}: this task reads no text without task\.text_base; take it out\. How much of a recording"
    with pytest.raises(UserError, match=sentence):
        build().load_reader(tiny_listener, max_length, prompt)


def test_settings_for_texts_reach_the_text(fused, tiny_listener):
    reader = fused.load_reader(tiny_listener, 16, "so ")
    assert (reader.max_length, reader.prompt, reader.pad_id) == (16, "so ", 0)


def test_a_text_base_that_hears_is_refused(tiny_hubert):
    task = build(text_base=str(tiny_hubert))
    with pytest.raises(UserError, match=r"^task\.text_base: .* reads recordings \(hubert\), not texts"):
        task.opened(lambda name: Path(task.text_base), lambda folder: None)


def test_the_window_is_a_setting(tiny_listener):
    encoded, _ = logits(build(max_seconds=2), tiny_listener, [row()])
    assert encoded[0].features[0]["n_units"].tolist() == [100]
    encoded, _ = logits(build(max_seconds=None), tiny_listener, [row()])
    assert encoded[0].features[0]["n_units"].tolist() == [200]
