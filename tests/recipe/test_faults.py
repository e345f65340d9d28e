from __future__ import annotations

from burnish.core.shelves import Shelf
from burnish.recipe.faults import shown

START = "task: classification\ndata: {train: a.csv}\n"


def test_every_fault_is_said_at_once_in_the_order_of_its_line(faults):
    found = faults(
        "task: classificaton\ndata:\n  train: a.csv\n  dev: 95%\ntrain:\n  epoch: 3\n  learning_rate: -0.1\njugde: {}\n"
    )
    assert [fault.split(" ")[0] for fault in found] == [f"recipe.yaml:{line}:" for line in (1, 4, 6, 7, 8)]


def test_an_unknown_part_is_named_with_the_nearest_and_with_all_there_are(faults):
    assert faults("task: classificaton\ndata: {train: a.csv}\n") == [
        (
            "recipe.yaml:1: task: there is no part 'classificaton' on the shelf 'tasks'. "
            f"Did you mean 'classification'? It has: {', '.join(Shelf('tasks').names())}."
        )
    ]


def test_an_unknown_part_in_a_list_names_its_place(faults):
    [fault] = faults(START + "train:\n  observers:\n    - jsonl\n    - wandbb\n")
    assert fault.startswith(
        "recipe.yaml:6: train.observers[1]: there is no part 'wandbb' on the shelf 'observers'. Did you mean 'wandb'?"
    )


def test_a_part_without_a_name_or_a_default_is_explained(faults):
    assert faults("task: {head: cls}\ndata: {train: a.csv}\n") == [
        "recipe.yaml:1: task: expected the name of a part, or a mapping with 'name'; got {'head': 'cls'}."
    ]


def test_an_unknown_key_gets_a_hint_and_the_allowed_keys(faults):
    [fault] = faults(START + "train: {freeze: {layer: 3}}\n")
    assert fault == (
        "recipe.yaml:3: train.freeze.layer is not a setting. Did you mean 'layers'? "
        "train.freeze takes: embeddings, layers, all_but_head."
    )


def test_an_unknown_key_inside_a_part_gets_the_parts_own_settings(faults):
    [fault] = faults(START + "train:\n  schedule:\n    name: cosine\n    warmpu: 0.1\n")
    assert fault == (
        "recipe.yaml:6: train.schedule.warmpu is not a setting. Did you mean 'warmup'? train.schedule takes: warmup."
    )


def test_an_unknown_key_inside_a_section_of_a_part_gets_that_sections_settings(faults):
    [fault] = faults("task: {name: seq2seq, decoding: {num_beam: 2}}\ndata: {train: a.csv}\n")
    assert fault.startswith(
        "recipe.yaml:1: task.decoding.num_beam is not a setting. Did you mean 'num_beams'? task.dec"
    )


def test_a_setting_of_a_part_that_has_none_is_explained(faults):
    assert faults(START + "judge: {calibration: {name: none, bins: 3}}\n") == [
        "recipe.yaml:3: judge.calibration.bins is not a setting. judge.calibration takes no settings."
    ]


def test_a_key_of_another_section_is_sent_there(faults):
    assert faults(START + "seed: 3\n") == [
        (
            "recipe.yaml:3: seed is not a setting. Did you mean 'train.seed'? "
            "A recipe takes: schema, task, base, data, train, judge."
        )
    ]


def test_a_number_out_of_range_says_the_bound_and_what_was_got(faults):
    assert faults(START + "train:\n  learning_rate: -0.1\n  dropout: 1\n  epochs: -1\ndata2: 1\n")[:3] == [
        "recipe.yaml:4: train.learning_rate must be greater than 0; got -0.1.",
        "recipe.yaml:5: train.dropout must be less than 1; got 1.",
        "recipe.yaml:6: train.epochs must be 0 or more; got -1.",
    ]


def test_a_bound_inside_a_part_is_told_with_its_path(faults):
    [fault] = faults(START + "train: {schedule: {name: cosine, warmup: 2}}\n")
    assert fault.startswith("recipe.yaml:3: train.schedule.warmup must be less than 1; got 2")


def test_wrong_types_are_told_in_plain_words(faults):
    found = faults(
        START + "train:\n  epochs: 1.5\n  seed: x\n  learning_rate: fast\n  gradient_checkpointing: maybe\n"
        "  freeze: 3\n  observers: jsonl\n  weight_decay: .inf\n  clip_norm: .nan\n  accumulate: [1]\n"
        "  class_weights: [1]\n"
        "judge:\n  slices: author\n  gates: [a]\n  metric: {a: b}\n"
    )
    assert found == [
        "recipe.yaml:4: train.epochs must be a whole number; got 1.5.",
        "recipe.yaml:5: train.seed must be a whole number; got 'x'.",
        "recipe.yaml:6: train.learning_rate must be a number; got 'fast'.",
        "recipe.yaml:7: train.gradient_checkpointing must be true or false; got 'maybe'.",
        "recipe.yaml:8: train.freeze must be a mapping of settings, such as {key: value}; got 3.",
        "recipe.yaml:9: train.observers must be a list, such as [a, b]; got 'jsonl'.",
        "recipe.yaml:10: train.weight_decay must be a finite number; got inf.",
        "recipe.yaml:11: train.clip_norm must be a finite number; got nan.",
        "recipe.yaml:12: train.accumulate must be a whole number; got a list.",
        "recipe.yaml:13: train.class_weights must be one of none, balanced; got a list.",
        "recipe.yaml:15: judge.slices must be a list, such as [a, b]; got 'author'.",
        "recipe.yaml:16: judge.gates must be a mapping, such as {key: value}; got a list.",
        "recipe.yaml:17: judge.metric must be text; got a mapping.",
    ]


def test_true_is_no_number(faults):
    assert faults(START + "train: {epochs: true, patience: false, dropout: true}\n") == [
        "recipe.yaml:3: train.epochs must be a whole number; got 'true'.",
        "recipe.yaml:3: train.dropout must be a number; got 'true'.",
        "recipe.yaml:3: train.patience must be a whole number; got 'false'.",
    ]


def test_a_wrong_word_lists_the_allowed_ones(faults):
    assert faults(START + "train: {precision: fp31}\n") == [
        "recipe.yaml:3: train.precision must be one of auto, fp32, bf16, fp16; got 'fp31'. Did you mean 'fp32'?"
    ]


def test_a_weight_of_a_class_must_be_positive_and_a_number(faults):
    assert faults(START + "train:\n  class_weights: {no: -1, weights: 0, yes: heavy}\n") == [
        "recipe.yaml:4: train.class_weights.no must be greater than 0; got -1.",
        "recipe.yaml:4: train.class_weights.weights must be greater than 0; got 0.",
        "recipe.yaml:4: train.class_weights.yes must be a number; got 'heavy'.",
    ]


def test_what_is_missing_is_explained(faults):
    assert faults("base: minilm\ndata: {dev: 5%}\n") == [
        (
            "recipe.yaml:1: task is missing; it says: what the model learns to do: a part of the shelf `tasks`, "
            "e.g. classification."
        ),
        (
            "recipe.yaml:2: data.train is missing; it says: a path, a list of paths, `hub:<id>`, a source part with "
            "settings, or (from Python) rows, pandas, pyarrow."
        ),
    ]


def test_a_recipe_without_data_is_told_what_data_wants(faults):
    [fault] = faults("task: classification\n")
    assert fault.startswith("recipe.yaml:1: data.train is missing; it says: a path, a list of paths,")


def test_empty_training_data_is_refused(faults):
    assert faults("task: classification\ndata:\n  train:\n") == [
        "recipe.yaml:3: data.train must name the training rows, e.g. train.csv; it is empty."
    ]


def test_training_data_is_no_share(faults):
    assert faults("task: classification\ndata: {train: 10%}\n") == [
        "recipe.yaml:2: data.train must name the rows that shares are cut from, e.g. train.csv; got '10%'."
    ]


def test_a_share_out_of_range_is_refused(faults):
    assert faults(START.replace("}", ", dev: 95%, test: 0%}")) == [
        "recipe.yaml:2: data.dev must be a share between 0% and 90%, or a file; got '95%'.",
        "recipe.yaml:2: data.test must be a share between 0% and 90%, or a file; got '0%'.",
    ]


def test_a_gate_must_compare(faults):
    assert faults(START + "judge:\n  gates: {accuracy: 0.9}\n") == [
        "recipe.yaml:4: judge.gates.accuracy must be one of >= <= > < and a number, like \">= 0.95\"; got '0.9'."
    ]


def test_a_section_that_is_a_text_is_refused_as_a_section(faults):
    found = faults("task: classification\ntrain: train.csv\n")
    assert "recipe.yaml:2: train must be a mapping of settings, such as {key: value}; got 'train.csv'." in found


def test_values_are_shown_as_yaml_writes_them_and_long_ones_are_cut():
    assert [shown(value) for value in (None, True, 3, "a", {}, [], 1.5)] == [
        "nothing",
        "true",
        "3",
        "'a'",
        "a mapping",
        "a list",
        "1.5",
    ]
    assert shown("x" * 100) == f"'{'x' * 60}…'"
    assert shown(object()) == "a value of the Python type object"
