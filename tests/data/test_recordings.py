"""Recordings are read from every usual form, and what cannot be used is told in one sentence."""

import io

import numpy as np
import pytest
import soundfile
from tests.conftest import tone

from burnish.core.errors import UserError
from burnish.data.recordings import decoded, read_recording, resampled, told

SECOND = tone(440, 1.0)


def written(samples, rate_hz=16_000, **how):
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, **{"format": "WAV", **how})
    return file.getvalue()


@pytest.mark.parametrize(
    ("how", "tolerance"),
    [
        ({"subtype": "PCM_16"}, 1e-4),
        ({"subtype": "PCM_24"}, 1e-6),
        ({"subtype": "PCM_U8"}, 0.01),
        ({"subtype": "FLOAT"}, 1e-7),
        ({"subtype": "DOUBLE"}, 1e-7),
        ({"format": "FLAC"}, 1e-4),
        ({"format": "OGG"}, 0.05),
        ({"format": "MP3"}, 0.05),
    ],
)
def test_every_usual_form_is_read(how, tolerance):
    found = decoded(written(SECOND, **how), "a")
    assert found.rate_hz == 16_000
    assert found.samples.dtype == np.float32
    n = min(len(found.samples), len(SECOND))
    assert abs(found.samples[2000 : n - 2000] - SECOND[2000 : n - 2000]).max() <= tolerance


def test_channels_are_mixed():
    found = decoded(written(np.stack([SECOND, -SECOND, SECOND], axis=1), subtype="FLOAT"), "a")
    np.testing.assert_allclose(found.samples, SECOND / 3, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_the_one_that_is_asked_for(rate_hz):
    found = resampled(decoded(written(tone(440, 1.0, rate_hz), rate_hz, subtype="FLOAT"), "a"), 16_000)
    assert len(found) == 16_000
    np.testing.assert_allclose(found[2000:14_000], SECOND[2000:14_000], atol=1e-3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a text", r"^a\.wav: cannot be read as a recording \(Format not recognised\); give wav, flac, mp3 or ogg\.$"),
        (written(SECOND)[:20], r"^a\.wav: cannot be read as a recording \(.*\); give wav, flac, mp3 or ogg\.$"),
        (written(SECOND[:0]), r"^a\.wav: holds no samples; record it again or take the row out\.$"),
        (written(np.array([0.1, np.nan]), subtype="FLOAT"), r"^a\.wav: holds samples that are no numbers \(NaN or inf"),
        (written(np.array([0.1, np.inf]), subtype="FLOAT"), r"^a\.wav: holds samples that are no numbers"),
    ],
    ids=["a text", "cut off", "empty", "nan", "inf"],
)
def test_what_is_no_recording_is_told(content, sentence):
    with pytest.raises(ValueError, match=sentence):
        decoded(content, "a.wav")


def test_a_recording_of_hours_is_told_before_it_is_unpacked():
    silence = written(np.zeros(61 * 60 * 1_000, np.int16), 1_000, format="FLAC")
    assert len(silence) < 100_000
    with pytest.raises(ValueError, match=r"^a\.flac: lasts more than 60 minutes, the most that is read; cut it"):
        decoded(silence, "a.flac")


def test_a_file_too_large_for_memory_is_told_unread(tmp_path):
    with (tmp_path / "a.wav").open("wb") as file:
        file.truncate(2 << 30)  # no byte of it is written
    with pytest.raises(ValueError, match=r"a\.wav: has 2,048 MB, and at most 1,024 are read; cut it\.$"):
        told(str(tmp_path / "a.wav"), "audio")


def test_a_file_is_told_by_its_path_and_digest(tmp_path):
    (tmp_path / "a.wav").write_bytes(written(SECOND))
    (tmp_path / "b.wav").write_bytes(written(SECOND))
    one, other = (told(str(tmp_path / name), "audio") for name in ("a.wav", "b.wav"))
    assert one.name == f"{tmp_path.name}/a.wav"
    assert (one.path, one.content) == (str(tmp_path / "a.wav"), None)
    assert one.digest == other.digest != told(written(SECOND[1:]), "audio").digest


def test_sound_from_python_is_kept_as_a_file_would_be():
    by_array = told({"array": SECOND, "sampling_rate": 16_000}, "audio")
    by_tuple = told((SECOND, 16_000), "audio")
    by_bytes = told({"bytes": written(SECOND, subtype="FLOAT"), "path": None}, "audio")
    assert by_array.name == "a recording of 1.00 s"
    for one in (by_array, by_tuple, by_bytes):
        np.testing.assert_allclose(read_recording(one.path, one.content).samples, SECOND, atol=1e-7)


def test_whole_numbers_are_shares_of_their_largest():
    found = told((np.array([[0], [2**14], [-(2**15)]], np.int16), 8_000), "audio")
    assert read_recording(None, found.content).samples.tolist() == [0.0, 0.5, -1.0]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, r"^'audio' is empty; name a sound file or take the row out\.$"),
        (float("nan"), r"^'audio' is empty; name a sound file"),
        ("  ", r"^'audio' is empty; name a sound file"),
        (
            7,
            r"^'audio' is a int; give a path, the bytes of a sound file, or \{'array': samples, 'sampling_rate': ",
        ),
        (SECOND, r"^'audio' is samples without their rate; give a path"),
        ((SECOND, 16), r"^'audio' has a sampling rate of 16; it is told in Hz, 1,000 to 384,000, e\.g\. 16000\.$"),
        ((SECOND, "16k"), r"^'audio' has a sampling rate of '16k'; it is told in Hz"),
        ((SECOND, True), r"^'audio' has a sampling rate of True; it is told in Hz"),
        (
            (SECOND[None, None], 16_000),
            r"^'audio' must hold samples of shape \[S\] or \[S, channels\], .* \[1, 1, 16000\]",
        ),
        ((np.array(["a"]), 16_000), r"^'audio' must hold samples of shape .* of <U1\.$"),
        ((SECOND[:0], 16_000), r"^'audio': holds no samples"),
        (b"", r"^'audio': cannot be read as a recording"),
        ("nowhere/a.wav", r"^nowhere/a\.wav: there is no folder 'nowhere'"),
    ],
)
def test_a_value_that_is_no_recording_is_told(value, sentence):
    with pytest.raises(ValueError, match=sentence):
        told(value, "audio")


def test_a_file_that_went_away_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"a\.wav: cannot be read any more \(No such file or directory\)\."):
        read_recording(str(tmp_path / "a.wav"), None)


@pytest.mark.parametrize("library", ["soundfile", "soxr"])
def test_a_missing_library_is_told_with_the_line_that_brings_it(library, monkeypatch):
    recording = decoded(written(SECOND), "a")
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(UserError, match=rf"this needs the library '{library}': pip install 'burnish\[speech\]'"):
        decoded(written(SECOND), "a") if library == "soundfile" else resampled(recording, 8_000)
