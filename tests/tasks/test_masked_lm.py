"""masked_lm: what is hidden, what is asked, and bases that cannot be asked."""

import json
import shutil

import numpy as np
import pytest
import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.recipe.load import load
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._masking import Masking, renumbered
from burnish.tasks.masked_lm import Blank, Filled, Guess

MASK_ID = 4


def drawn(share=0.15, words=None, n_ids=1000, seed=0):
    words = np.arange(100, dtype=np.int32) if words is None else np.array(words, np.int32)
    ids = np.arange(len(words), dtype=np.int32) + 5
    return ids, Masking(share, MASK_ID, n_ids).draw(ids, words, np.random.default_rng(seed))


@pytest.mark.parametrize(("share", "n"), [(0.15, 15), (0.4, 40), (0.001, 1)])
def test_the_share_of_words_is_hidden_and_at_least_one(share, n):
    assert len(drawn(share)[1]["hidden"]) == n


def test_eighty_of_a_hundred_are_masked_ten_changed_ten_left():
    ids, found = drawn(0.5, words=np.arange(20_000))
    shown, own = found["shown"], ids[found["hidden"]]
    assert (shown == MASK_ID).mean() == pytest.approx(0.8, abs=0.02)
    assert (shown == own).mean() == pytest.approx(0.1, abs=0.02)


def test_a_word_is_hidden_whole_and_special_tokens_never():
    words = [-1, 0, 0, 0, 1, 2, 2, -1]
    for seed in range(20):
        hidden = drawn(0.4, words, seed=seed)[1]["hidden"].tolist()
        assert hidden in ([1, 2, 3], [4], [5, 6])


def test_nothing_is_hidden_where_there_is_no_word():
    assert drawn(0.5, [-1, -1])[1]["hidden"].tolist() == []


def test_words_of_a_block_are_counted_anew_and_may_be_tokens():
    words, special = np.array([7, 7, 9, 9, 12], np.int32), np.array([0, 0, 1, 0, 0], bool)
    assert renumbered(words, special, is_whole=True).tolist() == [0, 0, -1, 1, 2]
    assert renumbered(words, special, is_whole=False).tolist() == [0, 1, -1, 2, 3]


class Set:
    def __init__(self, base, **settings):
        self.task = Shelf("tasks").build({"name": "masked_lm", **settings})
        self.reader = self.task.load_reader(base, None, "")
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = self.task.head_part.attach(base, self.task.head_plan(()))
        self.core = TorchCore(self.network, self.task, self.reader.pad_id, 0)

    def encoded(self, *texts):
        return self.task.encode([self.task.read({"text": text}, False) for text in texts], self.reader, ())

    def answers(self, *texts):
        rows = [
            Answered({"text": text}, one.features, self.core.run(one.features))
            for text, one in zip(texts, self.encoded(*texts), strict=True)
        ]
        return self.task.decode(rows, (), Decision()), self.task.outcome(rows, (), Decision())


@pytest.fixture
def made(tiny_base):
    return Set(tiny_base)


def test_masks_of_judged_text_are_always_the_same_and_those_of_training_never(made):
    one, again = (made.encoded("good day " * 20)[0].features for _ in range(2))
    assert [(a["hidden"].tolist(), a["shown"].tolist()) for a in one] == [
        (b["hidden"].tolist(), b["shown"].tolist()) for b in again
    ]
    varied = [made.task.varied(one, np.random.default_rng(seed))[0]["hidden"].tolist() for seed in range(5)]
    assert len(set(map(tuple, varied))) > 1
    assert made.task.varied(one, np.random.default_rng(1))[0]["input_ids"].tolist() == one[0]["input_ids"].tolist()


def test_pieces_of_a_word_are_hidden_together_unless_tokens_are(tiny_base):
    feature = Set(tiny_base).encoded("zzz yyy 北京")[0].features[0]
    assert feature["words"].tolist() == [-1, 0, 0, 0, 1, 1, 1, 2, 2, -1]
    feature = Set(tiny_base, whole_words=False).encoded("zzz")[0].features[0]
    assert feature["words"].tolist() == [-1, 0, 1, 2, -1]


def test_the_likelihood_is_that_of_the_hidden_tokens_in_their_place(made):
    """Against the network's own logits of all tokens, one block after the other."""
    text = "good day so bad 北京 " * 12
    nll, n = 0.0, 0
    for feature in made.encoded(text)[0].features:
        ids = torch.tensor(feature["input_ids"]).long()
        shown = ids.clone()
        shown[torch.tensor(feature["hidden"]).long()] = torch.tensor(feature["shown"]).long()
        logits = made.network.eval().trunk(input_ids=shown[None]).logits[0].log_softmax(-1)
        for at in feature["hidden"].tolist():
            nll, n = nll - logits[at, ids[at]].item(), n + 1
    (answer,), outcome = made.answers(text)
    assert outcome.n_tokens.tolist() == [n]
    assert outcome.nll.tolist() == pytest.approx([nll], rel=1e-4)
    assert answer.perplexity == pytest.approx(np.exp(nll / n), rel=1e-4)


def test_masks_in_a_text_are_filled_and_told_where_they_stand(made):
    text = "good [MASK], 北[MASK] day " + "so bad " * 40 + "[MASK]"
    (answer,), outcome = made.answers(text)
    assert outcome.n_tokens.tolist() == [0]
    assert answer.perplexity is None
    assert [text[blank.start : blank.end] for blank in answer.blanks] == ["[MASK]"] * 3
    assert [blank.start for blank in answer.blanks] == [5, 14, len(text) - 6]
    for blank in answer.blanks:
        shares = [guess.probability for guess in blank.words]
        assert shares == sorted(shares, reverse=True)
        assert all(guess.word for guess in blank.words)


def test_an_answer_reads_as_lines():
    blank = Blank(start=5, end=11, words=(Guess(word="day", probability=0.5), Guess(word="one", probability=0.25)))
    lines = Filled(blanks=(blank,), perplexity=None).lines()
    assert [(line.answer, line.confidence) for line in lines] == [("day  [5:11]", 0.5), ("one  [5:11]", 0.25)]
    assert Filled(blanks=(), perplexity=12.345).lines()[0].answer == "perplexity 12.35"
    assert Filled(blanks=(), perplexity=None).lines() == []


def test_a_batch_that_hides_nothing_teaches_nothing(made):
    features = made.encoded("[MASK] day")[0].features
    batch = made.task.collate(features, 0, 0).to("cpu")
    loss = made.task.loss(made.network(**batch.inputs), batch, None, 0.0)
    loss.backward()
    assert float(loss.detach()) == 0.0


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(UserError, match=r"share must be (greater|less|more|above|below|at|from)"):
        load({"task": {"name": "masked_lm", "share": share}, "data": {"train": "a.txt"}})


def test_a_causal_base_is_refused(tiny_causal_base):
    with pytest.raises(
        UserError, match=r"^base: .* \(llama\) does not read a text from both sides, so nothing in it can"
    ):
        Shelf("tasks").build("masked_lm").load_reader(tiny_causal_base, None, "")


def test_a_tokenizer_without_a_mask_is_refused(tiny_base, tmp_path):
    folder = shutil.copytree(tiny_base, tmp_path / "maskless")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["[GONE]"] = vocabulary.pop("[MASK]")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(UserError, match=r"^base: the tokenizer of maskless has no token for what is masked \(mask_tok"):
        Shelf("tasks").build("masked_lm").load_reader(folder, None, "")


def test_a_mask_of_another_name_is_found_and_may_be_written_as_usual(tiny_base, tmp_path):
    folder = shutil.copytree(tiny_base, tmp_path / "renamed")
    tokenizer = (folder / "tokenizer.json").read_text().replace("[MASK]", "<|gap|>")
    (folder / "tokenizer.json").write_text(tokenizer)
    (folder / "tokenizer_config.json").write_text(json.dumps({"mask_token": {"content": "<|gap|>"}}))
    backend_made = Set(folder)
    assert backend_made.reader.mark == "<|gap|>"
