"""The shipped samples and recipes are what they say they are, and hold no copies of each other's rows."""

import csv
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from burnish.flows.check import check
from burnish.recipe.load import load

ROOT = Path(__file__).resolve().parents[1]
SAMPLES, RECIPES = ROOT / "samples", ROOT / "recipes"
TABLES = sorted(file for file in SAMPLES.iterdir() if file.suffix in (".csv", ".tsv", ".jsonl", ".txt"))
ON_SAMPLES = (
    *("support", "support_fewshot", "support_zh", "topics", "entities", "pairs", "relations", "faq", "answers"),
    *("pretrain", "ranking", "multitask", "entailment", "entities_fewshot"),
)
ON_RECORDINGS = ("commands", "replies", "transcription")
ON_PICTURES = ("pictures", "picture_question", "picture_search")
WRITING = {  # recipe on a sample → the fixture with a tiny base that it can start from
    **dict.fromkeys(("instructions", "instructions_zh", "dialogue"), "tiny_causal_base"),
    "sentences": "tiny_seq2seq_base",
}
ON_PUBLIC_DATA = {  # recipe → the folder that it reads
    "clinc150": "clinc150",
    "conll2003": "conll2003",
    "thucnews_titles": "thucnews_titles",
    "chnsenticorp": "chnsenticorp",
    "cluener2020": "cluener2020",
    "stsb_multi": "stsb_multi",
    "semeval2010": "semeval2010_task8",
    "finre": "finre",
    "bank_faq": "bank_faq",
    "cmrc2018": "cmrc2018",
    "dialogsum": "dialogsum",
    "multi30k": "multi30k",
    "fomc": "fomc",
    "movielens": "movielens_small",
    "flickr8k": "flickr8k",
    "finance": "fin_phrasebank",
}
ON_PUBLIC_RECORDINGS = {"fsdd": "fsdd"}
PUBLIC_BASES = {"dialogsum": "tiny_causal_base", "multi30k": "tiny_seq2seq_base", "flickr8k": "tiny_towers"}


def rows_of(name):
    text = (SAMPLES / name).read_text("utf-8")
    if name.endswith(".txt"):
        return text.split("\n\n")
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(text.splitlines(), delimiter="\t" if name.endswith(".tsv") else ","))


@pytest.mark.parametrize(
    ("name", "column", "n_labels", "least_rows_each"),
    [
        ("support_en.csv", "intent", 10, 45),
        ("support_en_test.csv", "intent", 10, 15),
        ("support_zh.csv", "intent", 8, 30),
        ("support_zh_test.csv", "intent", 8, 12),
    ],
)
def test_each_class_of_a_sample_has_enough_rows(name, column, n_labels, least_rows_each):
    counts = Counter(row[column] for row in rows_of(name))
    assert len(counts) == n_labels
    assert min(counts.values()) >= least_rows_each


def test_topics_carry_several_labels_and_sometimes_none():
    labels = [row["labels"].split("|") if row["labels"] else [] for row in rows_of("topics_en.csv")]
    assert {name for names in labels for name in names} == {
        "price", "staff", "food", "clean", "room", "location", "noise",
    }  # fmt: skip
    assert {0, 1, 2, 3} <= {len(names) for names in labels}


def test_relations_are_marked_once_each_and_two_of_them_stand_in_both_directions():
    rows = rows_of("relations_en.csv")
    assert len(rows) >= 120
    assert set(Counter(row["label"] for row in rows).values()) == {22}
    assert {row["label"] for row in rows} == {
        "works_for(e1,e2)", "works_for(e2,e1)", "bought(e1,e2)", "bought(e2,e1)", "partner_of", "none",
    }  # fmt: skip
    for row in rows:
        assert re.fullmatch(r"[^<>]*<e1>[^<> ][^<>]*</e1>[^<>]*<e2>[^<> ][^<>]*</e2>[^<>]*", row["text"])


@pytest.mark.parametrize(("name", "n_premises"), [("entailment_en.csv", 40), ("entailment_zh.csv", 16)])
def test_every_premise_has_a_hypothesis_of_each_kind(name, n_premises):
    kinds = Counter((row["premise"], row["relation"]) for row in rows_of(name))
    assert set(kinds.values()) == {1}
    assert {kind for _, kind in kinds} == {"entailment", "neutral", "contradiction"}
    assert len(kinds) == 3 * len({premise for premise, _ in kinds}) == 3 * n_premises


def test_answers_are_pieces_of_their_texts_and_some_questions_have_none():
    rows = rows_of("answers_en.jsonl")
    assert len({row["context"] for row in rows}) >= 12
    assert len({row["id"] for row in rows}) == len(rows) >= 60
    for row in rows:
        for answer in row["answers"]:
            assert row["context"].startswith(answer["text"], answer["start"])
    assert 5 <= sum(not row["answers"] for row in rows) <= 15


@pytest.mark.parametrize(("name", "least_rows"), [("dialogue_en.jsonl", 48), ("dialogue_zh.jsonl", 40)])
def test_talks_begin_with_the_user_end_with_the_assistant_and_many_go_on(name, least_rows):
    talks = [row["messages"] for row in rows_of(name)]
    assert len(talks) >= least_rows
    assert all([one["role"] for one in talk] == ["system", *["user", "assistant"] * (len(talk) // 2)] for talk in talks)
    assert {3, 5, 7} <= {len(talk) for talk in talks}
    assert sum(len(talk) >= 5 for talk in talks) > len(talks) / 2


@pytest.mark.parametrize("name", ["entities_en.jsonl", "entities_zh.jsonl"])
def test_spans_point_at_whole_words_in_order(name):
    rows = rows_of(name)
    assert len(rows) >= 120
    assert {span["label"] for row in rows for span in row["spans"]} == {"PERSON", "PLACE", "ORG", "DATE"}
    for row in rows:
        end = 0
        for span in row["spans"]:
            surface = row["text"][span["start"] : span["end"]]
            assert span["start"] >= end
            assert surface
            assert surface == surface.strip(" ,;:，。、；：")
            end = span["end"]


@pytest.mark.parametrize("name", ["entities_en.jsonl", "entities_zh.jsonl"])
def test_some_entity_texts_have_emoji_and_mixed_scripts(name):
    texts = [row["text"] for row in rows_of(name)]
    assert any(re.search("[\U0001f300-\U0001faff]", text) for text in texts)
    assert any(re.search("[a-zA-Z]", text) and re.search("[一-鿿]", text) for text in texts)


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.name)
def test_every_sample_is_told_of_in_the_readme_with_its_number_of_rows(file):
    line = next(line for line in (SAMPLES / "README.md").read_text("utf-8").splitlines() if f"`{file.name}`" in line)
    assert line.endswith(f"| {len(rows_of(file.name))} |")


def test_every_recording_is_named_and_small():
    named = {row["audio"] for name in ("commands_en.csv", "replies_en.csv") for row in rows_of(name)}
    files = [file for file in (SAMPLES / "speech").iterdir() if file.is_file()]
    assert named == {file.relative_to(SAMPLES).as_posix() for file in files}
    assert sum(file.stat().st_size for file in files) <= 300_000


def test_no_reply_can_be_told_from_its_recording_or_its_question_alone():
    rows = rows_of("replies_en.csv")
    for column in ("audio", "question"):
        actions = {
            value: {row["action"] for row in rows if row[column] == value} for value in {r[column] for r in rows}
        }
        assert any(len(found) > 1 for found in actions.values())


@pytest.mark.parametrize("name", ON_RECORDINGS)
def test_a_recipe_on_recordings_passes_check(name, tiny_listener, tiny_base):
    overrides = [f"task.text_base={tiny_base}"] if name == "replies" else []
    result = check(RECIPES / f"{name}.yaml", overrides, base=str(tiny_listener))
    assert result.warnings == []
    assert sum(one.n_exact + one.n_near + one.n_conflicting for one in result.card.duplicates.values()) == 0


@pytest.mark.parametrize("name", ON_PICTURES)
def test_a_recipe_on_pictures_passes_check(name, tiny_towers, tiny_base):
    overrides = [] if name == "pictures" else [f"task.text_base={tiny_base}"]
    result = check(RECIPES / f"{name}.yaml", overrides, base=str(tiny_towers))
    assert result.warnings == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_PUBLIC_RECORDINGS)
def test_a_recipe_on_public_recordings_passes_check(name, tiny_listener):
    folder = ON_PUBLIC_RECORDINGS[name]
    if not (Path(os.environ.get("BURNISH_DATA", "nowhere")) / folder).is_dir():
        pytest.skip(f"set BURNISH_DATA to a folder that holds {folder}")
    assert check(RECIPES / f"{name}.yaml", base=str(tiny_listener)).card.splits["train"].n_rows > 1000


@pytest.mark.parametrize("name", [*ON_SAMPLES, *WRITING])
def test_a_recipe_on_samples_passes_check_without_duplicates_leaks_or_warnings(name, request):
    base = request.getfixturevalue(WRITING.get(name, "tiny_base"))
    result = check(RECIPES / f"{name}.yaml", base=str(base))
    found = result.card.duplicates.values()
    assert sum(one.n_exact + one.n_near + one.n_conflicting for one in found) == 0
    assert sum(leak.n_rows for leak in result.card.leaks) == 0
    assert [text for text in result.warnings if "longer than" not in text] == []  # the tiny base reads 64 tokens


def test_the_chinese_entities_pass_check(tiny_base):
    result = check(task="tokens", train=str(SAMPLES / "entities_zh.jsonl"), base=str(tiny_base))
    assert sum(one.n_exact + one.n_near for one in result.card.duplicates.values()) == 0


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_recipe_loads_and_names_only_settings_that_there_are(file):
    assert load(file).recipe.train.epochs >= 1


def test_every_recipe_is_tested():
    assert {file.stem for file in RECIPES.glob("*.yaml")} == {
        *ON_SAMPLES, *WRITING, *ON_PUBLIC_DATA, *ON_RECORDINGS, *ON_PICTURES, *ON_PUBLIC_RECORDINGS,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_PUBLIC_DATA)
def test_a_recipe_on_public_data_passes_check(name, request):
    base = request.getfixturevalue(PUBLIC_BASES.get(name, "tiny_base"))
    folder = ON_PUBLIC_DATA[name]
    if not (Path(os.environ.get("BURNISH_DATA", "nowhere")) / folder).is_dir():
        pytest.skip(f"set BURNISH_DATA to a folder that holds {folder}")
    result = check(RECIPES / f"{name}.yaml", [] if name in PUBLIC_BASES else ["data.max_length=64"], base=str(base))
    if result.recipe.data.train is not None:
        assert result.card.splits["train"].n_rows > (300 if name == "fomc" else 400)  # fomc's are whole speeches
