"""seq2seq: the loss of the other text, what is cut, and bases that cannot do it."""

import json

import numpy as np
import pytest
import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._writing import told

ROWS = [{"text": "good day", "target": ["all good 北京", "x"]}, {"text": "so bad a day is", "target": "bad"}]


def build(**decoding):
    return Shelf("tasks").build({"name": "seq2seq", "decoding": {"max_new_tokens": 8, **decoding}})


@pytest.fixture(params=["t5", "bart", "marian"])
def stage(request, make_tiny_seq2seq_base):
    base = make_tiny_seq2seq_base(request.param)
    task = build()
    network = task.head_part.attach(base, task.head_plan(())).eval()
    return task, task.load_reader(base, None, "turn: "), network, base


def test_loss_and_likelihood_are_those_of_the_architecture_itself(stage):
    from transformers import AutoModelForSeq2SeqLM

    task, reader, network, base = stage
    encoded = task.encode([task.read(row, True) for row in ROWS], reader, ())
    features = [one.features[0] for one in encoded]
    batch = task.collate(features, reader.pad_id, 0).to("cpu")
    plain = AutoModelForSeq2SeqLM.from_pretrained(base).eval()
    sums, counts = [], []
    for row, output in zip(ROWS, TorchCore(network, task, reader.pad_id, 0).run(features), strict=True):
        gold = row["target"] if isinstance(row["target"], str) else row["target"][0]
        encode = network.vocabulary.encode
        source, target = torch.tensor([encode("turn: " + row["text"]).ids]), torch.tensor([encode(gold).ids])
        with torch.no_grad():
            mean = float(plain(input_ids=source, labels=target).loss)
        sums.append(mean * target.shape[1])
        counts.append(target.shape[1])
        assert told(output).nll == pytest.approx(sums[-1], abs=1e-3)
        assert told(output).n_tokens == counts[-1]
    with torch.no_grad():
        loss = task.loss(network(**batch.inputs), batch, None, 0.0)
    assert float(loss) == pytest.approx(sum(sums) / sum(counts), abs=1e-4)


def test_too_long_a_text_is_cut_at_its_end_and_counted(tiny_seq2seq_base):
    task = build()
    reader = task.load_reader(tiny_seq2seq_base, 12, "")
    example = task.read({"text": "good day " * 30, "target": "bad " * 30}, True)
    (one,) = task.encode([example], reader, ())
    (feature,) = one.features
    assert len(feature["input_ids"]) == len(feature["target_ids"]) == 12
    assert feature["input_ids"][-1] == 1  # the token that ends a text stays
    assert one.n_tokens > 12
    n_target = len(reader.target(example["golds"][0]))
    assert one.n_cut == one.n_tokens - 12 + n_target - 12
    assert one.notes == (f"the target has {n_target} tokens, and none above max_new_tokens (8) is given.",)
    assert feature["decoder_ids"].tolist() == [0, *feature["target_ids"][:-1].tolist()]
    assert feature["n_units"].tolist() == [24]


def test_a_target_ends_with_an_end_also_where_the_tokenizer_puts_none(tiny_seq2seq_base, tmp_path):
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(tiny_seq2seq_base, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**tokenizer, "post_processor": None}))
    assert build().load_reader(folder, None, "").target("good")[-1] == 1


def test_nothing_is_written_while_perplexity_is_watched(stage, monkeypatch):
    task, reader, network, _ = stage
    features = [one.features[0] for one in task.encode([task.read(ROWS[0], True)], reader, ())]
    monkeypatch.setattr("burnish.models.writing.write", lambda *_: [].pop())
    (quiet,) = TorchCore(network, task.watched("perplexity"), reader.pad_id, 0).run(features)
    assert told(quiet).nll > 0
    with pytest.raises(IndexError):
        TorchCore(network, task.watched("bleu"), reader.pad_id, 0).run(features)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"text": "", "target": "a"}, "'text' is empty; give it a text or take the row out"),
        ({"text": "a", "target": " "}, "'target' is empty; give it a text or take the row out"),
        ({"text": "a", "target": {"de": "a"}}, "'target' must be text; got dict."),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(row, sentence):
    with pytest.raises(ValueError, match="^" + sentence):
        build().read(row, is_labelled=True)


def test_bases_without_an_encoder_and_lengths_that_no_decoder_has_are_refused(
    tiny_causal_base, make_tiny_seq2seq_base, tmp_path
):
    with pytest.raises(UserError, match=r"^base: .* \(llama\) is no encoder with a decoder; take a T5, BART or Marian"):
        build().load_reader(tiny_causal_base, None, "")
    with pytest.raises(
        UserError, match=r"^task.decoding.max_new_tokens: this base writes at most 256 tokens; got 300."
    ):
        build(max_new_tokens=300).load_reader(make_tiny_seq2seq_base("bart"), 64, "")


def test_a_base_that_names_no_start_is_refused(tiny_seq2seq_base, tmp_path):
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(tiny_seq2seq_base, folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "decoder_start_token_id"}))
    with pytest.raises(
        UserError, match=r"^base: base names no token that its decoder starts from \(decoder_start_token"
    ):
        build().load_reader(folder, None, "")


def test_features_hold_what_the_decoder_reads_in_32_bits(tiny_seq2seq_base):
    task = build()
    reader = task.load_reader(tiny_seq2seq_base, None, "")
    (one,) = task.encode([task.read(ROWS[0], False)], reader, ())
    assert set(one.features[0]) == {"input_ids", "ends", "n_units"}
    assert all(array.dtype == np.int32 for array in one.features[0].values())
