from __future__ import annotations

import pytest
import yaml

from burnish.core.shelves import Shelf
from burnish.evaluation.report import gate_names
from burnish.flows.drafting import Side, recipe_text
from burnish.flows.guessing import Guess
from burnish.flows.pacing import pace
from burnish.models.bases.minilm import MiniLM
from burnish.recipe.load import load

TASKS = [name for name in Shelf("tasks").names() if name != "multitask"]  # no one file is the draft of several tasks


COLUMNS = {"text": ("utterance", "it is long")}


def drafted(task: str = "classification", n_rows: int = 464, **more) -> str:
    found = Guess(task, "it looks so", COLUMNS, **more)
    return recipe_text(found, {"train": Side("a.csv", "here")}, pace(n_rows, 17), "Title")


def with_line_uncommented(text: str, start: str) -> dict:
    """The draft as a reader has it after taking the `# ` off one line, the later of two equal keys taken."""
    assert f"# {start}" in text
    return yaml.safe_load(text.replace(f"# {start}", start))


@pytest.mark.parametrize("task", TASKS)
def test_the_draft_of_every_task_loads(task):
    assert load(yaml.safe_load(drafted(task))).recipe.task.part_name == task


@pytest.mark.parametrize("task", TASKS)
def test_the_gate_shown_is_a_score_that_the_task_has(task):
    (name,) = with_line_uncommented(drafted(task), "gates: ")["judge"]["gates"]
    assert name in gate_names(Shelf("tasks").get(task).judged_as)
    assert name == Shelf("tasks").get(task).best_by


def test_the_head_that_the_base_was_tuned_with_is_offered_and_the_default_kept():
    text = drafted()
    assert load(yaml.safe_load(text)).recipe.task.head.part_name == "cls"
    assert load(with_line_uncommented(text, "task: ")).recipe.task.head.part_name == MiniLM.pooling == "mean"
    assert (
        "# or with the head that minilm was tuned with: it learns in fewer steps; its bundle does not load in\n"
        "# AutoModelForSequenceClassification, as that of cls does\n"
    ) in text


def test_the_head_offered_keeps_the_settings_that_were_found():
    text = drafted("multilabel", settings={"separator": ";"})
    task = load(with_line_uncommented(text, "task: ")).recipe.task
    assert (task.separator, task.head.part_name) == (";", "mean")


def test_no_head_is_offered_where_it_does_not_fit_or_nothing_is_known():
    assert "the head that" not in drafted("tokens")
    assert "the head that" not in drafted(is_chinese=True)


def test_epochs_and_batch_size_are_written_with_their_rule():
    assert (
        "train:\n"
        "  # passes over the 464 rows: about 8,000 rows read in all, in 4 to 20 passes\n"
        "  epochs: 17\n"
        "  # about 15 texts of 17 tokens, so about 420 steps\n"
        "  tokens_per_batch: 256\n"
    ) in drafted()


def test_only_the_base_with_a_large_vocabulary_keeps_its_embeddings():
    assert load(yaml.safe_load(drafted(is_chinese=True))).recipe.train.freeze.embeddings
    assert not load(yaml.safe_load(drafted())).recipe.train.freeze.embeddings


def test_rows_that_were_not_all_counted_are_told_so():
    text = drafted(n_rows=20_000)
    assert "passes over the 20,000 or more rows" in text
    assert "so about 1,100 or more steps" in text  # 20,000 × 0.9 × 4 / 64 texts of 17 tokens


def test_a_side_without_a_value_is_a_comment():
    text = recipe_text(Guess("tokens", "so"), {"test": Side(None, "one\ntwo")}, pace(100, 9), "Title")
    assert "data:\n  # one\n  # two\n  columns:\n" in text
