import json

import numpy as np
import pytest
import torch
from tests.compression.methods.conftest import (
    ROWS,
    TEXTS,
    assert_same_weights,
    build_material,
    build_subject,
    logits_of,
    reloaded,
    weights_of,
)
from tokenizers import Tokenizer, models, pre_tokenizers

from burnish.compression.methods._cutting import seen_ids
from burnish.compression.methods._vocabularies import needed_ids
from burnish.core.errors import UserError
from burnish.core.events import Message
from burnish.core.files import read_json, write_json
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer

METHOD = Shelf("methods").build({"name": "vocabulary", "common": 0})


@pytest.fixture(params=["tiny_base", "tiny_xlmr", "tiny_roberta"])
def subject(request):
    """WordPiece, Unigram and BPE."""
    return build_subject(request.getfixturevalue(request.param))


def pieces(subject, texts=TEXTS):
    return [[subject.reader.backend.id_to_token(number) for number in one.ids] for one in subject.reader.ids(texts)]


def size(subject):
    return subject.network.trunk.get_input_embeddings().weight.shape[0]


@pytest.mark.parametrize("characters", [True, False])
def test_seen_texts_keep_their_pieces_and_their_logits(subject, material, characters):
    method = Shelf("methods").build({"name": "vocabulary", "common": 0, "characters": characters})
    small = method.apply(subject, material)
    assert size(small) < size(subject)
    assert pieces(small) == pieces(subject)
    torch.testing.assert_close(logits_of(small), logits_of(subject), atol=1e-6, rtol=0)


def test_pairs_of_texts_keep_their_special_tokens(subject, material):
    pair = [("good day", "so bad")]
    assert pieces(METHOD.apply(subject, material), pair) == pieces(subject, pair)


def test_every_token_has_the_vector_that_it_had(subject, material):
    small = METHOD.apply(subject, material)
    old, new = (one.network.trunk.get_input_embeddings().weight for one in (subject, small))
    for token, number in small.reader.backend.get_vocab().items():
        assert torch.equal(new[number], old[subject.reader.backend.token_to_id(token)]), token


def test_the_subject_is_left_as_it_is(subject, material):
    before, told = weights_of(subject.network), subject.reader.backend.to_str()
    config = subject.network.trunk.config.to_dict()
    small = METHOD.apply(subject, material)
    assert_same_weights(subject.network, before)
    assert subject.reader.backend.to_str() == told
    assert subject.network.trunk.config.to_dict() == config
    assert small.steps == ("vocabulary",)


def test_what_was_cut_comes_back_from_the_plain_layout(subject, material, tmp_path):
    small = METHOD.apply(subject, material)
    again = reloaded(small, tmp_path / "saved")
    assert pieces(again) == pieces(subject)
    torch.testing.assert_close(logits_of(again), logits_of(subject), atol=1e-5, rtol=0)
    assert read_json(tmp_path / "saved" / "config.json")["vocab_size"] == size(small)


def test_words_never_seen_are_spelled_with_the_characters_that_stay(tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    seen = build_material(subject, tmp_path, rows=ROWS[:2])  # without "bad"
    assert pieces(METHOD.apply(subject, seen), ["bad"]) == [["[CLS]", "b", "##a", "##d", "[SEP]"]]
    bare = Shelf("methods").build({"name": "vocabulary", "common": 0, "characters": False}).apply(subject, seen)
    assert pieces(bare, ["bad"]) == [["[CLS]", "[UNK]", "[SEP]"]]


def test_rare_tokens_go_where_least_says_so(tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    rows = [("good day", "good"), ("good", "good"), ("bad", "bad")]
    often = Shelf("methods").build({"name": "vocabulary", "common": 0, "least": 2})
    small = often.apply(subject, build_material(subject, tmp_path, rows=rows))
    vocabulary = small.reader.backend.get_vocab()
    assert "good" in vocabulary
    assert "bad" not in vocabulary
    assert "day" not in vocabulary


def test_common_tokens_stay_though_they_never_occur(tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    material = build_material(subject, tmp_path, rows=[("bad", "bad")])
    assert "good" not in METHOD.apply(subject, material).reader.backend.get_vocab()
    common = Shelf("methods").build({"name": "vocabulary", "common": 6, "characters": False})
    kept = common.apply(subject, material).reader.backend.get_vocab()
    assert sorted(kept, key=kept.get) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
    everything = Shelf("methods").build({"name": "vocabulary", "common": 10**6})
    assert size(everything.apply(subject, material)) == size(subject)


def test_occurrences_are_counted_over_all_features():
    features = [{"input_ids": np.array(one, np.int32)} for one in ([1, 7], [7], [1, 2, 1, 0])]
    assert seen_ids(features, 1) == {0, 1, 2, 7}
    assert seen_ids(features, 2) == {1, 7}
    assert seen_ids(features, 3) == {1}


def test_padding_keeps_its_place_where_positions_are_counted_from_it(tiny_xlmr, tmp_path):
    subject = build_subject(tiny_xlmr)
    small = METHOD.apply(subject, build_material(subject, tmp_path))
    assert small.network.trunk.config.pad_token_id == small.reader.pad_id == 1
    assert small.network.trunk.get_input_embeddings().padding_idx == 1


def test_padding_moves_with_its_token_elsewhere(tiny_base, tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    for file in tiny_base.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    write_json(folder / "config.json", {**read_json(folder / "config.json"), "pad_token_id": 60})
    subject = build_subject(folder)
    assert subject.reader.pad_id == 60
    small = METHOD.apply(subject, build_material(subject, tmp_path))
    token = subject.reader.backend.id_to_token(60)
    moved = small.reader.backend.token_to_id(token)
    assert moved < 60
    assert small.network.trunk.config.pad_token_id == small.reader.pad_id == moved
    torch.testing.assert_close(logits_of(small), logits_of(subject), atol=1e-6, rtol=0)


def test_prompt_length_and_split_characters_stay(tiny_base, tmp_path):
    subject = build_subject(tiny_base, "token", "tokens", labels=("O", "B-x"))
    subject = type(subject)(
        subject.task, subject.labels, subject.network, load_tokenizer(tiny_base, 20, True, "so "), tiny_base
    )
    seen = [{"input_ids": np.array(one.ids, np.int32)} for one in subject.reader.ids(TEXTS)]
    material = build_material(build_subject(tiny_base), tmp_path)
    small = METHOD.apply(subject, type(material)(**{**vars(material), "features": lambda: iter(seen)}))
    assert (small.reader.prompt, small.reader.max_length) == ("so ", 20)
    assert pieces(small, ["北京好"]) == pieces(subject, ["北京好"]) == [["[CLS]", "so", *"北京好", "[SEP]"]]


def test_settings_for_other_tools_name_added_tokens_by_their_new_ids(tiny_xlmr, tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    for file in tiny_xlmr.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    mask = Tokenizer.from_file(str(folder / "tokenizer.json")).token_to_id("<mask>")
    settings = {"pad_token": "<pad>", "added_tokens_decoder": {str(mask): {"content": "<mask>"}}}
    write_json(folder / "tokenizer_config.json", settings)
    subject = build_subject(folder)
    small = METHOD.apply(subject, build_material(subject, tmp_path))
    new = small.reader.backend.token_to_id("<mask>")
    assert new < mask
    written = read_json(small.folder / "tokenizer_config.json")
    assert written["added_tokens_decoder"] == {str(new): {"content": "<mask>"}}
    assert written["pad_token"] == "<pad>"


def test_the_piece_of_the_lowest_score_stays_so_that_the_unknown_costs_what_it_did(tiny_xlmr):
    told = json.loads(Tokenizer.from_file(str(tiny_xlmr / "tokenizer.json")).to_str())
    lowest = min(told["model"]["vocab"], key=lambda piece: piece[1])[0]
    number = [piece for piece, _ in told["model"]["vocab"]].index(lowest)
    assert number in needed_ids(told, set(), with_characters=False)


def test_steps_on_the_way_to_a_merged_token_stay(tiny_roberta):
    backend = Tokenizer.from_file(str(tiny_roberta / "tokenizer.json"))
    told = json.loads(backend.to_str())
    left, right = next(pair for pair in told["model"]["merges"] if len(pair[0]) > 1)
    needed = needed_ids(told, {backend.token_to_id(left + right)}, with_characters=False)
    assert {backend.token_to_id(left), backend.token_to_id(right), *map(backend.token_to_id, left)} <= needed


def test_it_tells_how_many_tokens_stay(tiny_base, tmp_path):
    subject, heard = build_subject(tiny_base), []
    material = build_material(subject, tmp_path)
    small = METHOD.apply(subject, type(material)(**{**vars(material), "listen": heard.append}))
    assert heard == [Message(f"vocabulary: {size(small)} of {size(subject)} tokens stay.")]


def with_backend(base, backend):
    subject = build_subject(base)
    reader = type(subject.reader)(backend, 32, 0, (), ())
    return type(subject)(subject.task, subject.labels, subject.network, reader, base)


def test_a_tokenizer_of_another_kind_is_refused(tiny_base):
    subject = with_backend(tiny_base, Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, "[UNK]")))
    assert METHOD.refusal(subject) == ("its tokenizer is of the kind WordLevel; WordPiece, Unigram, BPE can be cut.")


def test_numbers_with_gaps_are_refused(tiny_base, tmp_path):
    backend = Tokenizer(models.WordPiece({"[UNK]": 0, "good": 1, "day": 5}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(["[X]"])  # gets 3, below that of "day"
    subject = with_backend(tiny_base, backend)
    material = build_material(build_subject(tiny_base), tmp_path)
    seen = [{"input_ids": np.array([1, 5], np.int32)}]
    told = r"^vocabulary: the tokenizer's numbers have gaps, so the token '\S+' would get a wrong one\.$"
    with pytest.raises(UserError, match=told):
        METHOD.apply(subject, type(material)(**{**vars(material), "features": lambda: iter(seen)}))


def test_models_without_a_vocabulary_to_cut_are_refused(tiny_base, tiny_causal_base, tiny_towers):
    assert METHOD.refusal(build_subject(tiny_base)) is None
    writer = Shelf("tasks").build("causal_lm")
    network = writer.head_part.attach(tiny_causal_base, writer.head_plan(()))
    subject = build_subject(tiny_base)
    causal = type(subject)(writer, (), network, subject.reader, tiny_causal_base)
    assert METHOD.refusal(causal) == "the head 'causal' answers with tokens, which may be any of the vocabulary."
    pictures = type(subject)(subject.task, (), network, object(), tiny_towers)
    assert METHOD.refusal(pictures) == "the model reads something else than text, so it has no vocabulary to cut."
    made = type(subject)(**{**vars(subject), "runtime": Shelf("runtimes").build("torch")})
    assert METHOD.refusal(made) == "the model was already made into files for torch; tokens go before that."
    bare = build_subject(tiny_base, "mean")
    bare.network.trunk = torch.nn.Linear(1, 1)
    assert METHOD.refusal(bare) == "the network has no transformers trunk whose embeddings could be cut."
