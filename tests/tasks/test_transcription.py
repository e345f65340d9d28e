"""Speech to text: what the decoder is shown and learns, what is written, and what a base must be."""

import json
import shutil

import numpy as np
import pytest
import torch
from tests.conftest import SPOKEN_WORDS, tone

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Decision, Evidence
from burnish.tasks._writing import loss_of_answers

RATE = 16_000
END, START, NO_TIMES = range(3)


def build(**settings):
    return Shelf("tasks").build({"name": "transcription", "max_seconds": 1, **settings})


def row(text="ab", hertz=300, seconds=0.4):
    return {"audio": (tone(hertz, seconds), RATE), "text": text}


@pytest.fixture
def network(tiny_listener):
    return build().head_part.attach(tiny_listener, build().head_plan(()))


def encoded(task, folder, rows, is_labelled=True):
    reader = task.load_reader(folder, None, "")
    return task.encode([task.read(one, is_labelled) for one in rows], reader, ()), reader


def test_the_decoder_is_shown_the_start_and_learns_every_token_and_the_end(tiny_listener):
    both, _ = encoded(build(), tiny_listener, [row("ab"), row("c")])
    one, other = (each.features[0] for each in both)
    a, b, c, space = (SPOKEN_WORDS.index(letter) for letter in "abc ")
    assert one["start"].tolist() == [START, NO_TIMES]
    assert one["target_ids"].tolist() == [space, a, b, END]
    batch = build().collate([one, other], END, 0).to("cpu")
    assert batch.inputs["decoder_input_ids"].tolist() == [
        [START, NO_TIMES, space, a, b],
        [START, NO_TIMES, space, c, END],
    ]
    assert batch.inputs["places"].tolist() == [1, 2, 3, 4, 6, 7, 8]
    assert batch.targets["wanted"].tolist() == [space, a, b, END, space, c, END]


def test_the_loss_is_that_of_plain_transformers(tiny_listener, network):
    (one,), _ = encoded(build(), tiny_listener, [row("some words")])
    batch = build().collate(one.features, END, 0).to("cpu")
    wanted = batch.targets["wanted"]
    labels = torch.cat([torch.tensor([NO_TIMES]), wanted])[None]  # its labels start behind the first token
    plain = network.trunk.eval()(input_features=batch.inputs["input_features"], labels=labels)
    ours = loss_of_answers(network(**batch.inputs), batch, 0.0) * len(wanted)
    first = torch.nn.functional.cross_entropy(plain.logits[0, :1], labels[0, :1])
    torch.testing.assert_close(ours, plain.loss * len(labels[0]) - first, rtol=1e-4, atol=1e-4)


def test_what_is_written_is_what_plain_greedy_decoding_gives(tiny_listener, network):
    task = build(decoding={"max_new_tokens": 5})
    (one,), reader = encoded(task, tiny_listener, [row()], is_labelled=False)
    (output,) = TorchCore(network, task, reader.pad_id, 0).run(one.features)
    (written,) = task.decode([Answered({}, one.features, [output])], (), Decision())
    bands = task.collate(one.features, END, 0).to("cpu").inputs["input_features"]
    ids = torch.tensor([[START, NO_TIMES]])
    with torch.inference_mode():
        for _ in range(5):
            logits = network.trunk(input_features=bands, decoder_input_ids=ids).logits[:, -1]
            ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], 1)
    expected = "".join(SPOKEN_WORDS[token] for token in ids[0, 2:].tolist()).split("<|endoftext|>")[0]
    assert written.text == expected.replace("<|startoftranscript|>", "").replace("<|notimestamps|>", "").strip()


def test_gold_and_written_stand_side_by_side_and_carry_no_confidence(tiny_listener, network):
    task = build(decoding={"max_new_tokens": 3})
    (one,), reader = encoded(task, tiny_listener, [row("a b")])
    outputs = TorchCore(network, task, reader.pad_id, 0).run(one.features)
    answered = [Answered({"said": "a b"}, one.features, outputs)]
    outcome = task.outcome(answered, (), Decision())
    assert (list(outcome.gold), len(outcome.written)) == (["a b"], 1)
    evidence: Evidence | None = task.evidence(answered, ())
    assert evidence is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "'text' is empty; give it a text"), (None, "'text' is empty"), (["a"], "'text' must be text; got list")],
)
def test_a_recording_without_words_is_told(text, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        build().read(row(text), is_labelled=True)


def test_a_recording_cut_while_its_text_is_whole_gets_a_note(tiny_listener):
    (one, other), _ = encoded(build(), tiny_listener, [row(seconds=1.5), row()])
    assert one.notes == ("the recording is longer than what is read of it, but its text is whole; cut both.",)
    assert other.notes == ()


def test_a_text_longer_than_what_is_written_gets_a_note(tiny_listener):
    (one,), _ = encoded(build(decoding={"max_new_tokens": 4}), tiny_listener, [row("abcdef")])
    assert one.notes == ("the text has 7 tokens, and none above 4 is written.",)


def test_a_text_longer_than_what_is_learned_is_cut_and_counted(tiny_listener):
    task = build(decoding={"max_new_tokens": 4})
    reader = task.load_reader(tiny_listener, 8, "")
    (one,) = task.encode([task.read(row("abcdefghij"), True)], reader, ())
    assert (len(one.features[0]["target_ids"]), one.n_cut) == (8, 4)


def multilingual(folder, to):
    """The tiny base as one of many languages says that it is."""
    copied = shutil.copytree(folder, to)
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "vocab_size": 51_865}))
    tokens = json.loads((copied / "tokenizer.json").read_text())
    for word in ("<|zh|>", "<|transcribe|>"):
        tokens["model"]["vocab"][word] = len(tokens["model"]["vocab"])
    (copied / "tokenizer.json").write_text(json.dumps(tokens))
    return copied


def test_the_language_stands_before_the_text_of_a_base_that_writes_many(tiny_listener, tmp_path):
    folder = multilingual(tiny_listener, tmp_path / "base")
    n = len(SPOKEN_WORDS)
    assert build(language="zh").load_reader(folder, None, "").start == (START, n, n + 1, NO_TIMES)
    with pytest.raises(
        UserError, match=r"^task\.language: the base base writes many languages; say which, e\.g\. en or"
    ):
        build().load_reader(folder, None, "")
    with pytest.raises(
        UserError, match=r"^task\.language: the base base knows no language 'xx'; a base for one language"
    ):
        build(language="xx").load_reader(folder, None, "")


def test_a_language_is_refused_where_the_base_writes_one(tiny_listener):
    with pytest.raises(UserError, match=r"knows no language 'en'; a base for one language alone needs none"):
        build(language="en").load_reader(tiny_listener, None, "")


@pytest.mark.parametrize("base", ["tiny_hubert", "tiny_base"])
def test_a_base_without_a_decoder_is_refused(base, request):
    with pytest.raises(
        UserError, match=r"has no decoder that writes down what it hears; take a Whisper, e\.g\. hub:openai"
    ):
        build().load_reader(request.getfixturevalue(base), None, "")


def test_lengths_above_what_the_base_writes_are_refused(tiny_listener):
    with pytest.raises(UserError, match=r"^data\.max_length: this base writes at most 254 tokens; got 300\.$"):
        build().load_reader(tiny_listener, 300, "")
    with pytest.raises(
        UserError, match=r"^task\.decoding\.max_new_tokens: this base writes at most 254 tokens; got 300\.$"
    ):
        build(decoding={"max_new_tokens": 300}).load_reader(tiny_listener, None, "")
    with pytest.raises(UserError, match=r"^data\.prompt: this task reads no text, so there is none to put it before;"):
        build().load_reader(tiny_listener, None, "a")


def test_the_bundles_model_loads_in_plain_transformers(tiny_listener, network, tmp_path):
    from transformers import AutoModelForSpeechSeq2Seq, AutoTokenizer

    network.save(tmp_path)
    build().load_reader(tiny_listener, None, "").save(tmp_path, tiny_listener)
    plain = AutoModelForSpeechSeq2Seq.from_pretrained(tmp_path)
    assert plain.config.max_source_positions == 50
    a, b = (SPOKEN_WORDS.index(letter) for letter in "ab")
    assert AutoTokenizer.from_pretrained(tmp_path)("ab").input_ids == [START, NO_TIMES, a, b, END]  # as training had it
    for name, weights in network.trunk.state_dict().items():
        np.testing.assert_array_equal(plain.state_dict()[name].numpy(), weights.numpy(), err_msg=name)
