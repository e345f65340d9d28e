"""Pieces of a text: joined they are the text, and no piece shows what is taken back later."""

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.decoding import Decoding
from burnish.models.heads._contract import HeadPlan
from burnish.models.streaming import Pieces, stream
from burnish.models.writing import write

ENDS = [2, 0]


@pytest.fixture(scope="module")
def network(tiny_causal_base):
    network = Shelf("heads").build("causal").attach(tiny_causal_base, HeadPlan(())).eval()
    for parameter in network.parameters():
        parameter.data *= 6 if parameter.ndim == 2 else 1  # else it would write one token for ever
    return network


def prompts(network):
    return [torch.tensor(network.vocabulary.encode(text).ids) for text in ("good day", "北京", "so bad 👍", "a")]


def drawn(**changes):
    return Decoding(**{"max_new_tokens": 24, "temperature": 1.0, **changes})


def read(pieces):
    """What a stream tells, and what it ends with."""
    told = []
    while True:
        try:
            told.append(next(pieces))
        except StopIteration as end:
            return told, end.value


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("stop", [(), ("a", "b"), ("day", "go")])
def test_the_pieces_joined_are_the_text_that_is_given_whole(network, seed, stop):
    how = drawn(seed=seed, stop=stop)
    with torch.inference_mode():
        whole = write(network, prompts(network), how, ENDS)
    for prompt, draft in zip(prompts(network), whole, strict=True):
        pieces, is_finished = read(stream(network, prompt, how, ENDS))
        assert ("".join(pieces), is_finished) == draft
        assert all(pieces)
    assert any(len(draft.text) > 3 for draft in whole)


@pytest.mark.parametrize("most", [1, 24])
def test_a_stream_ends_with_whether_the_text_ended_by_itself(network, most):
    how = drawn(max_new_tokens=most, seed=1)
    with torch.inference_mode():
        drafts = write(network, prompts(network), how, ENDS)
    ends = [read(stream(network, prompt, how, ENDS))[1] for prompt in prompts(network)]
    assert ends == [draft.is_finished for draft in drafts]
    assert set(ends) >= ({False} if most == 1 else {True})


def test_a_text_comes_in_several_pieces(network):
    pieces = list(stream(network, prompts(network)[0], drawn(), ENDS))
    assert len(pieces) > 3


def test_a_stop_text_of_several_tokens_is_never_shown(network):
    plain = "".join(stream(network, prompts(network)[0], drawn(), ENDS))
    stop = plain[4:8]
    assert plain.index(stop) == 4
    assert len(network.vocabulary.encode(stop).ids) > 1
    assert "".join(stream(network, prompts(network)[0], drawn(stop=(stop,)), ENDS)) == plain[:4].rstrip()


def test_rows_of_a_batch_stop_each_at_their_own_place(network):
    how = drawn(max_new_tokens=40, stop=("a", "o"))
    with torch.inference_mode():
        together = write(network, prompts(network), how, ENDS)
        alone = [write(network, [prompt], how, ENDS)[0] for prompt in prompts(network)]
    assert together == alone
    assert len({len(draft.text) for draft in together}) > 1
    assert not any("a" in draft.text or "o" in draft.text for draft in together)


def test_whoever_stops_reading_stops_the_writing(network):
    calls, before = [], set(threading.enumerate())
    hook = network.trunk.register_forward_hook(lambda *_: calls.append(1))
    pieces = stream(network, prompts(network)[0], drawn(max_new_tokens=400, seed=1), ENDS)
    next(pieces)
    pieces.close()
    hook.remove()
    assert set(threading.enumerate()) == before
    assert len(calls) < 100


def test_what_goes_wrong_while_writing_is_told_where_it_is_read(network):
    pieces = stream(network, torch.zeros(0, 3), drawn(), ENDS)
    with pytest.raises((ValueError, RuntimeError, IndexError)):
        list(pieces)


def test_beams_cannot_be_streamed(network):
    with pytest.raises(UserError) as caught:
        list(stream(network, prompts(network)[0], Decoding(num_beams=2), ENDS))
    assert str(caught.value) == (
        "task.decoding.num_beams: with 2 beams the text is settled at its end only, so it cannot be streamed; "
        "ask for it whole, or write with 1."
    )


def told(texts, stops=()):
    pieces = Pieces(stops)
    return [pieces.more(text) for text in texts]


def test_half_a_character_is_not_told():
    assert told(["好\ufffd", "好的", "好的\ufffd\ufffd", "好的👍"]) == ["好", "的", "", "👍"]


def test_a_character_that_stays_unreadable_is_told_with_what_follows_it():
    assert told(["a\ufffd", "a\ufffdb"]) == ["a", "\ufffdb"]


def test_white_space_is_told_with_what_follows_it_and_never_at_the_ends():
    assert told(["\n", "\n a", "\n a ", "\n a  b"]) == ["", "a", "", "  b"]


def test_the_start_of_a_stop_text_waits_until_it_is_none():
    assert told(["x", "xU", "xUs", "xUse"], ["User:"]) == ["x", "", "", ""]
    assert told(["xUse", "xUsed"], ["User:"]) == ["x", "Used"]
    assert told(["\n\nU", "\n\nUser: a"], ["\n\nUser:"]) == ["", ""]


def test_a_stop_text_whose_second_character_is_half_written_waits_too():
    assert told(["a好\ufffd", "a好的"], ["好的"]) == ["a", ""]
    assert told(["a好\ufffd", "a好人"], ["好的"]) == ["a", "好人"]


@settings(max_examples=200, deadline=None)
@given(st.text("ab \n", max_size=12), st.lists(st.text("ab \n", min_size=1, max_size=3), max_size=3))
def test_for_any_text_and_stops_the_pieces_are_the_text_up_to_the_first_stop(text, stops):
    """Letter by letter; nothing is written once a stop text stands there."""
    pieces = Pieces(tuple(stops))
    shown, written = "", ""
    for letter in text:
        written += letter
        shown += pieces.more(written)
        if any(stop in written for stop in stops):
            break
    at = [place for stop in stops if (place := written.find(stop)) >= 0]
    whole = (written[: min(at)] if at else written).strip()
    assert whole.startswith(shown)
    assert shown + pieces.rest(whole) == whole
