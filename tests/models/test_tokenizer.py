import json
import shutil

import pytest

from burnish.core.errors import UserError
from burnish.models.locate import locate
from burnish.models.tokenizer import allowed_length, load_tokenizer


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
