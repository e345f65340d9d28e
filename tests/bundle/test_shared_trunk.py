"""Models whose trunks are equal: one copy in memory, one pass for all that ask, and the answers of each alone."""

import gc
import math
import weakref

import numpy as np
import pytest
import torch
from tests.bundle.conftest import write_bundle

from burnish.bundle.predictor import features_of, load_predictor
from burnish.bundle.shared_trunk import share
from burnish.bundle.torch_core import TorchCore, tokens_at_once
from burnish.bundle.trunks import Trunks, run_together
from burnish.core.shelves import Shelf
from burnish.models.borrowing import Borrowed

TEXTS = ["good", "so bad a day", "all good", "北京好的", "good", "so so so so so so so so so so so so bad"]
TASKS = {
    "cls": {"name": "classification", "head": "cls"},
    "mean": {"name": "classification", "head": "mean"},
    "cosine": {"name": "classification", "head": "cosine"},
    "tokens": {"name": "tokens", "head": "token"},
}
LABELS = {"cls": ("bad", "good"), "mean": ("a", "b", "c"), "cosine": ("x", "y"), "tokens": ("O", "B-X", "I-X")}


@pytest.fixture(scope="session")
def bundles(tmp_path_factory, tiny_base):
    """Bundles of one trunk, and heads of their own."""
    folder = tmp_path_factory.mktemp("shared")
    return {name: write_bundle(folder / name, tiny_base, task, LABELS[name]) for name, task in TASKS.items()}


def examples_of(predictor, texts=TEXTS):
    return [predictor.task.read({"text": text}, is_labelled=False) for text in texts]


def features(predictor, texts=TEXTS):
    return features_of(predictor.encode(examples_of(predictor, texts)))


def sharing(bundles, *names):
    trunks = Trunks()
    return [load_predictor(bundles[name]).sharing(trunks) for name in names]


def together(predictors, texts=TEXTS):
    return run_together([(one.core, features(one, texts)) for one in predictors])


def close(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=0)


class Watched:
    """The shapes that a body reads."""

    def __init__(self, core):
        self.shapes = []
        core.trunk.body.register_forward_pre_hook(self._see, with_kwargs=True)

    def _see(self, module, args, kwargs):
        self.shapes.append(tuple(kwargs["input_ids"].shape))

    def without_the_trial(self):
        """What it read beside three ids by which it tells, once, what no token types are to it."""
        return [shape for shape in self.shapes if shape != (1, 3)]


@pytest.mark.parametrize(
    "names", [("cls", "mean"), ("mean", "cls"), ("cls", "tokens"), ("tokens", "cls"), ("mean", "cosine", "tokens")]
)
def test_each_answers_as_it_does_alone(bundles, names):
    predictors = sharing(bundles, *names)
    for name, predictor, found in zip(names, predictors, together(predictors), strict=True):
        alone = load_predictor(bundles[name])
        close(found, alone.core.run(features(alone)))
        said = [[line.answer for line in one.lines()] for one in predictor.predict(TEXTS)]
        assert said == [[line.answer for line in one.lines()] for one in alone.predict(TEXTS)]


PAIRS = {
    "answers": "answers",
    "matching": {"name": "matching", "head": "vector"},
    "relations": "relations",
    "contrastive": "contrastive",
    "multilabel": "multilabel",
    "tokens": "tokens",
}
ROWS = {
    "answers": [{"question": "so bad", "context": f"all {word} day " * 9} for word in ("good", "a", "北京")],
    "matching": [{"text": "good day", "text_pair": "so bad"}, {"text": "all", "text_pair": "good good"}],
    "relations": [{"text": "<e1>good</e1> day <e2>bad</e2>"}, {"text": "<e2>a</e2> so <e1>b</e1>"}],
}


@pytest.mark.parametrize("kind", PAIRS)
def test_other_heads_that_read_the_last_states_share_too(bundles, tiny_base, tmp_path, kind):
    folder = write_bundle(tmp_path / "bundle", tiny_base, PAIRS[kind], ("a(e1,e2)", "b(e1,e2)"))
    alone, trunks = load_predictor(folder), Trunks()
    rows = ROWS.get(kind, [{"text": text} for text in TEXTS])
    given = features_of(alone.encode([alone.task.read(row, is_labelled=False) for row in rows]))
    expected = alone.core.run(given)
    cls = load_predictor(bundles["cls"]).sharing(trunks)
    other = alone.sharing(trunks)
    assert other.core.trunk is cls.core.trunk
    watched = Watched(other.core)
    found = run_together([(cls.core, features(cls)), (other.core, given)])
    assert len(watched.without_the_trial()) == 1
    close(found[1], expected)
    close(found[0], load_predictor(bundles["cls"]).core.run(features(cls)))


def test_models_that_read_alike_have_one_tokenizer(bundles):
    cls, mean = sharing(bundles, "cls", "mean")
    assert cls.reader.backend is mean.reader.backend
    assert load_predictor(bundles["cls"]).reader.backend is not cls.reader.backend


def test_texts_of_all_go_through_the_trunk_at_once_and_equal_ones_once(bundles):
    predictors = sharing(bundles, "cls", "mean")
    watched = Watched(predictors[0].core)
    together(predictors)
    n_different, longest = len(set(TEXTS)), max(len(one["input_ids"]) for one in features(predictors[0]))
    assert watched.shapes == [(n_different, longest)]


def test_a_batch_has_no_more_tokens_for_being_of_several(bundles):
    predictors = sharing(bundles, "cls", "mean")
    watched = Watched(predictors[0].core)
    texts = [f"so bad {letter} {other}" for letter in "abcdefghijklmnopqrstuvwxyz" for other in "abcdefghijklmnopqr"]
    together(predictors, texts)
    lengths = sum(rows * length for rows, length in watched.shapes)
    at_once = tokens_at_once(predictors[0].core.device)
    assert len(watched.shapes) == math.ceil(6 * len(texts) * 2 / at_once)  # 936 texts of 6 tokens: 2 on a CPU
    assert lengths <= 6 * len(texts) * 2


def test_each_text_stays_with_its_own_model_when_they_ask_different_ones(bundles):
    cls, mean = sharing(bundles, "cls", "mean")
    found = run_together([(cls.core, features(cls, TEXTS[:2])), (mean.core, features(mean, TEXTS[2:]))])
    close(found[0], load_predictor(bundles["cls"]).core.run(features(cls, TEXTS[:2])))
    close(found[1], load_predictor(bundles["mean"]).core.run(features(mean, TEXTS[2:])))


def test_nothing_asked_of_one_is_nothing_answered(bundles):
    cls, mean = sharing(bundles, "cls", "mean")
    found = run_together([(cls.core, []), (mean.core, features(mean))])
    assert found[0] == []
    close(found[1], mean.core.run(features(mean)))
    assert run_together([(cls.core, [])]) == [[]]


def weights_of(predictor):
    return {
        one.untyped_storage().data_ptr()
        for name, one in predictor.core.network.named_parameters()
        if ".encoder." in name or ".embeddings." in name
    }


def test_the_weights_of_the_trunk_lie_in_memory_once(bundles):
    cls, tokens, mean = sharing(bundles, "cls", "tokens", "mean")
    assert weights_of(cls) == weights_of(tokens) == weights_of(mean) != set()
    assert cls.core.trunk is tokens.core.trunk is mean.core.trunk
    apart = load_predictor(bundles["cls"])
    assert not weights_of(apart) & weights_of(cls)


@pytest.mark.parametrize("name", ["cls", "mean", "tokens"])
def test_what_a_model_keeps_of_its_own_holds_no_file_of_weights_in_memory(bundles, name):
    core = sharing(bundles, "cosine", name)[1].core
    lent = {id(one) for one in core.trunk.body.parameters()}
    own = [one for one in core.network.parameters() if id(one) not in lent]
    assert own
    assert [one.untyped_storage().nbytes() - one.nbytes for one in own] == [0] * len(own)


def test_a_trunk_is_there_as_long_as_one_model_uses_it(bundles):
    trunks = Trunks()
    first, second = (load_predictor(bundles[name]).sharing(trunks) for name in ("cls", "mean"))
    body, given_up = weakref.ref(first.core.trunk.body), weakref.ref(first.core.network)
    gc.collect()
    gc.disable()
    try:
        del first
        assert given_up() is None
        assert second("good") == load_predictor(bundles["mean"])("good")
        assert body() is not None
        del second
        assert body() is None
    finally:
        gc.enable()
    again = load_predictor(bundles["cls"]).sharing(trunks)
    assert again.core.trunk.body is again.core.network.body.body


def other_bundle(folder, base, change):
    return write_bundle(folder / "other", changed_base(folder / "base", base, change), TASKS["mean"], ("a", "b"))


def changed_base(folder, base, change):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(base)
    change(model)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    return folder


def one_weight(model):
    weight = model.encoder.layer[1].output.dense.weight.data
    weight[3, 5] = torch.nextafter(weight[3, 5], torch.tensor(9.0))


def other_activation(model):
    model.config.hidden_act = "relu"


def other_norm(model):
    model.config.layer_norm_eps *= 10


@pytest.mark.parametrize("change", [one_weight, other_activation, other_norm])
def test_a_trunk_that_differs_in_the_least_is_not_shared(bundles, tiny_base, tmp_path, change):
    trunks = Trunks()
    first = load_predictor(bundles["mean"]).sharing(trunks)
    other = load_predictor(other_bundle(tmp_path, tiny_base, change)).sharing(trunks)
    assert first.core.trunk is not other.core.trunk
    assert not weights_of(first) & weights_of(other)


def other_pooler(model):
    model.pooler.dense.weight.data += 1


def other_dropout(model):
    model.config.hidden_dropout_prob = 0.4


@pytest.mark.parametrize("change", [other_pooler, other_dropout])
def test_a_pooling_layer_of_its_own_or_another_dropout_is_no_obstacle(bundles, tiny_base, tmp_path, change):
    trunks = Trunks()
    mean = load_predictor(bundles["mean"]).sharing(trunks)
    folder = write_bundle(
        tmp_path / "other", changed_base(tmp_path / "base", tiny_base, change), TASKS["cls"], ("a", "b")
    )
    cls = load_predictor(folder).sharing(trunks)
    assert cls.core.trunk is mean.core.trunk
    found = together([mean, cls])
    for one, alone in zip(found, (load_predictor(bundles["mean"]), load_predictor(folder)), strict=True):
        close(one, alone.core.run(features(alone)))


# other architectures, without a tokenizer: ids as they are

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 64,
}  # fmt: skip
ARCHITECTURES = {
    "roberta": {"pad_token_id": 1},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "albert": {"embedding_size": 16},
    "deberta-v2": {},
    "electra": {},
    "mpnet": {"pad_token_id": 1},
    "longformer": {"attention_window": 4, "pad_token_id": 1},
    "llama": {"num_key_value_heads": 2, "pad_token_id": 0},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "pad_token_id": 0},
    "xlnet": {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 32, "pad_token_id": 0},
}


def made_base(kind, folder):
    from transformers import AutoConfig, AutoModel

    sizes = ARCHITECTURES[kind] if kind in ("xlnet", "gpt2") else {**SIZES, **ARCHITECTURES[kind]}
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=60, **sizes)).save_pretrained(folder)
    return folder


def core_of(base, head, pad_id, labels=("a", "b", "c")):
    task = Shelf("tasks").build({"name": "tokens" if head == "token" else "classification", "head": head})
    with torch.random.fork_rng([]):
        torch.manual_seed(len(labels))
        network = task.head_part.attach(base, task.head_plan(labels))
    return TorchCore(network, task, pad_id, len(labels))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_other_architectures_share_and_answer_as_alone(kind, tmp_path):
    made_base(kind, tmp_path)
    pad_id, draw = ARCHITECTURES[kind].get("pad_token_id", 0), np.random.default_rng(0)
    given = [{"input_ids": draw.integers(5, 60, length).astype(np.int32)} for length in (3, 9, 5, 12)]
    asked = [("cls", ("a", "b")), ("mean", ("a", "b", "c"))]
    expected = [core_of(tmp_path, head, pad_id, labels).run(given) for head, labels in asked]
    trunks = Trunks()
    cores = [share(core_of(tmp_path, head, pad_id, labels), trunks) for head, labels in asked]
    assert cores[0].trunk is cores[1].trunk is not None
    for found, alone in zip(run_together([(core, given) for core in cores]), expected, strict=True):
        close(found, alone)


@pytest.mark.parametrize(("kind", "n_reads"), [("electra", 1), ("gpt2", 2)])
def test_rows_with_token_types_and_without_are_read_together_where_none_are_zeros(kind, n_reads, tmp_path):
    trunks = Trunks()
    base = made_base(kind, tmp_path)
    cores = [share(core_of(base, "mean", 0, labels), trunks) for labels in (("a", "b"), ("a", "b", "c"))]
    plain = [{"input_ids": np.arange(5, 9, dtype=np.int32)}]
    typed = [{**plain[0], "token_type_ids": np.zeros(4, np.int32)}]
    watched = Watched(cores[0])
    found = run_together([(cores[0], plain), (cores[1], typed)])
    assert watched.without_the_trial() == [(1, 4)] * n_reads
    close(found[0], core_of(base, "mean", 0, ("a", "b")).run(plain))
    close(found[1], core_of(base, "mean", 0, ("a", "b", "c")).run(typed))


@pytest.mark.parametrize("task", [{"name": "masked_lm"}, {"name": "matching", "head": "compare"}])
def test_a_head_that_reads_more_than_the_last_states_keeps_its_own_trunk(tiny_base, task):
    task = Shelf("tasks").build(task)
    core = TorchCore(task.head_part.attach(tiny_base, task.head_plan(("a", "b"))), task, 0, 2)
    trunks = Trunks()
    assert share(core, trunks) is core
    assert not [module for module in core.network.modules() if isinstance(module, Borrowed)]


def test_other_runtimes_share_nothing(bundles):
    class Compiled:
        trunk = None

    from burnish.bundle.runtimes.onnxruntime import Onnxruntime

    core = Compiled()
    assert Onnxruntime().shared(core, Trunks()) is core
