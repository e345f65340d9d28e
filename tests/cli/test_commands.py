from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from burnish.core.errors import GateMissed, SickRun, UserError
from burnish.core.events import Message, Progress
from burnish.tasks._contract import Line, Prediction

GATE = SimpleNamespace(name="accuracy", condition=">= 0.9", value=0.95, is_passed=True)
MISSED = SimpleNamespace(name="ece", condition="<= 0.02", value=0.031, is_passed=False)


def result(*gates: SimpleNamespace) -> SimpleNamespace:
    report = SimpleNamespace(scores={"accuracy": 0.95, "macro_f1": 0.5}, gates=list(gates))
    written = {"files": [Path("r.html")], "example": '"some text"', "start": {}, "is_base": False}
    return SimpleNamespace(bundle=Path("runs/x"), report=report, gates=list(gates), **written)


class Said(Prediction):
    """An answer for these tests."""

    label: str
    confidence: float = 0.5

    def lines(self) -> list[Line]:
        return [Line(self.label, self.confidence)]


def test_fit_tells_recipe_overrides_and_options_apart(burnish, flow):
    calls = flow("fit", lambda *a, **k: result())
    ended = burnish(
        "fit", "recipe.yaml", "train.epochs=3", "--out", "runs/x", "judge.gates.accuracy=>= 0.9", "--resume"
    )
    assert calls == [
        (("recipe.yaml", ("train.epochs=3", "judge.gates.accuracy=>= 0.9")), {"out": Path("runs/x"), "resume": True})
    ]
    assert ended.code == 0
    assert "accuracy  0.9500" in ended.out
    assert "The bundle is in runs/x" in ended.err


def test_fit_needs_no_recipe(burnish, flow):
    calls = flow("fit", lambda *a, **k: result())
    burnish("fit", "--task", "classification", "--train", "a.csv", "--text-column", "t", "--epochs", "2", "--dev", "5%")
    assert calls == [
        (
            (None, ()),
            {
                "out": None, "resume": False, "task": "classification", "train": "a.csv", "text_column": "t",
                "epochs": "2", "dev": "5%",
            },
        )
    ]  # fmt: skip


def test_pretrain_takes_text_and_tells_both_scores(burnish, flow):
    done = SimpleNamespace(**{**vars(result()), "start": {"accuracy": 0.5}, "is_base": True})
    calls = flow("pretrain", lambda *a, **k: done)
    ended = burnish("pretrain", "--text", "a.txt", "--text", "b.txt.gz", "--base", "minilm", "train.epochs=1")
    assert calls == [
        (
            (None, ("train.epochs=1",)),
            {"text": ["a.txt", "b.txt.gz"], "out": None, "resume": False, "base": "minilm"},
        )
    ]
    assert "accuracy: 0.5000 before training, 0.9500 now" in ended.out
    assert "Every task can start from it: burnish fit RECIPE.yaml --base runs/x" in ended.err


def test_pretrain_without_text_or_recipe_says_what_to_give(burnish):
    ended = burnish("pretrain")
    assert (ended.code, ended.err) == (
        2,
        "there is nothing to do: give a recipe, or plain text, e.g. --text handbook.txt --base minilm.\n",
    )


def test_options_of_the_recipe_are_keywords_of_the_verbs():
    from burnish.cli.recipe_options import OPTIONS
    from burnish.recipe.arguments import keywords

    assert all(name in keywords() or name.endswith("_column") for name in OPTIONS)


def test_two_recipes_are_one_too_many(burnish):
    ended = burnish("fit", "a.yaml", "b.yaml")
    assert ended.code == 2
    assert ended.err == (
        "one recipe is wanted; got 'a.yaml' and 'b.yaml'. Settings are written key=value, without spaces.\n"
    )


@pytest.mark.parametrize("command", ["fit", "check"])
def test_nothing_to_do_says_what_to_give(burnish, command):
    ended = burnish(command)
    assert ended.code == 2
    assert ended.err == (
        "there is nothing to do: give a recipe (`burnish init data.csv` writes one), "
        "or --task and --train, e.g. --task classification --train train.csv.\n"
    )


def test_a_missed_gate_ends_with_3_after_everything_was_told(burnish, flow):
    flow("fit", lambda *a, **k: result(GATE, MISSED))
    ended = burnish("fit", "recipe.yaml")
    assert ended.code == 3
    assert "gate accuracy >= 0.9: 0.9500, passed\ngate ece <= 0.02: 0.0310, MISSED\n" in ended.out
    assert "The bundle is in runs/x." in ended.err
    assert ended.err.endswith("The result misses a gate: ece is 0.0310, wanted <= 0.02.\n")


@pytest.mark.parametrize(("error", "code"), [(UserError("a.", "b."), 2), (GateMissed("g."), 3), (SickRun("s."), 4)])
def test_an_error_of_a_verb_becomes_its_exit_code_and_no_traceback(burnish, flow, error, code):
    def fail(*args, **options):
        raise error

    flow("fit", fail)
    ended = burnish("fit", "recipe.yaml")
    assert (ended.code, ended.out) == (code, "")
    assert ended.err == f"{error}\n"


def test_every_fault_of_a_recipe_is_told_by_check(burnish, tmp_path):
    pytest.importorskip("burnish.flows.check")
    file = tmp_path / "recipe.yaml"
    file.write_text("task: classificaton\ndata: {train: a.csv}\ntrain: {epoch: 3}\n")
    ended = burnish("check", str(file))
    assert ended.code == 2
    assert f"{file}:1: task: there is no part 'classificaton'" in ended.err
    assert f"{file}:3: train.epoch is not a setting. Did you mean 'epochs'?" in ended.err


def test_check_tells_warnings_and_the_filled_recipe_when_asked(burnish, flow):
    from burnish.recipe.load import load

    recipe = load(task="classification", train="a.csv").recipe
    flow("check", lambda *a, **k: SimpleNamespace(recipe=recipe, card=None, warnings=["5 rows are doubled."]))
    ended = burnish("check", "recipe.yaml")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "warning: 5 rows are doubled.\nThe recipe and its data can be used; 1 warning.\n"
    assert "train: a.csv" in burnish("check", "recipe.yaml", "--filled").out


def test_judge_writes_its_files_and_obeys_gates(burnish, flow):
    calls = flow("judge", lambda *a, **k: result(GATE))
    ended = burnish("judge", "runs/x", "judge.n_errors=3", "--data", "t.csv", "-o", "r")
    assert calls == [((Path("runs/x"), "t.csv"), {"out": Path("r"), "overrides": ("judge.n_errors=3",)})]
    assert (ended.code, ended.out.splitlines()[-2:]) == (0, ["r.html", "gate accuracy >= 0.9: 0.9500, passed"])
    flow("judge", lambda *a, **k: result(MISSED))
    assert burnish("judge", "runs/x").code == 3


def test_compare_says_one_sentence_or_all_of_it_as_json(burnish, flow):
    comparison = SimpleNamespace(sentence="B is better.", to_dict=lambda: {"p": 0.01})
    calls = flow("compare", lambda *a, **k: comparison)
    assert burnish("compare", "a", "b").out == "B is better.\n"
    assert json.loads(burnish("compare", "a", "b", "--json", "--data", "t.csv").out) == {"p": 0.01}
    assert calls[1] == ((Path("a"), Path("b"), "t.csv"), {})


def answers(bundle, inputs, **options):
    for text in inputs:
        yield Said(label=f"{text}!")


def test_predict_answers_texts_as_json_lines_where_there_is_no_terminal(burnish, flow):
    flow("predict", answers)
    ended = burnish("predict", "runs/x", "a", "银行")
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"label": "a!", "confidence": 0.5},
        {"label": "银行!", "confidence": 0.5},
    ]


def test_predict_reads_lines_from_stdin_as_they_come(burnish, flow, monkeypatch):
    flow("predict", answers)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("a\r\n银行\n\n".encode())))
    assert [json.loads(line)["label"] for line in burnish("predict", "runs/x").out.splitlines()] == ["a!", "银行!", "!"]


def test_a_line_that_is_not_utf_8_is_named(burnish, flow, monkeypatch):
    flow("predict", answers)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\xff\n")))
    ended = burnish("predict", "runs/x")
    assert ended.code == 2
    assert ended.err == "stdin:2: is not UTF-8 text; convert it, or use --input FILE.\n"


def test_predict_answers_a_pair(burnish, flow):
    calls = flow("predict", lambda bundle, inputs: iter([Said(label="x")]))
    burnish("predict", "runs/x", "a", "--pair", "b")
    assert calls[0][0][1] == [("a", "b")]


def test_predict_answers_several_questions_about_one_context_or_file(burnish, flow, tmp_path):
    calls = flow("predict", lambda bundle, inputs: iter([{"label": "x", "confidence": 1.0}]))
    (tmp_path / "notes.txt").write_text("北京 and so on", "utf-8")
    burnish("predict", "runs/x", "who?", "when?", "--context", "b")
    burnish("predict", "runs/x", "who?", "--context", f"@{tmp_path / 'notes.txt'}")
    assert [call[0][1] for call in calls] == [[("who?", "b"), ("when?", "b")], [("who?", "北京 and so on")]]


def test_predict_pairs_every_line_of_stdin_with_the_second_text(burnish, flow, monkeypatch):
    seen = []
    flow("predict", lambda bundle, inputs: iter(seen.extend(inputs) or [{"label": "x", "confidence": 1.0}]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"who?\nwhen?\n")))
    burnish("predict", "runs/x", "--pair", "b")
    assert seen == [("who?", "b"), ("when?", "b")]


def test_a_context_file_that_is_not_text_is_named(burnish, flow, tmp_path):
    flow("predict", answers)
    (tmp_path / "notes.txt").write_bytes(b"\xff")
    ended = burnish("predict", "runs/x", "who?", "--context", f"@{tmp_path / 'notes.txt'}")
    assert (ended.code, ended.err) == (2, f"{tmp_path / 'notes.txt'}: is not UTF-8 text; convert it.\n")


def test_predict_answers_a_file(burnish, flow):
    flow("predict", answers)
    calls = flow("predict", lambda *a, **k: 1_200, "predict_file")
    ended = burnish("predict", "runs/x", "--input", "a.csv", "--output", "o.jsonl")
    assert calls == [(("runs/x", "a.csv", Path("o.jsonl")), {})]
    assert (ended.out, ended.err) == ("", "o.jsonl holds the answers; rows: 1,200.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a", "--input", "f"], "give texts, or --input and --output, not both; answers to texts go to stdout."),
        (["--input", "f"], "--input wants --output FILE (.csv, .tsv, .jsonl or .parquet) for its answers."),
        (["--output", "f"], "--output goes with --input; to keep the answers to lines, redirect them: > answers.jsonl"),
        (
            ["a", "--context", "@b"],
            "--pair @b: there is no file b; a text that begins with @ itself goes through --input.",
        ),
    ],
)
def test_predict_explains_what_does_not_go_together(burnish, flow, words, sentence):
    flow("predict", answers)
    ended = burnish("predict", "runs/x", *words)
    assert (ended.code, ended.err) == (2, f"{sentence}\n")


def test_predict_tells_a_base_its_task_labels_and_settings(burnish, flow):
    calls = flow("predict", answers)
    asked = ["--task", "classification", "--set", "data.prompt=query: "]
    burnish("predict", "minilm", "a", *asked, "--labels", "refund,complaint")
    burnish("predict", "minilm", "a", "--task", "tokens", "--labels", "{PER: a person}")
    assert [call[1] for call in calls] == [
        {"task": "classification", "overrides": ["task.labels=[refund,complaint]", "data.prompt=query: "]},
        {"task": "tokens", "overrides": ["task.labels={PER: a person}"]},
    ]


@pytest.mark.parametrize("words", [["--labels", "a,b"], ["--set", "task.top=3"]])
def test_what_is_told_without_a_task_is_explained(burnish, flow, words):
    flow("predict", answers)
    ended = burnish("predict", "minilm", "a", *words)
    assert (ended.code, ended.err) == (
        2,
        "--labels and --set tell a base how to do its --task; name that too, or leave them out.\n",
    )


def test_a_base_answers_on_the_command_line(burnish, tiny_base):
    ended = burnish("predict", str(tiny_base), "good day", "--task", "classification", "--labels", "good day,bad")
    assert json.loads(ended.out)["label"] == "good day"
    ended = burnish("predict", str(tiny_base), "good day", "--task", "answers")
    assert (ended.code, ended.out) == (2, "")
    assert "would be drawn at random" in ended.err


def test_predict_without_anything_says_what_to_give(burnish, flow, monkeypatch):
    flow("predict", answers)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    ended = burnish("predict", "runs/x")
    assert (ended.code, ended.err) == (
        2,
        "there is nothing to answer: give a text in quotes, --input FILE, or pipe lines in.\n",
    )


def test_what_a_verb_tells_goes_to_stderr(burnish, flow):
    def verb(*args, listen, **options):
        listen(Message("the data has 2 leaks", "warning"))
        listen(Progress("train", 0, 10, "steps"))
        return result()

    flow("fit", verb)
    ended = burnish("fit", "recipe.yaml")
    assert ended.err.startswith("warning: the data has 2 leaks\n")
    assert "leaks" not in ended.out


def test_parts_lists_shelves_and_settings(burnish):
    everything = burnish("parts").out
    assert "schedules\n" in everything
    assert "tasks\n" in everything
    one = burnish("parts", "schedules").out
    assert "cosine" in one
    assert "classification" not in one
    assert "warmup: float >= 0" in burnish("parts", "schedules", "cosine").out
    assert "has no settings" in burnish("parts", "calibrations", "none").out


def test_parts_explains_what_is_not_there(burnish):
    assert burnish("parts", "schedule").err.startswith("there is no shelf 'schedule'. Did you mean 'schedules'?")
    assert burnish("parts", "schedules", "cosin").code == 2


def test_init_writes_a_recipe_and_says_what_to_do_next(burnish, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"how do I do thing number {n},{'ab'[n % 2]}\n" for n in range(20))
    for name in ("data.csv", "data_test.csv"):
        Path(name).write_text("text,label\n" + rows)
    ended = burnish("init", "data.csv")
    assert (ended.code, ended.out) == (0, "recipe.yaml\n")
    assert ended.err == (
        "task classification: one label a row, in 'label'\n"
        "test data_test.csv: found beside the training rows\n"
        "Read it, then: burnish check recipe.yaml, burnish fit recipe.yaml\n"
    )
    again = burnish("init", "data.csv")
    assert (again.code, again.err) == (2, "recipe.yaml: is there already; remove it, or choose another with --out.\n")


def test_doctor_speaks_to_people_and_to_programs(burnish, monkeypatch):
    monkeypatch.setattr("burnish.flows.doctor.examine", lambda: {"machine": {"cores": "2", "memory": "8 GiB"}})
    assert burnish("doctor").out == "machine\n  cores   2\n  memory  8 GiB\n"
    assert json.loads(burnish("doctor", "--json").out) == {"machine": {"cores": "2", "memory": "8 GiB"}}
