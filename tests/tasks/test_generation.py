"""generation: rows it reads, what it learns from them, and that packing changes nothing."""

import json
import re

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._writing import told

TURNS = [
    {"role": "user", "content": "good day"},
    {"role": "assistant", "content": "all good"},
    {"role": "user", "content": "so bad"},
    {"role": "assistant", "content": "a day"},
]


def build(**settings):
    return Shelf("tasks").build({"name": "generation", "decoding": {"max_new_tokens": 8}, **settings})


@pytest.fixture(scope="module")
def stage(tiny_causal_base):
    task = build()
    network = task.head_part.attach(tiny_causal_base, task.head_plan(())).eval()
    return task, task.load_reader(tiny_causal_base, None, ""), network


def features(task, reader, rows):
    examples = [task.read(row, is_labelled=True) for row in rows]
    return [feature for one in task.encode(examples, reader, ()) for feature in one.features]


def test_a_prompt_and_its_response_are_a_chat_of_one_turn():
    row = {"prompt": " good day ", "response": [" yes", "no"], "system": "be good", "messages": None}
    assert build().read(row, True) == {
        "text": "good day",
        "messages": '[["system", "be good"], ["user", "good day"]]',
        "golds": ["yes", "no"],
    }


def test_numbers_are_answers_too():
    assert build().read({"prompt": 1, "response": [2, 2.5]}, True)["golds"] == ["2", "2.5"]


@pytest.mark.parametrize("written", [TURNS, json.dumps(TURNS)])
def test_the_last_answer_of_a_chat_is_gold_and_is_written_anew_when_predicting(written):
    found = build().read({"messages": written}, True)
    assert found["golds"] == ["a day"]
    assert found["text"] == "user: good day\nassistant: all good\nuser: so bad"
    asked = build().read({"messages": written}, False)
    assert asked == {**found, "golds": None}


def test_a_response_beside_a_chat_is_its_answer():
    assert build().read({"messages": TURNS[:3], "response": "well"}, True)["golds"] == ["well"]


def test_the_systems_words_are_a_setting_that_a_row_outdoes():
    task = build(system="be good")
    assert '["system", "be good"]' in task.read({"prompt": "a"}, False)["messages"]
    row = {"messages": [{"role": "system", "content": "be bad"}, *TURNS]}
    assert "be good" not in task.read(row, True)["messages"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "the row has neither 'prompt' nor 'messages'; give one of them, or say which column holds it: data.col"),
        ({"prompt": " ", "response": "a"}, "'prompt' is empty; give it a text or take the row out"),
        ({"prompt": "a", "response": ""}, "'response' is empty; give it a text or take the row out"),
        ({"prompt": "a", "response": []}, "'response' is empty; give it a text or take the row out"),
        ({"prompt": "a", "response": ["b", " "]}, "'response' is empty; give it a text or take the row out"),
        ({"prompt": "a"}, "'response' is empty; give it a text or take the row out"),
        ({"prompt": "a", "response": ["b", {}]}, "'response' must be text; got dict."),
        ({"prompt": "a", "messages": TURNS}, "the row has both 'prompt' and 'messages'; keep the one that holds"),
        ({"messages": "{["}, "'messages' is not valid JSON"),
        ({"messages": {}}, "'messages' must be a list of turns, such as"),
        ({"messages": []}, "'messages' must be a list of turns, such as"),
        ({"messages": ["hi"]}, "turn 1 of 'messages' needs a 'role' and a 'content'; got hi."),
        (
            {"messages": [{"role": "usr", "content": "a"}]},
            "turn 1 of 'messages' has the role 'usr'. Did you mean 'user'? Roles are: system, user, assistant.",
        ),
        (
            {"messages": [{"role": "user", "content": ""}]},
            "turn 1 of 'messages' (user) has no text; give it one or take the turn out.",
        ),
        (
            {"messages": [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, *TURNS]},
            "'messages' has 2 system turns; one may stand first.",
        ),
        (
            {"messages": [TURNS[0], {"role": "system", "content": "a"}, *TURNS[1:]]},
            "'messages' has a system turn that is not the first; put it first.",
        ),
        (
            {"messages": TURNS[:1]},
            "'messages' has no turn of the assistant, so there is nothing to learn; add the answer.",
        ),
        (
            {"messages": TURNS[:3]},
            "'messages' ends with a turn that nobody answers; add the answer or take the turn out.",
        ),
        ({"messages": TURNS[1:2]}, "'messages' has no turn of the user before the answer; nothing is asked."),
        (
            {"messages": TURNS, "response": "a"},
            "the row has a 'response', and 'messages' ends with an answer too; keep one of them.",
        ),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(row, sentence):
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        build().read(row, is_labelled=True)


@torch.no_grad()
def test_the_loss_is_the_mean_of_the_answers_tokens_alone(stage):
    task, reader, network = stage
    rows = [{"messages": TURNS}, {"prompt": "a", "response": "good"}]
    found = features(task, reader, rows)
    batch = task.collate(found, reader.pad_id, 0).to("cpu")
    loss = task.loss(network(**batch.inputs), batch, None, 0.0)
    expected = []
    for feature in found:
        ids = torch.tensor(feature["input_ids"].astype(np.int64))
        each = cross_entropy(network(input_ids=ids[None])[0, :-1], ids[1:], reduction="none")
        expected.append(each[torch.tensor(feature["is_learned"][1:]) == 1])
    assert float(loss) == pytest.approx(float(torch.cat(expected).mean()), abs=1e-5)
    assert len(batch.targets["wanted"]) == sum(int(feature["is_learned"].sum()) for feature in found)


@torch.no_grad()
def test_the_likelihood_of_the_last_answer_is_exact_however_few_logits_are_held(stage, monkeypatch):
    task, reader, network = stage
    (feature,) = features(task, reader, [{"messages": TURNS}])
    ids, n = torch.tensor(feature["input_ids"].astype(np.int64)), int(feature["n_prompt"][0])
    expected = cross_entropy(network(input_ids=ids[None])[0, n - 1 : -1], ids[n:], reduction="sum")
    for most in (1 << 26, 300):
        monkeypatch.setattr("burnish.tasks._writing.MOST_LOGITS", most)
        (output,) = TorchCore(network, task, reader.pad_id, 0).run([feature])
        assert told(output).nll == pytest.approx(float(expected), abs=1e-4)
        assert told(output).n_tokens == len(ids) - n


def test_nothing_is_written_while_perplexity_is_watched(stage, monkeypatch):
    task, reader, network = stage
    found = features(task, reader, [{"prompt": "a", "response": "good"}])
    (whole,) = TorchCore(network, task, reader.pad_id, 0).run(found)
    monkeypatch.setattr("burnish.models.writing.write", lambda *_: [].pop())
    (quiet,) = TorchCore(network, task.watched("perplexity"), reader.pad_id, 0).run(found)
    assert told(quiet).nll == pytest.approx(told(whole).nll)
    with pytest.raises(IndexError):
        TorchCore(network, task.watched("rouge_l"), reader.pad_id, 0).run(found)


@torch.no_grad()
def test_packed_examples_neither_see_nor_change_each_other(stage):
    task, reader, network = stage
    rows = [{"messages": TURNS}, *({"prompt": "good " * n, "response": "bad " * n} for n in (1, 2, 3, 5))]
    found = features(task, reader, rows)
    rows_of_network = build(packing=True).varied(found, np.random.default_rng(0))
    assert len(rows_of_network) < len(found)
    assert sorted(n for row in rows_of_network for n in row["n_each"]) == sorted(len(f["input_ids"]) for f in found)
    packed, plain = (task.collate(one, reader.pad_id, 0).to("cpu") for one in (rows_of_network, found))
    assert packed.n_rows == plain.n_rows == len(found)
    assert packed.n_tokens == plain.n_tokens
    assert task.varied(found, np.random.default_rng(0)) is found

    def by_token(batch):
        logits = network(**batch.inputs)[0]
        each = [(int(wanted), *row.tolist()) for wanted, row in zip(batch.targets["wanted"], logits, strict=True)]
        return np.array(sorted(each)), task.loss(logits[None], batch, None, 0.0)

    (packed_logits, packed_loss), (plain_logits, plain_loss) = by_token(packed), by_token(plain)
    np.testing.assert_allclose(packed_logits, plain_logits, atol=1e-5)
    assert float(packed_loss) == pytest.approx(float(plain_loss), abs=1e-5)


def test_a_template_is_plain_or_jinja():
    assert build(template="{{ messages }}").template == "{{ messages }}"
    with pytest.raises(ValueError, match="must be plain, or a Jinja template; got 'chatml'"):
        build(template="chatml")


def test_bases_that_do_not_go_on_with_a_text_are_refused(tiny_base, tiny_seq2seq_base):
    with pytest.raises(
        UserError, match=r"^base: .* \(bert\) reads a text from both sides and cannot go on with it; tak"
    ):
        build().load_reader(tiny_base, None, "")
    with pytest.raises(
        UserError, match=r"^base: .* \(t5\) turns one text into another .*; the task 'seq2seq' takes it"
    ):
        build().load_reader(tiny_seq2seq_base, None, "")


def test_packing_needs_a_base_that_takes_positions(tiny_causal_base, tmp_path):
    build(packing=True).load_reader(tiny_causal_base, None, "")
    (tmp_path / "config.json").write_text('{"model_type": "bloom"}')
    with pytest.raises(
        UserError, match=r"^task.packing: a bloom takes no positions, so packed examples cannot be kept ap"
    ):
        build(packing=True).load_reader(tmp_path, None, "")


def test_text_in_any_script_survives_the_way_through_numbers(stage):
    from burnish.models.writing import Draft
    from burnish.tasks._writing import packed

    texts = ["", "a\n b", "北京 🎉 é\u0301", "\U0010ffff"]
    rows = packed(torch.zeros(4), torch.zeros(4), [Draft(text, bool(text)) for text in texts]).numpy()
    assert [told(row).text for row in rows] == texts
    assert [told(row).is_finished for row in rows] == [False, True, True, True]
