"""Long texts in blocks: nothing is lost, and cuts fall between sentences where they can."""

import numpy as np
import pytest

from burnish.tasks._blocks import cut_in_blocks, tokens_of


def pieces(text, room, width=1):
    """A token every `width` characters."""
    offsets = np.array([(at, min(at + width, len(text))) for at in range(0, len(text), width)]).reshape(-1, 2)
    return ["".join(text[a:b] for a, b in offsets[block]) for block in cut_in_blocks(text, offsets, room)]


def test_a_text_that_fits_is_one_block_and_so_is_an_empty_one():
    assert pieces("A b. C d.", 9) == ["A b. C d."]
    assert pieces("", 9) == [""]


def test_a_block_ends_with_the_last_sentence_in_its_second_half():
    assert pieces("One two. Three. Four five six.", 18) == ["One two. Three. ", "Four five six."]


def test_without_one_it_ends_with_a_word_and_without_that_it_is_full():
    assert pieces("One. two three four", 10) == ["One. two ", "three four"]
    assert pieces("abcdefghijkl", 5) == ["abcde", "fghij", "kl"]
    assert pieces("今天下雨。明天也许是晴天", 6) == ["今天下雨。", "明天也许是晴", "天"]


@pytest.mark.parametrize("room", [1, 2, 7, 50])
def test_no_token_is_lost_and_no_block_is_too_long(room):
    text = "So it goes. 今天下雨，明天晴。 Words and words\nand lines without an end " * 5
    found = pieces(text, room, width=3)
    assert "".join(found) == text
    assert max(map(len, found)) <= 3 * room


def test_texts_are_tokenized_few_at_once_and_in_order(short_tokenizer, monkeypatch):
    texts = ["good day", "", "北京", "so bad " * 20]
    whole = [one.ids.tolist() for one in tokens_of(texts, short_tokenizer)]
    monkeypatch.setattr("burnish.tasks._blocks.CHARACTERS_AT_ONCE", 1)
    assert [one.ids.tolist() for one in tokens_of(texts, short_tokenizer)] == whole
    assert len(whole[3]) == 40  # never cut
