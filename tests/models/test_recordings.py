"""A base is given exactly what its own feature extractor makes, however long a recording is, alone or in company."""

import json
import shutil

import numpy as np
import pytest
import torch
from tests.conftest import tone

from burnish.core.errors import UserError
from burnish.data.recordings import Recording
from burnish.models.freezing import freeze, layers_of
from burnish.models.heads._contract import HeadPlan
from burnish.models.heads.recording import RecordingHead
from burnish.models.recordings import frames_after, load_recording_reader, positions_for, shortest_of
from burnish.recipe.schema import FreezeSection
from burnish.tasks._contract import Collated
from burnish.tasks._recordings import encode_recordings, pad_recordings, recording_of

BASES = ["tiny_listener", "tiny_wav2vec2", "tiny_hubert"]
RATE = 16_000


@pytest.fixture
def noise():
    draw = np.random.default_rng(0)
    return lambda seconds: (draw.normal(size=int(seconds * RATE)) * 0.1).astype(np.float32)


def heard(sounds, reader):
    examples = [recording_of({"audio": (sound, RATE)}) for sound in sounds]
    encoded = encode_recordings(examples, reader)
    inputs = pad_recordings([one.features[0] for one in encoded])
    return encoded, Collated(inputs, {}, len(sounds), 0).to("cpu").inputs


@pytest.mark.parametrize("seconds", [0.0001, 0.3, 0.97, 0.999, 1.0, 2.5])
def test_whisper_hears_what_the_plain_extractor_makes_of_a_whole_window(seconds, tiny_listener, noise):
    from transformers import WhisperFeatureExtractor

    sound = noise(seconds)
    _, inputs = heard([sound], load_recording_reader(tiny_listener, 1))
    plain = WhisperFeatureExtractor(feature_size=16, chunk_length=1)(sound, sampling_rate=RATE)["input_features"]
    np.testing.assert_allclose(inputs["input_features"].numpy(), plain, atol=1e-6)


@pytest.mark.parametrize("base", ["tiny_wav2vec2", "tiny_hubert"])
def test_bases_of_samples_get_them_normalised(base, noise, request):
    reader = load_recording_reader(request.getfixturevalue(base), 2)
    _, inputs = heard([noise(0.5) * 9 + 1], reader)
    values = inputs["input_values"][0, : RATE // 2]
    assert values.mean().item() == pytest.approx(0, abs=1e-5)
    assert values.std().item() == pytest.approx(1, abs=1e-3)


def test_a_base_that_normalises_over_the_recording_gets_a_window_and_no_mask(tiny_wav2vec2, noise):
    _, inputs = heard([noise(0.5), noise(0.2)], load_recording_reader(tiny_wav2vec2, 2))
    assert inputs["input_values"].shape == (2, 2 * RATE)
    assert "attention_mask" not in inputs


def test_other_bases_get_recordings_as_long_as_the_longest_and_a_mask(tiny_hubert, noise):
    _, inputs = heard([noise(0.5), noise(0.2)], load_recording_reader(tiny_hubert, 2))
    assert inputs["input_values"].shape == (2, RATE // 2)
    assert inputs["attention_mask"].sum(1).tolist() == [RATE // 2, RATE // 5]


@pytest.mark.parametrize("base", BASES)
def test_the_frame_mask_is_as_wide_as_what_the_base_gives(base, noise, request):
    folder = request.getfixturevalue(base)
    encoded, inputs = heard([noise(0.7), noise(0.31)], load_recording_reader(folder, 1))
    trunk = RecordingHead().attach(folder, HeadPlan(("a", "b"), config_changes=positions_for(1))).trunk
    known = {name: value for name, value in inputs.items() if name != "frame_mask"}
    assert trunk(**known).last_hidden_state.shape[:2] == inputs["frame_mask"].shape
    assert inputs["frame_mask"].sum(1).tolist() == [one.n_tokens for one in encoded]


@pytest.mark.parametrize("base", BASES)
def test_a_recordings_logits_do_not_depend_on_its_company(base, noise, request):
    folder = request.getfixturevalue(base)
    reader = load_recording_reader(folder, 1)
    network = RecordingHead().attach(folder, HeadPlan(("a", "b"), config_changes=positions_for(1))).eval()
    sounds = [noise(0.31), noise(0.9)]
    with torch.inference_mode():
        alone = network(**heard(sounds[:1], reader)[1])[0]
        together = network(**heard(sounds, reader)[1])[0]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("base", BASES)
def test_silence_after_a_recording_is_not_pooled(base, noise, request):
    folder = request.getfixturevalue(base)
    _, inputs = heard([noise(0.3)], load_recording_reader(folder, 1))
    network = RecordingHead(pool="max").attach(folder, HeadPlan(("a", "b"), config_changes=positions_for(1))).eval()
    hidden = network.trunk(**{name: value for name, value in inputs.items() if name != "frame_mask"}).last_hidden_state
    n_frames = int(inputs["frame_mask"].sum())
    pooled = network.readout.linear(network.readout.norm(hidden[:, :n_frames].amax(1)))
    torch.testing.assert_close(network(**inputs), pooled)


@pytest.mark.parametrize("base", BASES)
def test_what_is_longer_is_cut_and_counted_in_frames(base, noise, request):
    reader = load_recording_reader(request.getfixturevalue(base), 1)
    (long,), _ = heard([noise(1.5)], reader)
    (whole,), _ = heard([noise(1.0)], reader)
    assert long.n_cut == long.n_tokens - whole.n_tokens == pytest.approx(25, abs=1)
    assert whole.n_cut == 0


def test_other_rates_are_brought_to_the_bases(tiny_hubert):
    reader = load_recording_reader(tiny_hubert, 1)
    at_8, at_16 = (reader.hear(Recording(tone(300, 0.5, rate), rate)).values for rate in (8_000, 16_000))
    np.testing.assert_allclose(at_8[500:-500], at_16[500:-500], atol=0.01)


@pytest.mark.parametrize("n_samples", [320, 399, 400, 401, 719, 720, 16_000])
def test_frames_are_counted_as_the_base_counts_them(n_samples):
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = Wav2Vec2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16)
    conv = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
    with torch.device("meta"):
        expected = Wav2Vec2Model(config)._get_feat_extract_output_lengths(n_samples)
    assert frames_after(n_samples, conv) == int(expected)
    assert shortest_of(conv) == 400


def test_the_bundle_holds_an_extractor_for_the_shorter_window(tiny_listener, tmp_path):
    load_recording_reader(tiny_listener, 1).save(tmp_path, tiny_listener)
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert (settings["chunk_length"], settings["nb_max_frames"]) == (1, 100)


@pytest.mark.parametrize("base", BASES)
def test_the_encoder_loads_in_plain_transformers_with_the_same_states(base, noise, request, tmp_path):
    from transformers import AutoModel

    folder = request.getfixturevalue(base)
    network = RecordingHead().attach(folder, HeadPlan(("a", "b"), config_changes=positions_for(1))).eval()
    network.save(tmp_path)
    plain = AutoModel.from_pretrained(tmp_path).eval()
    encoder = plain.get_encoder() if plain.config.is_encoder_decoder else plain
    _, inputs = heard([noise(0.5)], load_recording_reader(folder, 1))
    del inputs["frame_mask"]
    states = network.trunk(**inputs).last_hidden_state
    torch.testing.assert_close(encoder(**inputs).last_hidden_state, states, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("base", "below"), [("tiny_listener", "conv1"), ("tiny_hubert", "feature_extractor")])
def test_convolutions_are_frozen_with_the_embeddings_and_layers_by_their_number(base, below, request):
    folder = request.getfixturevalue(base)
    network = RecordingHead().attach(folder, HeadPlan(("a", "b"), config_changes=positions_for(1)))
    (body,) = network.bodies()
    assert len(layers_of(body)) == 2
    freeze(network, FreezeSection(layers=1))
    assert not any(p.requires_grad for p in getattr(body, below).parameters())
    assert [all(p.requires_grad for p in layer.parameters()) for layer in layers_of(body)] == [False, True]
    freeze(network, FreezeSection(all_but_head=True))
    assert {name for name, p in network.named_parameters() if p.requires_grad} == {
        "readout.norm.weight", "readout.norm.bias", "readout.linear.weight", "readout.linear.bias",
    }  # fmt: skip


def test_a_longer_window_than_the_base_has_is_refused(tiny_listener):
    with pytest.raises(UserError, match=r"^task\.max_seconds: the base in .* takes at most 4 seconds; got 5\.$"):
        load_recording_reader(tiny_listener, 5)


def test_a_text_base_is_refused(tiny_base):
    with pytest.raises(
        UserError, match=r"has no preprocessor_config\.json, so it reads no recordings; name a base for sp"
    ):
        load_recording_reader(tiny_base, None)


def test_an_extractor_that_cannot_be_read_is_told(tiny_hubert, tmp_path):
    folder = shutil.copytree(tiny_hubert, tmp_path / "base")
    (folder / "preprocessor_config.json").write_text('{"feature_extractor_type": "NoSuchExtractor"}')
    with pytest.raises(UserError, match=r"^base: .*base has no feature extractor that can be read \("):
        load_recording_reader(folder, None)


def test_a_base_that_listens_in_another_way_is_told(tiny_hubert, tmp_path):
    folder = shutil.copytree(tiny_hubert, tmp_path / "base")
    (folder / "preprocessor_config.json").write_text('{"feature_extractor_type": "ASTFeatureExtractor"}')
    with pytest.raises(
        UserError, match=r"reads its input through ASTFeatureExtractor; Burnish reads recordings through"
    ):
        load_recording_reader(folder, None)
