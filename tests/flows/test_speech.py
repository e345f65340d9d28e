"""Speech on tiny bases, end to end: fit, judge, predict; files beside the table that names them; faults by line."""

import json

import numpy as np
import pytest
import soundfile
from tests.conftest import tone
from tests.flows.conftest import write_csv

import burnish
from burnish.core.errors import UserError
from burnish.flows.check import check
from burnish.flows.predict import predict_file

LOW, HIGH = range(200, 400, 20), range(900, 1100, 20)


def sounds(folder, n=32):
    """Low and high tones as wav files of several kinds, and the table that names them."""
    (folder / "sounds").mkdir()
    rows = []
    for number in range(n):
        label, hertz = (("low", LOW), ("high", HIGH))[number % 2]
        rate_hz = (8_000, 16_000, 44_100)[number % 3]
        samples = tone(hertz[number // 2 % 10] + number / 50, 0.2 + number / 100, rate_hz)
        name = f"sounds/{number}.{('wav', 'flac')[number % 2]}"
        soundfile.write(folder / name, np.stack([samples] * (1 + number % 2), axis=1), rate_hz)
        rows.append((name, label, label, ("a", "b", "c", "d")[number % 4]))
    return write_csv(folder / "train.csv", rows, ("audio", "label", "words", "voice"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    sounds(folder)
    return folder


def recipe(folder, base, task="speech", **settings):
    return {
        "task": {"name": task, "max_seconds": 1, **settings},
        "base": str(base),
        "data": {"train": str(folder / "train.csv"), "dev": "25%", "duplicates": "exact"},
        "train": {"epochs": 4, "learning_rate": 0.003, "precision": "fp32", "tokens_per_batch": 400},
        "judge": {"n_bootstrap": 20, "formats": ["json", "markdown"]},
    }


@pytest.fixture(scope="module")
def bundle(folder, tiny_listener):
    return burnish.fit(recipe(folder, tiny_listener), out=folder / "bundle").bundle


def test_fit_writes_a_bundle_that_hears(bundle, folder):
    assert json.loads((bundle / "report" / "report.json").read_text())["scores"]["accuracy"] >= 0.9
    assert {"preprocessor_config.json", "head.safetensors"} <= {file.name for file in (bundle / "model").iterdir()}
    model = burnish.load(bundle)
    by_path = model({"audio": str(folder / "sounds" / "1.flac")})
    samples, rate_hz = soundfile.read(folder / "sounds" / "1.flac", dtype="float32")
    by_samples = model({"audio": (samples, rate_hz)})
    assert by_path.label == by_samples.label == "high"
    assert by_samples.confidence == pytest.approx(by_path.confidence, abs=1e-4)
    assert model(str(folder / "sounds" / "1.flac")) == by_path


def test_a_bundle_is_judged_and_answers_files_from_anywhere(bundle, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = burnish.judge(bundle, folder / "train.csv").report
    assert again.n_rows == 32
    assert predict_file(bundle, folder / "train.csv", "answers.jsonl") == 32
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert sum(row["label"] == row["words"] for row in answers) / 32 == pytest.approx(again.scores["accuracy"])


def test_two_fits_of_one_recipe_give_the_same_weights(bundle, folder, tiny_listener, tmp_path):
    again = burnish.fit(recipe(folder, tiny_listener), out=tmp_path / "again").bundle
    for name in ("model.safetensors", "head.safetensors"):
        assert (again / "model" / name).read_bytes() == (bundle / "model" / name).read_bytes()


@pytest.mark.parametrize("base", ["tiny_wav2vec2", "tiny_hubert"])
def test_other_kinds_of_base_are_fitted_and_come_back(base, folder, tmp_path, request):
    asked = recipe(folder, request.getfixturevalue(base))
    result = burnish.fit(asked, ["train.epochs=1", "train.dropout=0"], out=tmp_path / "bundle")
    again = burnish.judge(result.bundle, folder / "train.csv").report
    assert again.n_rows == 32


def test_a_recording_and_a_text_are_fitted_together_and_come_back(folder, tiny_listener, tiny_base, tmp_path):
    asked = recipe(folder, tiny_listener, text_base=str(tiny_base))
    asked["data"]["columns"] = {"text": "voice", "label": "words"}
    bundle = burnish.fit(asked, ["train.epochs=2", "train.dropout=0"], out=tmp_path / "bundle").bundle
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        file.name for file in (bundle / "model" / "text").iterdir()
    }
    rows = [
        {"audio": str(folder / "sounds" / "0.wav"), "text": "a"},
        {"audio": str(folder / "sounds" / "1.flac"), "text": "b"},
    ]
    before = [answer.confidence for answer in burnish.predict(bundle, rows)]
    bundle.rename(tmp_path / "moved")
    assert [answer.confidence for answer in burnish.predict(tmp_path / "moved", rows)] == before


def test_transcription_learns_two_words(folder, tiny_listener, tmp_path):
    asked = recipe(folder, tiny_listener, "transcription", decoding={"max_new_tokens": 8})
    asked["data"]["columns"] = {"text": "words"}
    result = burnish.fit(asked, ["train.epochs=12", "train.tokens_per_batch=200"], out=tmp_path / "bundle")
    assert result.report.scores["wer"] <= 0.1
    (answer,) = burnish.predict(result.bundle, [{"audio": str(folder / "sounds" / "0.wav")}])
    assert answer.lines()[0].confidence is None
    assert answer.text in {"low", "high"}


def test_every_recording_that_cannot_be_used_is_told_with_its_line(tmp_path, tiny_listener):
    soundfile.write(tmp_path / "good.wav", tone(300), 16_000)
    soundfile.write(tmp_path / "empty.wav", tone(300)[:0], 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    names = ("good.wav", "empty.wav", "text.wav", "nowhere.wav", "")
    write_csv(tmp_path / "train.csv", [(name, "a") for name in names], ("audio", "label"))
    with pytest.raises(UserError) as caught:
        check(recipe(tmp_path, tiny_listener))
    where, kinds = f"{tmp_path}/train.csv", "give wav, flac, mp3 or ogg."
    assert list(caught.value.faults) == [
        f"{where}:3: {tmp_path}/empty.wav: holds no samples; record it again or take the row out.",
        f"{where}:4: {tmp_path}/text.wav: cannot be read as a recording (Format not recognised); {kinds}",
        f"{where}:5: {tmp_path}/nowhere.wav: there is no such file in '{tmp_path}'.",
        f"{where}:6: 'audio' is empty; name a sound file or take the row out.",
    ]


def test_a_text_base_is_refused_before_any_row_is_read(folder, tiny_base):
    with pytest.raises(
        UserError, match=r"has no preprocessor_config\.json, so it reads no recordings; name a base for"
    ):
        check(recipe(folder, tiny_base))
