import gc
import itertools
import json
import random
import shutil
from dataclasses import replace
from weakref import WeakValueDictionary

import pytest

from burnish.core.errors import UserError
from burnish.models.locate import locate
from burnish.models.tokenizer import allowed_length, load_backend, load_tokenizer


def test_a_padding_length_baked_into_the_file_is_taken_out():
    folder = locate("minilm").folder
    assert json.loads((folder / "tokenizer.json").read_text())["padding"]["strategy"] == {"Fixed": 128}
    (encoding,) = load_tokenizer(folder).ids(["hello"])
    assert encoding.ids == [101, 7592, 102]


def test_a_long_text_is_cut_to_max_length_and_what_is_cut_is_known(tiny_base):
    (encoding,) = load_tokenizer(tiny_base, max_length=8).ids(["a b c d e f g h i j"])
    assert len(encoding.ids) == 8
    assert encoding.ids[-1] == 3
    assert encoding.overflowing


@pytest.mark.parametrize("base", ["tiny", "minilm"])
@pytest.mark.parametrize("max_length", [8, 9, 31])
def test_what_is_too_long_is_cut_as_the_rust_tokenizer_cuts(tiny_base, base, max_length):
    """Texts, and pairs whose longer one is cut first; what was cut off is as much."""
    folder = tiny_base if base == "tiny" else locate(base).folder
    ours, theirs = load_tokenizer(folder, max_length), load_backend(folder)
    theirs.no_padding()
    theirs.enable_truncation(max_length)
    draw = random.Random(max_length)
    words = ["a", "day", "北京", "good", "unbelievable", "😀"]
    some = [" ".join(draw.choices(words, k=draw.randrange(45))) for _ in range(200)]
    for asked in (some, list(itertools.pairwise(some))):
        found, expected = ours.ids(asked), theirs.encode_batch_fast(asked)
        for name in ("ids", "type_ids", "special_tokens_mask", "attention_mask"):
            assert [getattr(one, name) for one in found] == [getattr(one, name) for one in expected]
        assert [[number == 1 for number in one.sequence_ids] for one in found] == [
            [number == 1 for number in one.sequence_ids] for one in expected
        ]
        assert [sum(map(len, one.overflowing)) for one in found] == [sum(map(len, one.overflowing)) for one in expected]
        assert any(one.overflowing for one in found)


def test_reading_changes_nothing_for_whoever_reads_beside_it(tiny_base, tmp_path):
    tokenizer = load_tokenizer(tiny_base, max_length=8)
    before = tokenizer.backend.to_str()
    tokenizer.ids(["a b c d e f g h i j", ("a b c d e f", "g h")])
    tokenizer.pieces(["a b c d e f g h i j"])
    tokenizer.save(tmp_path, tiny_base)
    assert tokenizer.backend.to_str() == before
    assert tokenizer.backend.truncation is None


def test_equal_tokenizers_are_one_in_memory_and_go_with_the_last_that_reads_with_it(tiny_base, tmp_path):
    loaded = WeakValueDictionary()
    other = shutil.copytree(tiny_base, tmp_path / "other")
    one = load_tokenizer(tiny_base).sharing(loaded)
    same, split = (load_tokenizer(other, 8, is_cjk_split=is_split).sharing(loaded) for is_split in (False, True))
    assert same.backend is one.backend
    assert (same.max_length, one.max_length) == (8, 64)
    assert split.backend is not one.backend
    text = (other / "tokenizer.json").read_text("utf-8")
    (other / "tokenizer.json").write_text(text.replace("[UNK]", "[unk]"), "utf-8")
    assert load_tokenizer(other).sharing(loaded).backend is not one.backend
    del one
    assert load_tokenizer(tiny_base).sharing(loaded).backend is same.backend
    del same, split
    gc.collect()
    assert not loaded


def test_what_was_read_from_no_file_of_its_own_is_shared_with_nobody(tiny_base):
    one = replace(load_tokenizer(tiny_base), digest="")
    loaded = WeakValueDictionary()
    assert one.sharing(loaded) is one
    assert not loaded


def test_pieces_have_offsets_into_the_users_own_string(tiny_base):
    text = "Ab  北京!"
    (encoding,) = load_tokenizer(tiny_base, is_cjk_split=True).pieces([text])
    assert [text[start:end] for start, end in encoding.offsets] == ["A", "b", "北", "京", "!"]


def test_a_prompt_goes_before_every_text_and_before_the_first_of_a_pair(tiny_base):
    plain, prompted = load_tokenizer(tiny_base), load_tokenizer(tiny_base, prompt="so: ")
    for given, meant in (("good day", "so: good day"), (("good", "day"), ("so: good", "day"))):
        assert prompted.ids([given])[0].ids == plain.ids([meant])[0].ids


def test_a_prompt_stands_before_the_pieces_of_a_text_and_moves_no_offset(tiny_base):
    plain, prompted = load_tokenizer(tiny_base), load_tokenizer(tiny_base, prompt="so: ")
    assert [*prompted.prefix, *prompted.pieces(["good day"])[0].ids, *prompted.suffix] == (
        plain.ids(["so: good day"])[0].ids
    )
    assert prompted.pieces(["good day"])[0].offsets == [(0, 4), (5, 8)]


def test_a_prompt_that_leaves_no_room_is_refused(tiny_base):
    with pytest.raises(UserError) as caught:
        load_tokenizer(tiny_base, max_length=8, prompt="a b c d e")
    assert str(caught.value) == "data.prompt: takes 5 of 8 tokens; leave half to the texts."


def test_max_length_above_what_the_base_takes_is_refused(tiny_base):
    with pytest.raises(UserError) as caught:
        load_tokenizer(tiny_base, max_length=65)
    assert str(caught.value) == "data.max_length: this base takes at most 64 tokens; got 65."


@pytest.mark.parametrize(
    ("config", "allowed"),
    [
        ({"model_type": "bert", "max_position_embeddings": 512}, 512),
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "modernbert", "max_position_embeddings": 8192}, 8192),
        ({"model_type": "t5"}, 8192),
    ],
)
def test_allowed_length_follows_the_models_positions(tmp_path, config, allowed):
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert allowed_length(tmp_path) == allowed


def test_the_tokenizers_own_limit_counts_too(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert", "max_position_embeddings": 512}')
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 128}')
    assert allowed_length(tmp_path) == 128


def test_a_damaged_tokenizer_is_told_in_one_sentence(tiny_base, tmp_path):
    base = shutil.copytree(tiny_base, tmp_path / "base")
    (base / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match=r"^base: .*base has no tokenizer that can be read \(.*\)\.$"):
        load_tokenizer(base)


def test_what_stands_between_two_texts_is_known(tiny_base):
    tokenizer = load_tokenizer(tiny_base)
    whole = tokenizer.ids([("good", "a day")])[0].ids
    first, second = (list(one.ids) for one in tokenizer.pieces(["good", "a day"]))
    assert [*tokenizer.prefix, *first, *tokenizer.between, *second, *tokenizer.suffix] == whole
