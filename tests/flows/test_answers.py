"""The main job with answers to questions, on a tiny base: fit, judge, predict, and the model in plain transformers."""

import json

import numpy as np
import pytest
import torch

import burnish
from burnish.core.files import read_json


def question_rows(n, seed=0):
    """Four letters; asked is what follows the letter of the question; some letters are not there."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        letters = draw.permutation(list("abcdefghijkl"))[:5]
        asked = letters[draw.integers(5)]
        context = " ".join(letters)
        place = context.index(asked) + 2
        answers = [{"text": context[place], "start": place}] if place < len(context) else []
        rows.append({"id": f"q{number}", "question": asked, "context": context, "answers": answers})
    return rows


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, tiny_base):
    folder = tmp_path_factory.mktemp("answers")
    for name, rows in (("train", question_rows(120)), ("test", question_rows(30, seed=1))):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = {
        "task": "answers",
        "base": str(tiny_base),
        "data": {
            "train": str(folder / "train.jsonl"),
            "dev": "20%",
            "test": str(folder / "test.jsonl"),
            "duplicates": "exact",
        },
        "train": {"epochs": 1, "learning_rate": 0.003, "precision": "fp32", "tokens_per_batch": 128},
        "judge": {"n_bootstrap": 20, "gates": {"answer_f1": ">= 0"}},
    }
    return burnish.fit(recipe, out=folder / "bundle").bundle


def test_the_report_has_the_scores_of_answers_and_their_confidence(bundle):
    report = read_json(bundle / "report" / "report.json")
    assert {"answer_f1", "exact_match", "ece", "aurc", "coverage_at_target"} <= report["scores"].keys()
    assert "Exact match" in (bundle / "report" / "report.html").read_text()
    assert len(read_json(bundle / "burnish.json")["decision"]["label_thresholds"]) == 1


def test_judging_the_bundle_again_gives_the_same_scores(bundle):
    again = burnish.judge(bundle, bundle.parent / "test.jsonl").report
    fitted = read_json(bundle / "report" / "report.json")["scores"]
    assert again.scores["answer_f1"] == pytest.approx(fitted["answer_f1"], abs=1e-6)


def test_an_answer_is_a_piece_of_the_users_own_context(bundle):
    row = {"question": "b?", "context": "  a  b, c 北京\n"}
    for answer in burnish.predict(bundle, [row, ("b?", row["context"])]):
        assert answer.answer == ("" if answer.start is None else row["context"][answer.start : answer.end])
        assert 0 <= answer.confidence <= 1


def test_the_card_shows_how_to_ask(bundle):
    card = (bundle / "README.md").read_text()
    assert 'print(model({"question": "…", "context": "…"}))' in card
    assert "AutoModelForQuestionAnswering" in card


def test_the_model_answers_alike_in_plain_transformers(bundle):
    from transformers import AutoModelForQuestionAnswering

    model = burnish.load(bundle)
    plain = AutoModelForQuestionAnswering.from_pretrained(bundle / "model").eval()
    example = model.knowledge.task.read({"question": "a", "context": "b a c"}, False)
    (row,) = model.answer([example])
    ids, types = (
        torch.tensor(row.features[0][name][None].astype(np.int64)) for name in ("input_ids", "token_type_ids")
    )
    with torch.inference_mode():
        found = plain(input_ids=ids, token_type_ids=types)
    logits = torch.stack([found.start_logits, found.end_logits], -1)[0].numpy()
    np.testing.assert_allclose(row.outputs[0], logits, atol=1e-5)
