"""Pictures: what a row may hold, what training sees of it, fusion with a text, search either way."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from burnish.core.shelves import Shelf
from burnish.tasks import _pictures
from burnish.tasks._contract import Answered
from burnish.tasks._pairing import (
    among_themselves,
    encode_pairings,
    output_order,
    pairing_loss,
    pairing_targets,
    with_one_text,
)
from burnish.tasks._pictures import augmented, load_readers, picture_feature, pixels_of, read_picture


def build(name, **settings):
    return Shelf("tasks").build({"name": name, **settings})


def png(colour="red", size=(20, 30)):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "red.png"
    path.write_bytes(png())
    return path


@pytest.mark.parametrize("form", ["path", "text", "bytes", "image", "array", "mapping", "mapped path"])
def test_a_picture_may_come_in_any_of_these_forms(form, picture):
    image = Image.open(picture)
    forms = {
        **{"path": picture, "text": str(picture), "bytes": png(), "image": image, "array": np.asarray(image)},
        **{"mapping": {"bytes": png(), "path": None}, "mapped path": {"bytes": None, "path": str(picture)}},
    }
    example = read_picture(forms[form])
    assert (example["image"] is None) == (form in ("bytes", "image", "array", "mapping"))
    assert len(example["content"]) == 64
    content = example["bytes"] or Path(example["image"]).read_bytes()
    assert np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[5, 5].tolist() == [255, 0, 0]


def test_copies_of_a_picture_are_known_by_their_bytes(picture, tmp_path):
    copy = tmp_path / "copy.png"
    copy.write_bytes(picture.read_bytes())
    assert read_picture(copy)["content"] == read_picture(picture)["content"] != read_picture(png("blue"))["content"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "'image' is empty; give it a picture or take the row out"),
        (" ", "'image' is empty; give it a picture or take the row out"),
        (float("nan"), "'image' is empty; give it a picture or take the row out"),
        ("nowhere.png", "'image' names nowhere.png, which is not there."),
        ("https://example.org/a.png", "'image' names an address, https://example.org/a.png; download the picture"),
        (".", "'image' names a folder, .; name a file in it."),
        (7, "'image' must be a path, bytes, a PIL image or a uint8 array [height, width, 3]; got int."),
        (
            np.zeros((4, 4)),
            "'image' must be a path, bytes, a PIL image or a uint8 array [height, width, 3]; got ndarray f",
        ),
        (
            np.zeros((4, 4, 7), np.uint8),
            "'image' must be a path, bytes, a PIL image or a uint8 array [height, width, 3]",
        ),
        (b"words", "'image': the picture is not a picture of a known format"),
    ],
)
def test_a_cell_without_a_picture_is_told_in_one_sentence(value, sentence):
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        read_picture(value)


def test_a_file_that_is_no_picture_is_named(tmp_path, monkeypatch):
    text = tmp_path / "words.png"
    text.write_text("words")
    with pytest.raises(ValueError, match=rf"^'image': {text} is not a picture of a known format"):
        read_picture(text)
    with pytest.raises(ValueError, match=r"which is not there\. Did you mean 'words\.png'\?$"):
        read_picture(tmp_path / "word.png")
    monkeypatch.setattr(_pictures, "MOST_BYTES", 4)
    with pytest.raises(ValueError, match=rf"^'image': {text} has 0 MB, and at most 0 are read; shrink it\.$"):
        read_picture(text)


def test_a_file_that_may_not_be_read_is_told(picture, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ValueError, match=rf"^'image': {picture} cannot be read \(Permission denied\)\.$"):
        read_picture(picture)


@pytest.fixture
def reader(tiny_towers):
    return load_readers(tiny_towers, None, None, "")


def test_training_may_see_a_picture_mirrored_and_moved(reader):
    columns = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, :, None] * 8, (32, 32, 3))
    feature = picture_feature(read_picture(np.ascontiguousarray(columns)), reader)
    seen = [pixels_of(augmented(feature, np.random.default_rng(seed)))[0, :, 0] // 8 for seed in range(40)]
    assert {bool(row[0] > row[-1]) for row in seen} == {True, False}, "some are mirrored, some not"
    straight = [int(row[16]) for row in seen if row[0] < row[-1]]
    assert len(set(straight)) > 3
    assert all(abs(middle - 16) <= 4 for middle in straight), "by an eighth of 32 at most"
    again = pixels_of(augmented(feature, np.random.default_rng(3)))
    assert np.array_equal(again[0, :, 0] // 8, seen[3]), "the draw decides"


def test_whether_pictures_are_varied_is_a_setting(reader):
    feature = picture_feature(
        read_picture(np.arange(32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(32, 32, 3)), reader
    )
    for name in ("image", "image_text"):
        text = {"input_ids": np.arange(3), "n_each": np.array([3]), "codes": np.arange(2)}
        given = [{**feature, **text}] * 8
        for augment in (False, True):
            varied = build(name, augment=augment).varied(given, np.random.default_rng(0))
            is_same = [np.array_equal(one["pixels"], feature["pixels"]) for one in varied]
            assert all(is_same) != augment


def test_the_head_must_fit_what_is_read():
    assert build("image").head_part.part_name == "picture"
    assert build("image", text_base="minilm").head_part.part_name == "fusion"
    with pytest.raises(ValueError, match="the head 'fusion' needs a text_base, or leave the head out"):
        build("image", head="fusion")
    with pytest.raises(ValueError, match="the head 'picture' reads no text; take text_base out, or leave the head out"):
        build("image", head="picture", text_base="minilm")
    with pytest.raises(ValueError, match="the head 'cls' does not fit this task"):
        build("image", head="cls")


def test_a_picture_alone_has_no_prompt_and_no_length(tiny_towers):
    from burnish.core.errors import UserError

    for given, name in (((None, "say"), "prompt"), ((12, ""), "max_length")):
        with pytest.raises(
            UserError, match=rf"^data\.{name}: this task reads no text without task\.text_base; take it"
        ):
            build("image").load_reader(tiny_towers, *given)


def test_with_a_text_base_a_text_belongs_to_each_picture():
    task = build("image", text_base="minilm")
    row = {"image": png(), "text": "what colour?", "label": "red"}
    first, second = task.read(row, True), task.read({**row, "text": "what shape?"}, True)
    assert (first["text"], first["text_pair"]) == ("what colour?", "a picture")
    assert first["content"] != second["content"], "another question about a picture is no copy"
    with pytest.raises(ValueError, match=r"^'text' is empty; give it a text"):
        task.read({**row, "text": " "}, True)
    with pytest.raises(
        ValueError, match=r"^'text' is missing: this task reads a text with each picture \(--pair on the"
    ):
        task.read({"image": png()}, False)


def test_fused_batches_hold_both_and_the_label_depends_on_both(reader, tiny_towers):
    task = build("image", text_base="minilm")
    rows = [("red", "so bad"), ("red", "all good day"), ("blue", "so bad")]
    examples = [task.read({"image": png(colour), "text": text}, False) for colour, text in rows]
    features = [one.features[0] for one in task.encode(examples, reader, ("a", "b"))]
    batch = task.collate(features, 0, 2).to("cpu")
    assert batch.inputs.keys() >= {"picture.pixel_values", "text.input_ids", "text.attention_mask"}
    assert [int(one["n_units"][0]) for one in features] == [4 + len(one["input_ids"]) for one in features]
    network = task.head_part.attach(tiny_towers, task.head_plan(("a", "b"))).eval()
    logits = task.ask(network, batch)
    assert not torch.allclose(logits[0], logits[1], atol=1e-6)
    assert not torch.allclose(logits[0], logits[2], atol=1e-6)


# pictures and texts in one space


def pairing(colour="red", text=("a good day", "so bad")):
    return build("image_text").read({"image": png(colour), "text": text}, True)


@pytest.mark.parametrize(
    ("values", "is_labelled", "sentence"),
    [
        ({"image": png(), "text": ["a", " "]}, True, "'text' is empty; give it a text"),
        ({"image": png(), "text": []}, True, "'text' is empty; give it a text"),
        ({"image": png()}, True, "'text' is empty; give it a text"),
        ({"text": "a"}, True, "'image' is empty; give it a picture"),
        ({}, False, "the row has neither 'image' nor 'text'; give it one of them, or both."),
        ({"text": "no/such.JPG"}, False, "'image' names no/such.JPG, which is not there."),
    ],
)
def test_a_pairing_that_cannot_be_used_is_told_in_one_sentence(values, is_labelled, sentence):
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        build("image_text").read(values, is_labelled)


def test_a_bare_text_that_names_a_picture_is_a_picture(picture):
    read = build("image_text").read
    assert read({"text": str(picture)}, False)["content"]
    assert read({"text": "a dog chews on photo.png"}, False)["texts"] == ["a dog chews on photo.png"]
    assert read({"text": "a dog"}, False)["content"] is None


def test_one_text_of_each_picture_is_learnt_at_a_time(reader):
    (one,) = encode_pairings([pairing(text=["good", "bad day", "so"])], reader)
    feature = one.features[0]
    drawn = [with_one_text(feature, np.random.default_rng(seed)) for seed in range(20)]
    pieces = {tuple(piece["input_ids"].tolist()) for piece in drawn}
    assert pieces == {
        tuple(part.tolist()) for part in np.split(feature["input_ids"], np.cumsum(feature["n_each"])[:-1])
    }
    assert all(len(piece["codes"]) == 2 and piece["codes"][0] == feature["codes"][0] for piece in drawn)


def test_rows_come_back_feature_by_feature_whatever_each_holds(reader, tiny_towers):
    task = build("image_text")
    values = [{"text": "so bad"}, {"image": png(), "text": ["good", "a day"]}, {"image": png("blue")}]
    features = [one.features[0] for one in task.encode([task.read(one, False) for one in values], reader, ())]
    assert output_order(features).tolist() == [2, 0, 3, 4, 1]
    network = task.head_part.attach(tiny_towers, task.head_plan(())).eval()
    batch = task.collate(features, 0, 0).to("cpu")
    assert batch.rows_each == [1, 3, 1]
    together = task.ask(network, batch)
    alone = torch.cat([task.ask(network, task.collate([one], 0, 0).to("cpu")) for one in features])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_the_loss_is_cross_entropy_both_ways():
    targets = {
        "owner": torch.tensor([0, 1]),
        "is_twin": torch.zeros(2, 2, dtype=torch.bool),
        "is_sibling": torch.zeros(2, 2, dtype=torch.bool),
    }
    rows = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.0, 1.0]])  # two pictures, then their texts
    # texts × pictures: [[1, 2], [0, 2]]; own are 0 and 1. By text: ln(1 + e) and ln(1 + e⁻²)
    # pictures × texts: [[1, 0], [2, 2]]; by picture: ln(1 + e⁻¹) and ln 2
    by_text = (np.log(1 + np.e) + np.log(1 + np.exp(-2))) / 2
    by_picture = (np.log(1 + np.exp(-1)) + np.log(2)) / 2
    assert pairing_loss(rows, targets, 0.0).item() == pytest.approx((by_text + by_picture) / 2, rel=1e-5)


def test_what_fits_too_is_put_out_of_the_way(reader):
    examples = [
        pairing("red", ["good", "a day"]),
        pairing("red", ["so"]),
        pairing("blue", ["Good"]),
        pairing("blue", ["good "]),
    ]
    features = [one.features[0] for one in encode_pairings(examples, reader)]
    found = pairing_targets(features)
    assert found["owner"].tolist() == [0, 0, 1, 2, 3]
    twins = [np.flatnonzero(row).tolist() for row in found["is_twin"]]
    # a copy of its picture is no mistake, nor a picture with the same text (case counts)
    assert twins == [[1, 3], [1], [0], [3], [0, 2]]
    siblings = [np.flatnonzero(row).tolist() for row in found["is_sibling"]]
    assert siblings == [[1, 2, 4], [0, 2, 4], [0, 1], [4], [0, 3]]


def answered(content, picture, *texts):
    feature = {"pixels": np.zeros(1, np.int32), "n_each": np.ones(len(texts), np.int32)}
    return Answered(
        {"content": content, "image": content}, [feature], [np.array([picture, *texts], np.float32).reshape(-1)]
    )


def test_places_are_counted_among_the_rows_and_ties_count_against():
    rows = [answered("a", [1, 0], [1, 0], [0, 1]), answered("b", [0, 3], [1, 0.1])]
    found = among_themselves(rows)
    assert [places.tolist() for places in found.picture_places] == [[1, 2], [2]]
    assert found.text_places.tolist() == [1, 2]  # b's own text has cosine 0.1 with it, a's second 1
    assert found.found_texts == [["a", "b"], ["a", "b"]]
    same = among_themselves([answered(name, [1, 0], [1, 0]) for name in "abc"])
    assert [places.tolist() for places in same.picture_places] == [[3], [3], [3]]
    assert same.text_places.tolist() == [3, 3, 3]


def test_rows_of_one_picture_share_it():
    rows = [answered("a", [1, 0], [1, 0]), answered("a", [1, 0], [0, 1]), answered("b", [0, 1], [0, 1])]
    found = among_themselves(rows)
    assert [places.tolist() for places in found.picture_places] == [[1], [2], [1]]
    assert found.text_places.tolist() == [1, 1, 2]
    assert len(among_themselves([])) == 0
