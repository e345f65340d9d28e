"""The main job with pictures, on tiny bases: labels, labels of a picture and a text, search either way."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

import burnish
from burnish.bundle.predictor import load_predictor
from burnish.core.errors import UserError
from burnish.flows.predict import predict_file

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 200, 30)}
TRAIN = {"epochs": 3, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 64}
JUDGE = {"n_bootstrap": 20, "formats": ["json", "markdown", "html"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """train.csv with the paths of 48 pictures seen from it, each noisy and of one of three colours."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "pictures").mkdir()
    draw = np.random.default_rng(0)
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", "colour", "caption", "question", "answer"))
        for number in range(48):
            colour = list(COLOURS)[number % 3]
            noise = draw.integers(-25, 26, (24, 24, 3))
            pixels = np.clip(np.array(COLOURS[colour]) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "pictures" / f"{number}.png")
            is_good = number % 2 == 0
            asked = "good" if is_good else "bad"
            writer.writerow(
                (f"pictures/{number}.png", colour, f"a {colour} day", asked, f"{asked} {colour}" if is_good else "none")
            )
    return folder


def recipe(folder, base, task, columns, **train):
    return {
        "task": task,
        "base": str(base),
        "data": {
            "train": str(folder / "train.csv"),
            "dev": "25%",
            "test": "25%",
            "columns": {"image": "photo", **columns},
        },
        "train": {**TRAIN, **train},
        "judge": JUDGE,
    }


@pytest.fixture(scope="module")
def classifier(folder, tiny_towers):
    asked = recipe(folder, tiny_towers, {"name": "image", "augment": True}, {"label": "colour"})
    return burnish.fit(asked, out=folder / "classifier")


def test_a_picture_gets_its_label_from_a_path_bytes_or_an_image(classifier, folder, monkeypatch):
    assert classifier.report.scores["accuracy"] > 0.9
    assert classifier.example == "FILE"
    path = folder / "pictures" / "1.png"
    predictor = load_predictor(classifier.bundle)
    answers = list(predictor.predict([str(path), {"image": path.read_bytes()}, {"image": Image.open(path)}]))
    assert [answer.label for answer in answers] == ["blue"] * 3
    assert len({answer.confidence for answer in answers}) == 1
    assert burnish.judge(classifier.bundle, folder / "train.csv").report.scores["accuracy"] > 0.9


def test_the_bundle_is_what_transformers_reads(classifier):
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(classifier.bundle / "model").eval()
    reader = AutoImageProcessor.from_pretrained(classifier.bundle / "model", backend="pil")
    pixels = reader(Image.new("RGB", (24, 24), COLOURS["green"]), return_tensors="pt")["pixel_values"]
    assert model.config.id2label[int(model(pixels).logits.argmax())] == "green"
    card = (classifier.bundle / "README.md").read_text()
    assert "An **image** model with 3 labels" in card
    assert 'model("path/to/your/file")' in card
    assert "AutoModelForImageClassification" in card


def test_a_file_of_paths_is_answered_into_a_file(classifier, folder, tmp_path):
    (folder / "more").mkdir(exist_ok=True)
    (folder / "more" / "asked.csv").write_text("photo\n../pictures/0.png\n../pictures/1.png\n")
    assert predict_file(classifier.bundle, folder / "more" / "asked.csv", tmp_path / "out.csv") == 2
    with (tmp_path / "out.csv").open() as file:
        assert [(row["photo"], row["prediction_label"]) for row in csv.DictReader(file)] == [
            ("../pictures/0.png", "red"),
            ("../pictures/1.png", "blue"),
        ]
    (folder / "more" / "asked.csv").write_text("photo\n../pictures/0.png\nnone.png\n")
    with pytest.raises(UserError, match=rf"asked\.csv:3: 'image' names {folder}/more/none\.png, which is not there\.$"):
        predict_file(classifier.bundle, folder / "more" / "asked.csv", tmp_path / "out.csv")


def test_every_row_without_a_usable_picture_is_told_with_its_line(folder, tiny_towers, tmp_path):
    shutil.copytree(folder / "pictures", tmp_path / "pictures")
    text = (folder / "train.csv").read_text()
    (tmp_path / "train.csv").write_text(text)
    (tmp_path / "pictures" / "0.png").write_bytes((tmp_path / "pictures" / "0.png").read_bytes()[:300])
    (tmp_path / "pictures" / "2.png").write_text("words")
    (tmp_path / "pictures" / "3.png").unlink()
    asked = recipe(tmp_path, tiny_towers, "image", {"label": "colour"})
    with pytest.raises(UserError) as caught:
        burnish.check(asked)
    place = tmp_path / "train.csv"
    assert [fault.split(" (")[0] for fault in caught.value.faults] == [
        f"{place}:2: 'image': {tmp_path}/pictures/0.png is a damaged or cut picture",
        f"{place}:4: 'image': {tmp_path}/pictures/2.png is not a picture of a known format",
        f"{place}:5: 'image' names {tmp_path}/pictures/3.png, which is not there. Did you mean '43.png'?",
    ]


def test_copies_of_pictures_are_found_and_told(folder, tiny_towers, tmp_path):
    shutil.copytree(folder / "pictures", tmp_path / "pictures")
    (tmp_path / "train.csv").write_text((folder / "train.csv").read_text())
    shutil.copy(tmp_path / "pictures" / "0.png", tmp_path / "pictures" / "1.png")  # red under the label blue
    card = burnish.check(recipe(tmp_path, tiny_towers, "image", {"label": "colour"})).card
    train = card.to_dict()["duplicates"]["train"]
    assert (train["n_exact"], train["n_conflicting"]) == (1, 2)


def test_a_picture_and_a_text_together_get_one_label(folder, tiny_towers):
    task = {"name": "image", "text_base": str(tiny_towers / "text")}
    asked = recipe(folder, tiny_towers, task, {"text": "question", "label": "answer"}, epochs=12)
    found = burnish.fit(asked, out=folder / "fused")
    assert found.report.scores["accuracy"] > 0.7
    assert (found.bundle / "model" / "text" / "tokenizer.json").is_file()
    predictor = load_predictor(found.bundle)
    picture = str(folder / "pictures" / "0.png")
    assert [one.label for one in predictor.predict([(picture, "good"), (picture, "bad")])] == ["good red", "none"]
    assert "`model/text`" in (found.bundle / "README.md").read_text()


@pytest.fixture(scope="module")
def search(folder, tiny_towers):
    task = {
        "name": "image_text",
        "text_base": str(tiny_towers / "text"),
        "corpus": str(folder / "train.csv"),
        "corpus_columns": {"image": "photo", "text": "caption"},
        "top": 3,
    }
    asked = recipe(folder, tiny_towers, task, {"text": "caption"}, epochs=60, tokens_per_batch=256, learning_rate=0.003)
    return burnish.fit(asked, out=folder / "search").bundle


def test_pictures_are_found_by_words_and_words_by_a_picture(search, folder):
    predictor = load_predictor(search)
    (by_text,) = predictor.predict(["a blue day"])
    assert [hit.payload["colour"] for hit in by_text.pictures] == ["blue"] * 3
    assert by_text.texts == []
    assert by_text.pictures[0].image.startswith(str(folder / "pictures"))
    (by_picture,) = predictor.predict([str(folder / "pictures" / "0.png")])
    assert [hit.text for hit in by_picture.texts] == ["a red day"] * 3
    assert [hit.payload["colour"] for hit in by_picture.pictures] == ["red"] * 3
    assert by_picture.pictures[0].similarity == pytest.approx(1, abs=1e-5)
    fitting, other = predictor.predict(
        [{"text": text, "image": folder / "pictures" / "0.png"} for text in ("a red day", "a blue day")]
    )
    assert fitting.similarity > other.similarity
    assert fitting.lines()[0].answer.startswith("similarity ")
    assert len(by_picture.lines()) == 6


def test_the_report_tells_recall_both_ways(search):
    report = json.loads((search / "report" / "report.json").read_text())
    assert {"picture_recall_at_1", "picture_recall_at_10", "text_recall_at_5", "pairing_mrr"} <= report["scores"].keys()
    assert "Recall of pictures at 10" in (search / "report" / "report.md").read_text()


def test_a_damaged_gallery_is_refused(search, tmp_path):
    from burnish.tasks._gallery import open_gallery

    kept = tmp_path / "stock"
    shutil.copytree(search / "stock", kept)
    assert load_file(kept / "vectors.safetensors")["pictures"].shape == (48, 256)
    (kept / "vectors.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match=r"is not the vectors of these pictures and texts; copy the bundle again\.$"):
        open_gallery(kept)


def test_a_corpus_of_unusable_rows_is_told(folder, tiny_towers, tmp_path):
    (tmp_path / "corpus.csv").write_text("image,text\nnone.png,\n,\n")
    task = {"name": "image_text", "text_base": str(tiny_towers / "text"), "corpus": str(tmp_path / "corpus.csv")}
    asked = recipe(folder, tiny_towers, task, {"text": "caption"})
    with pytest.raises(UserError) as caught:
        burnish.check(asked)
    assert caught.value.faults == (
        f"{tmp_path}/corpus.csv:2: 'image' names {tmp_path}/none.png, which is not there.",
        f"{tmp_path}/corpus.csv:3: the row has neither 'image' nor 'text'; give it one of them, or both.",
    )
    (tmp_path / "corpus.csv").write_text("image,text\n")
    with pytest.raises(UserError, match=r"corpus\.csv: there is only a header, no rows\.$"):
        burnish.check(asked)


@pytest.mark.parametrize(
    ("base", "text_base", "sentence"),
    [
        ("", "", r"^task\.text_base: .* reads pictures \(vit\), not texts; name a base that does\.$"),
        ("text", "text", r"base: .*text reads texts \(bert\), not pictures; name a base that does\.$"),
        ("", "nowhere", r"^task\.text_base: '.*nowhere' is neither a named base nor a folder"),
    ],
)
def test_bases_that_read_something_else_are_refused(base, text_base, sentence, folder, tiny_towers):
    task = {"name": "image_text", "text_base": str(tiny_towers / text_base)}
    with pytest.raises(UserError, match=sentence):
        burnish.check(recipe(folder, tiny_towers / base, task, {"text": "caption"}))
