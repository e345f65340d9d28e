"""Every task of the shelf, from a row to an answer, on a tiny base. A new task adds its rows to `ROWS`, no more."""

import io
import pickle

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from tests.conftest import tone

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.events import ignore
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.data.features import cost_of, kind_of
from burnish.data.opening import open_sources
from burnish.evaluation.scores import metrics_for, score_all
from burnish.flows.ingest import Reading, schema_of
from burnish.tasks._choices import Classified
from burnish.tasks._contract import Answered, Decision, Line, Prediction
from burnish.tasks.answers import FoundAnswer
from burnish.tasks.matching import Matched
from burnish.tasks.multilabel import GivenLabel, Labelled
from burnish.tasks.tokens import FoundSpan, Tagged


def _picture(colour):
    stream = io.BytesIO()
    Image.new("RGB", (20, 30), colour).save(stream, "PNG")
    return stream.getvalue()


ROWS = {
    "answers": [
        {"question": "so bad?", "context": "all good day 北京", "answers": [{"text": "good day", "start": 4}]},
        {"question": "where", "context": "a day " * 30 + "上海", "answers": {"text": [], "answer_start": []}},
    ],
    "classification": [{"text": "good day", "label": "good"}, {"text": "so bad", "label": "bad"}],
    "next_sentence": [
        {"text": "good day", "text_pair": "all good", "follows": "yes", "document": "1"},
        {"text": "so bad", "text_pair": "北京", "follows": "no", "document": "2"},
    ],
    "generation": [
        {"prompt": "good day", "response": ["all good 北京", "so good"], "system": "be good"},
        {
            "messages": [
                {"role": "user", "content": "so bad?"},
                {"role": "assistant", "content": "all good"},
                {"role": "user", "content": "a day in 上海"},
                {"role": "assistant", "content": "good"},
            ]
        },
    ],
    "dialogue": [
        {"turns": ["good day", "all good 北京"]},
        {
            "messages": [
                {"role": "system", "content": "be good"},
                {"role": "user", "content": "so bad?"},
                {"role": "assistant", "content": "all good"},
                {"role": "user", "content": "a day in 上海"},
                {"role": "assistant", "content": "good"},
            ]
        },
    ],
    "multilabel": [{"text": "good day", "labels": ["good", "day"]}, {"text": "so", "labels": []}],
    "causal_lm": [{"text": "good day, all good 北京"}, {"text": "so bad a day. " * 12}],
    "contrastive": [{"text": "good day, all good 北京"}, {"text": "so bad a day. " * 12}, {"text": "a"}],
    "masked_lm": [{"text": "good day, all good 北京"}, {"text": "so bad a day. " * 12}],
    "image": [
        {"image": _picture("red"), "label": "red"},
        {"image": _picture("blue"), "label": "blue"},
    ],
    "image_text": [
        {"image": _picture("red"), "text": ["all good", "a good day"]},
        {"image": _picture("blue"), "text": "so bad"},
    ],
    "matching": [
        {"text": "good day", "text_pair": "all good", "score": 0.9},
        {"text": "so bad", "text_pair": "a day", "score": "no"},
    ],
    "multitask": [
        {"task": "mood", "text": "good day", "label": "good"},
        {"task": "places", "text": "good 北京 day", "spans": [[5, 7, "PLACE"]]},
        {"task": "mood", "text": "so bad", "label": "bad"},
        {"task": "alike", "text": "so bad", "text_pair": "a day", "score": "no"},
        {"task": "kinds", "text": "so", "labels": []},
        {"task": "kinds", "text": "so bad a day", "labels": ["day"]},
    ],
    "ranking": [
        {"history": ["a", "b"], "item": "c", "negatives": "d", "time": 5, "user": "u"},
        {"history": "", "item": ["a", "d"], "negatives": [], "time": None},
    ],
    "relations": [
        {"text": "<e1>good</e1> day, <e2>北京</e2>", "label": "in(e1,e2)"},
        {"text": "so bad a day", "head": "day", "tail": [3, 6], "label": "none"},
    ],
    "retrieval": [
        {"query": "good day", "passage": "all good", "negative": "so bad"},
        {"query": "so bad", "passage": "a bad day"},
    ],
    "seq2seq": [{"text": "good day", "target": ["all good", "good"]}, {"text": "so bad a day", "target": "北京"}],
    "speech": [
        {"audio": (tone(300), 16_000), "label": "low"},
        {"audio": {"array": tone(900, 0.3, 8_000), "sampling_rate": 8_000}, "label": "high"},
    ],
    "tokens": [
        {"text": "good 北京 day", "spans": [[5, 7, "PLACE"]]},
        {"tokens": ["so", "bad"], "tags": ["O", "B-MOOD"]},
    ],
    "transcription": [
        {"audio": (tone(300), 16_000), "text": "a low tone"},
        {"audio": (tone(900, 0.3), 16_000), "text": "high"},
    ],
}
TASKS = Shelf("tasks").names()
STREAMED = ("dialogue", "generation", "seq2seq")
SETTINGS = {
    "multitask": {
        "tasks": {
            "mood": {"task": "classification", "weight": 0.5},
            "places": {"task": "tokens"},
            "alike": {"task": {"name": "matching", "head": "max"}, "texts": ["text", "text_pair"]},
            "kinds": {"task": {"name": "multilabel", "head": "mean"}},
        },
    },
    "ranking": {
        "items": {
            "id": [*"abcde"],
            "text": ["good day", "so bad", "北京", "a day", "上海"],
            "kind": ["x|y", "", "x", "z", None],
            "year": [1, 2, None, "4", 5],
        },
        "categories": ["kind"],
        "numbers": ["year"],
    },
}
"""Task → settings that it cannot do without: what they name beside the rows is opened."""
BASES = {
    **dict.fromkeys(("causal_lm", "dialogue", "generation"), "tiny_causal_base"),
    **dict.fromkeys(("image", "image_text"), "tiny_towers"),
    "seq2seq": "tiny_seq2seq_base",
    **dict.fromkeys(("speech", "transcription"), "tiny_listener"),
}
"""Task → the fixture with the tiny base that it starts from, where that is not `tiny_base`."""


@pytest.fixture
def made_of(request):
    """`made_of("tokens")`: a task with everything around it."""

    def make(name):
        base = request.getfixturevalue(BASES.get(name, "tiny_base"))
        task = Shelf("tasks").build({"name": name, **SETTINGS.get(name, {})})
        return Made(task.opened(lambda setting: getattr(task, setting), None) if name in SETTINGS else task, name, base)

    return make


@pytest.fixture(params=TASKS)
def made(request, made_of):
    """Every task with everything around it: examples, labels, reader, network, core."""
    return made_of(request.param)


class Made:
    """The steps of `fit` without training; a task that has nothing to open stays as it is built."""

    def __init__(self, task, name, base):
        self.rows = rows = ROWS[name]
        self.examples = [task.read(row, is_labelled=True) for row in rows]
        self.labels = tuple(sorted({label for example in self.examples for label in task.labels_of(example)}))
        self.reader = task.load_reader(base, None, "")
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.network = task.head_part.attach(base, task.head_plan(self.labels))
        core = TorchCore(self.network, task, self.reader.pad_id, len(self.labels))
        task = task.started(self.network, self.reader, core.run, self.examples, ignore)
        self.task = task.completed(self.reader, core.run, ignore) if name in SETTINGS else task
        self.core = core.asking(self.task)

    def features(self, examples):
        return [feature for one in self.task.encode(examples, self.reader, self.labels) for feature in one.features]

    def collated(self):
        """The labelled rows as arrays; a batch holds features of one kind."""
        features = self.features(self.examples)
        of_kinds = [[one for one in features if kind_of(one) == kind] for kind in dict.fromkeys(map(kind_of, features))]
        return [self.task.collate(own, self.reader.pad_id, len(self.labels)) for own in of_kinds]

    def batches(self):
        return [collated.to("cpu") for collated in self.collated()]

    def answered(self, examples):
        rows = []
        for example, one in zip(examples, self.task.encode(examples, self.reader, self.labels), strict=True):
            rows.append(Answered(example, one.features, self.core.run(one.features)))
        return rows


def test_a_task_says_what_it_reads_and_answers(made):
    assert all(isinstance(item, Wanted) for item in made.task.wanted)
    assert made.task.gold <= {item.name for item in made.task.wanted}
    assert issubclass(made.task.answer, Prediction)
    assert made.task.best_by in Shelf("metrics").names()
    assert made.task.judged_as in Shelf("metrics").get(made.task.best_by)().judges


def test_an_example_fits_the_tasks_arrow_fields(made):
    schema = schema_of(Reading(made.task, {}, (), "stop"))
    rows = [{**example, "line": 1, "place": 0} for example in made.examples]
    table = pa.Table.from_pylist(rows, schema=schema)
    read = [{name: row[name] for name in made.task.arrow_fields()} for row in table.to_pylist()]
    assert read == [{name: example[name] for name in made.task.arrow_fields()} for example in made.examples]


def test_features_are_flat_int32_and_alike(made):
    features = made.features(made.examples)
    assert len({(kind_of(one), frozenset(one)) for one in features}) == len({kind_of(one) for one in features})
    assert all(array.dtype == np.int32 and array.ndim == 1 for feature in features for array in feature.values())
    assert all(cost_of(feature) > 0 for feature in features)


def test_a_batch_gives_a_loss_that_reaches_every_trained_weight(made):
    made.network.train()
    assert sum(batch.n_rows for batch in made.batches()) == len(made.features(made.examples))
    for batch in made.batches():
        assert batch.n_tokens > 0
        if "attention_mask" in batch.inputs and batch.inputs["attention_mask"].ndim == 2:
            assert batch.n_tokens == int(batch.inputs["attention_mask"].sum())
        loss = made.task.loss(made.network(**batch.inputs), batch, None, 0.0)
        loss.backward()
        assert torch.isfinite(loss)
    trained = {name: p for name, p in made.network.named_parameters() if p.requires_grad and "pooler" not in name}
    without = [name for name, p in trained.items() if p.grad is None]
    assert without == []


def test_a_batch_is_arrays_until_torch_asks_for_tensors(made):
    for collated, batch in zip(made.collated(), made.batches(), strict=True):
        for arrays, tensors in ((collated.inputs, batch.inputs), (collated.targets, batch.targets)):
            assert arrays.keys() == tensors.keys()
            for name, array in arrays.items():
                assert isinstance(array, np.ndarray)
                assert array.dtype in (np.int64, np.float32, np.bool_)
                np.testing.assert_array_equal(tensors[name].numpy(), array)
        assert (batch.n_rows, batch.n_tokens) == (collated.n_rows, collated.n_tokens)
        assert (batch.rows_each, batch.outputs) == (collated.rows_each, collated.outputs)


def test_weights_and_smoothing_change_the_loss(made):
    batch = made.batches()[0]
    logits = made.network.eval()(**batch.inputs).detach() * 3
    plain = made.task.loss(logits, batch, None, 0.0)
    assert made.task.loss(logits, batch, None, 0.2) != plain
    if made.labels:  # else the recipe's class weights are refused
        n_outputs = len(made.task.head_plan(made.labels).labels)
        assert made.task.loss(logits, batch, torch.arange(1.0, n_outputs + 1) ** 2, 0.0) != plain


def test_outcome_and_evidence_can_be_judged(made):
    answered = made.answered(made.examples)
    outcome = made.task.outcome(answered, made.labels, Decision())
    assert isinstance(outcome, made.task.judged_as)
    assert len(outcome) == len(made.examples)
    assert score_all(outcome, metrics_for(type(outcome)))
    evidence = made.task.evidence(answered, made.labels)
    assert (evidence is None) == (outcome.decisions() is None)
    if evidence is not None:
        assert len(evidence.logits) == len(evidence.gold)
        assert evidence.kind in {"softmax", "sigmoid"}


def test_answers_do_not_depend_on_company_or_on_gold(made):
    """The same text alone, among others, labelled or not: the same answer."""
    examples = [made.task.read({k: v for k, v in row.items() if k not in made.task.gold}, False) for row in made.rows]
    together = made.task.decode(made.answered(examples), made.labels, Decision())
    alone = [made.task.decode(made.answered([one]), made.labels, Decision())[0] for one in examples]
    labelled = made.task.decode(made.answered(made.examples), made.labels, Decision())
    assert all(isinstance(one, made.task.answer) for one in together)
    for one, other, third in zip(together, alone, labelled, strict=True):
        assert rounded(one) == rounded(other)
        answers = rounded(third).items()
        if made.task.joint is not None:  # a labelled row asks the task that it is for
            answers = [(name, answer) for name, answer in answers if answer is not None]
        assert rounded(one) == {**rounded(one), **dict(answers)}


def streamed(made):
    row = {name: value for name, value in made.rows[1].items() if name not in made.task.gold}
    example = made.task.read(row, is_labelled=False)
    feature, *_ = made.features([example])
    return "".join(made.core.stream(feature)), example


@pytest.mark.parametrize("task", STREAMED)
def test_text_is_streamed_as_it_is_answered(task, made_of):
    made = made_of(task)
    text, example = streamed(made)
    [answer] = made.task.decode(made.answered([example]), made.labels, Decision())
    assert text == answer.text


@pytest.mark.parametrize("task", [name for name in TASKS if name not in STREAMED])
def test_other_answers_are_not_streamed(task, made_of):
    with pytest.raises(UserError, match=f"^the task '{task}' writes no text, so there is nothing to stream; ask for"):
        streamed(made_of(task))


def rounded(answer):
    def walk(value):
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return round(value, 4) if isinstance(value, float) else value

    return walk(answer.model_dump(mode="json"))


def test_a_task_that_learns_from_text_alone_reads_what_its_source_makes_of_it(made, tmp_path):
    if made.task.text_source is None:
        return
    (tmp_path / "corpus.txt").write_text("One day. So good.\n\nAll bad. 北京。好。", "utf-8")
    (source,) = open_sources({**made.task.text_source, "path": str(tmp_path / "corpus.txt")})
    rows = [made.task.read(row.values, is_labelled=True) for row in source.rows()]
    assert len(rows) >= 2


def test_nothing_is_answered_for_no_rows(made):
    assert list(made.task.decode([], made.labels, Decision())) == []


def test_a_task_comes_back_from_its_recipe_and_can_be_sent_to_a_process(made):
    again = Shelf("tasks").build(made.task.as_recipe())
    assert again.as_recipe() == made.task.as_recipe()
    assert pickle.loads(pickle.dumps(again)) == again
    assert pickle.loads(pickle.dumps(made.task)).as_recipe() == made.task.as_recipe()


@pytest.mark.parametrize("task", [name for name in TASKS if not Shelf("tasks").get(name).files])
def test_an_empty_text_is_answered_when_predicting(task, made_of):
    made = made_of(task)
    required = {item.name for item in made.task.wanted if item.is_required} - made.task.gold
    files = {name: made.rows[0][name] for name in required & made.task.files}  # an empty name is no file
    empty = dict.fromkeys(required & set(made.task.texts) or made.task.texts[:1], "")
    example = made.task.read({**empty, **files}, is_labelled=False)
    assert len(made.task.decode(made.answered([example]), made.labels, Decision())) == 1


@pytest.mark.parametrize(
    ("task", "values", "sentence"),
    [
        ("classification", {"text": "", "label": "a"}, "'text' is empty; give it a text or take the row out"),
        ("classification", {"text": float("nan"), "label": "a"}, "'text' is empty; give it a text or take the row out"),
        ("classification", {"text": ["a"], "label": "a"}, "'text' must be text; got list."),
        ("classification", {"text": "a", "label": " "}, "'label' is empty; give it a label or take the row out"),
        ("classification", {"text": "a", "label": float("nan")}, "'label' is empty; give it a label or take"),
        ("classification", {"text": "a", "label": ["x"]}, "'label' holds several values; the task 'multilabel' reads"),
        ("classification", {"text": "a", "text_pair": " ", "label": "x"}, "'text_pair' is empty; give it a text"),
        ("relations", {"text": "", "label": "a"}, "'text' is empty; give it a text or take the row out"),
        ("relations", {"text": "<e1>a</e1> <e2>b</e2>", "label": ""}, "'label' is empty; give it a label"),
        ("answers", {"question": " ", "context": "a", "answers": []}, "'question' is empty; give it a text or take"),
        ("answers", {"question": "a", "context": "", "answers": []}, "'context' is empty; give it a text or take"),
        ("multilabel", {"text": "a", "labels": 5}, "'labels' must be a list or text; got int."),
        ("multilabel", {"text": "a", "labels": ["x", " "]}, "'labels' holds an empty label; take it out."),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(task, values, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        Shelf("tasks").build(task).read(values, is_labelled=True)


def test_numbers_are_labels_too():
    task = Shelf("tasks").build("classification")
    assert task.read({"text": "a", "label": 1}, True)["label"] == "1"
    assert task.read({"text": "a", "label": 2.0}, True)["label"] == "2"
    assert task.read({"text": 12, "label": "x"}, True)["text"] == "12"


def test_the_separator_between_labels_is_a_setting():
    read = Shelf("tasks").build({"name": "multilabel", "separator": ";"}).read
    assert read({"text": "a", "labels": "x;y|z"}, True)["labels"] == ["x", "y|z"]


SPAN = FoundSpan(start=0, end=6, label="LOC", text="Berlin", confidence=0.9, abstained=False)


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (Classified(label="a", confidence=0.5, abstained=True, runners_up=()), [Line("a", 0.5, True)]),
        (Labelled(labels=(GivenLabel(label="a", confidence=0.5, abstained=False),)), [Line("a", 0.5)]),
        (Labelled(labels=()), []),
        (Tagged(spans=(SPAN, SPAN)), [Line("Berlin  [0:6] LOC", 0.9)] * 2),
        (
            FoundAnswer(answer="a day", start=2, end=7, confidence=0.5, abstained=True),
            [Line("a day  [2:7]", 0.5, True)],
        ),
        (FoundAnswer(answer="", start=None, end=None, confidence=0.9, abstained=False), [Line("no answer", 0.9)]),
        (Matched(score=4.251, is_match=True), [Line("4.25  match")]),
        (Matched(score=1, is_match=False), [Line("1.00  no match")]),
    ],
)
def test_an_answer_reads_as_lines(answer, lines):
    assert answer.lines() == lines


def test_one_text_alone_cannot_be_matched():
    with pytest.raises(ValueError, match=r"^'text_pair' is missing: this task compares two texts \(--pair on the"):
        Shelf("tasks").build("matching").read({"text": "a"}, is_labelled=False)


def test_a_question_alone_cannot_be_answered():
    with pytest.raises(
        ValueError, match=r"^'context' is missing: this task answers a 'question' from a 'context' \(--c"
    ):
        Shelf("tasks").build("answers").read({"question": "a"}, is_labelled=False)
