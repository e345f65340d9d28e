"""The main job on a tiny base, end to end: nothing is faked, only small."""

import errno
import json
import threading

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from tests.flows.conftest import sentiment_rows, write_csv

import burnish
from burnish.core.errors import SickRun, UserError
from burnish.core.events import Message, Progress
from burnish.flows.fit import _copy_records


@pytest.fixture
def bundle(recipe, tmp_path):
    return burnish.fit(recipe, out=tmp_path / "bundle").bundle


@pytest.fixture
def multilabel(recipe, sentiment):
    rows = [(text, f"{label}|day" if "day" in text else label) for text, label in sentiment_rows(120)]
    data = {"train": str(write_csv(sentiment / "many.csv", rows, ("text", "labels"))), "test": None}
    return {**recipe, "task": "multilabel", "data": {**recipe["data"], **data}}


def test_fit_writes_a_bundle_that_answers(recipe, tmp_path):
    told = []
    result = burnish.fit(recipe, out=tmp_path / "bundle", listen=told.append)
    assert result.report.split == "test"
    assert result.report.n_rows == 40
    answer = burnish.load(result.bundle)("good day")
    assert answer.label in {"good", "bad"}
    assert 0.5 <= answer.confidence <= 1
    names = {file.relative_to(result.bundle).as_posix() for file in result.bundle.rglob("*") if file.is_file()}
    assert names >= {
        "manifest.json", "README.md", "recipe.yaml", "burnish.json", "data_card.json", "data_card.md",
        "model/config.json", "model/model.safetensors", "model/tokenizer.json", "report/report.json",
        "training/steps.jsonl",
    }  # fmt: skip
    assert any(isinstance(event, Progress) and event.stage == "train" for event in told)
    assert Message(f"wrote {tmp_path / 'bundle'}", "good") in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "test.csv", "train.csv"]


def test_it_learns(recipe, tmp_path):
    result = burnish.fit(recipe, ["train.epochs=12"], out=tmp_path / "bundle")
    assert result.report.scores["accuracy"] > 0.8


def test_the_model_folder_loads_in_plain_transformers_with_the_same_logits(bundle):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    predictor = burnish.load(bundle)
    texts = ["good day", "bad", "a b c 北京"]
    answered = predictor.answer([{"text": text, "text_pair": None, "label": None} for text in texts])
    plain = AutoModelForSequenceClassification.from_pretrained(bundle / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(bundle / "model")
    for text, row in zip(texts, answered, strict=True):
        with torch.no_grad():
            logits = plain(**tokenizer(text, return_tensors="pt")).logits[0]
        np.testing.assert_allclose(logits.numpy(), row.outputs[0], atol=1e-5)


def test_two_fits_of_one_recipe_give_the_same_weights(recipe, tmp_path):
    first = burnish.fit(recipe, out=tmp_path / "one").bundle
    second = burnish.fit(recipe, out=tmp_path / "two").bundle
    weights = "model/model.safetensors"
    assert (first / weights).read_bytes() == (second / weights).read_bytes()


def test_another_seed_gives_other_weights(recipe, tmp_path):
    first = burnish.fit(recipe, out=tmp_path / "one").bundle
    second = burnish.fit(recipe, ["train.seed=8"], out=tmp_path / "two").bundle
    assert (first / "model/model.safetensors").read_bytes() != (second / "model/model.safetensors").read_bytes()


def test_several_seeds_are_averaged_in_the_report(multilabel, tmp_path):
    report = burnish.fit(multilabel, ["train.n_seeds=2"], out=tmp_path / "bundle").report
    each = [scores["f1"] for scores in report.seeds.each]
    assert len(each) == 2
    assert report.seeds.mean["f1"] == pytest.approx(sum(each) / 2)


def test_gates_are_checked_and_the_bundle_is_still_there(recipe, tmp_path):
    recipe["judge"]["gates"] = {"accuracy": ">= 0.01", "ece": "<= 0.0"}
    result = burnish.fit(recipe, out=tmp_path / "bundle")
    assert [gate.is_passed for gate in result.gates] == [True, False]
    assert not result.is_good
    assert result.bundle.is_dir()


def test_an_unknown_gate_is_told_before_anything_is_trained(recipe, tmp_path):
    recipe["judge"]["gates"] = {"acuracy": ">= 0.9"}
    with pytest.raises(UserError, match="Did you mean 'accuracy'"):
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_an_occupied_folder_is_refused_and_left_alone(recipe, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match=r"bundle: the folder is not empty; choose another, or remove it"):
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert [file.name for file in (tmp_path / "bundle").iterdir()] == ["mine.txt"]


def test_a_disk_that_fills_up_while_the_bundle_is_written_leaves_nothing_half_written(recipe, tmp_path, monkeypatch):
    def full(*arguments, **settings):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("transformers.modeling_utils.safe_save_file", full)
    with pytest.raises(UserError) as caught:
        burnish.fit(recipe, out=tmp_path / "bundle")
    sentence = (
        f"{tmp_path}/bundle: cannot be written: the disk is full; free some space and run the same command again."
    )
    assert str(caught.value) == sentence
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".bundle.tmp", "bundle"))]
    monkeypatch.undo()
    assert burnish.fit(recipe, out=tmp_path / "bundle", resume=True).bundle.is_dir()


def test_a_disk_that_fills_up_while_records_are_copied_is_told_in_a_sentence(recipe, tmp_path, monkeypatch):
    def full(source, target, **_):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(UserError) as caught:
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert str(caught.value) == (
        f"{tmp_path}/bundle: cannot be written: the disk is full; free some space and run the same command again."
    )
    assert not (tmp_path / "bundle").exists()


def test_records_go_into_the_bundle_as_plain_files_and_what_resuming_needs_does_not(tmp_path):
    work = tmp_path / "work"
    for name in (
        "steps.jsonl",
        "wandb/run-1/log.txt",
        "checkpoints/step-1/state.json",
        "best.safetensors",
        "a.tmp-1/x",
    ):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    (work / "wandb/debug.log").symlink_to("run-1/log.txt")
    (work / "wandb/gone.log").symlink_to("run-0/log.txt")
    (work / "wandb/latest-run").symlink_to("run-1")
    _copy_records(work, tmp_path / "training")
    copied = {file.relative_to(tmp_path / "training").as_posix(): file for file in (tmp_path / "training").rglob("*")}
    files = {name for name, file in copied.items() if file.is_file()}
    assert files == {"steps.jsonl", "wandb/run-1/log.txt", "wandb/debug.log"}
    assert not any(file.is_symlink() for file in copied.values())
    assert copied["wandb/debug.log"].read_text() == "wandb/run-1/log.txt"


def test_faults_in_the_data_leave_no_folder_behind(recipe, sentiment, tmp_path):
    recipe["data"]["train"] = str(write_csv(sentiment / "bad.csv", [("a", "x"), ("", "y")]))
    with pytest.raises(UserError):
        burnish.fit(recipe, out=tmp_path / "bundle")
    assert not [path for path in tmp_path.iterdir() if "bundle" in path.name]


def test_a_base_that_is_not_there_is_told_with_its_place_in_the_recipe(tmp_path, sentiment):
    file = tmp_path / "recipe.yaml"
    file.write_text("task: classification\nbase: ./nothing\ndata: {train: train.csv}\n")
    with pytest.raises(UserError) as caught:
        burnish.fit(file, out=tmp_path / "bundle")
    assert str(caught.value) == (
        f"{file}:2: base: './nothing' is neither a named base nor a folder. Named bases: efficientnet_lite0, minilm."
    )


def test_a_folder_that_may_not_be_written_is_refused_before_any_work(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere, so the answer is made here
    with pytest.raises(UserError) as caught:
        burnish.fit(recipe, out=tmp_path / "bundle")
    sentence = f"{tmp_path}/bundle: the folder {tmp_path} cannot be written; choose another place."
    assert str(caught.value) == sentence


def test_a_run_that_explodes_publishes_nothing(recipe, tmp_path):
    with pytest.raises(SickRun):
        burnish.fit(recipe, ["train.learning_rate=1e30", "train.clip_norm=0"], out=tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_an_interrupted_fit_resumes_to_the_same_weights(recipe, tmp_path):
    whole = burnish.fit(recipe, out=tmp_path / "whole").bundle

    def interrupt(event):
        if isinstance(event, Progress) and event.stage == "train" and event.done == 3:
            assert threading.current_thread() is threading.main_thread()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        burnish.fit(recipe, ["train.checkpoint_every_s=0.000001"], out=tmp_path / "cut", listen=interrupt)
    resumed = burnish.fit(recipe, ["train.checkpoint_every_s=0.000001"], out=tmp_path / "cut", resume=True).bundle
    weights = "model/model.safetensors"
    assert (whole / weights).read_bytes() == (resumed / weights).read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        ["train.optimizer=sgd"],
        ["train.schedule=cosine"],
        ["train.label_smoothing=0.1"],
        ["train.class_weights={good: 3.0}"],
        ["train.class_weights=balanced"],
        ["train.dropout=0.4"],
        ["train.freeze.layers=1"],
        ["train.freeze.embeddings=true"],
        ["train.freeze.all_but_head=true"],
        ["train.accumulate=2"],
        ["train.head_learning_rate=0.0001"],
        ["train.weight_decay=0.5"],
        ["train.tokens_per_batch=48"],
    ],
)
def test_every_training_setting_changes_the_weights(multilabel, tmp_path, changes):
    recipe = multilabel  # whose runs are not stopped when they have hardly learned
    plain = burnish.fit(recipe, out=tmp_path / "plain").bundle
    other = burnish.fit(recipe, changes, out=tmp_path / "other").bundle
    weights = "model/model.safetensors"
    assert (plain / weights).read_bytes() != (other / weights).read_bytes()


def test_gradient_checkpointing_changes_memory_not_the_weights(recipe, tmp_path):
    recipe["train"]["dropout"] = 0.0
    plain = burnish.fit(recipe, out=tmp_path / "plain").bundle
    other = burnish.fit(recipe, ["train.gradient_checkpointing=true"], out=tmp_path / "other").bundle
    weights = "model/model.safetensors"
    assert (plain / weights).read_bytes() == (other / weights).read_bytes()


def test_a_pair_of_texts_is_read_as_a_pair(recipe, sentiment, tmp_path):
    rows = [(text, "a b", label) for text, label in sentiment_rows(120)]
    recipe["data"] |= {
        "train": str(write_csv(sentiment / "pairs.csv", rows, ("text", "text_pair", "label"))),
        "test": None,
    }
    bundle = burnish.fit(recipe, out=tmp_path / "bundle").bundle
    answer = burnish.load(bundle)({"text": "good day", "text_pair": "a b"})
    assert answer.label in {"good", "bad"}


def test_multilabel_from_a_recipe(multilabel, tmp_path):
    result = burnish.fit(multilabel, out=tmp_path / "bundle")
    assert result.report.kind == "multi"
    answer = burnish.load(result.bundle)("good day")
    assert {given.label for given in answer.labels} <= {"good", "bad", "day"}


def test_tokens_from_a_recipe(recipe, sentiment, tmp_path):
    def spans(text):
        at = text.index("good") if "good" in text else text.index("bad")
        return [{"start": at, "end": at + len("good" if "good" in text else "bad"), "label": "MOOD"}]

    rows = [{"text": text, "spans": spans(text)} for text, _ in sentiment_rows(120)]
    (sentiment / "spans.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = {**recipe["data"], "train": str(sentiment / "spans.jsonl"), "test": None, "split": "random"}
    result = burnish.fit({**recipe, "task": "tokens", "data": data}, ["train.epochs=6"], out=tmp_path / "bundle")
    assert result.report.kind == "spans"
    answer = burnish.load(result.bundle)("so bad a day 😀")
    assert all("so bad a day 😀"[span.start : span.end] == span.text for span in answer.spans)


def test_a_prompt_changes_the_answers_and_is_part_of_the_bundle(recipe, tmp_path):
    recipe["data"]["prompt"] = "so: "
    bundle = burnish.fit(recipe, out=tmp_path / "prompted").bundle
    with_prompt = burnish.load(bundle)
    assert with_prompt.reader.prompt == "so: "
    assert "Put `so: ` before every text." in (bundle / "README.md").read_text()
    plain = with_prompt.reader.backend.encode("so: good day").ids
    assert with_prompt.reader.ids(["good day"])[0].ids == plain
