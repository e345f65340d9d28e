import random
import tracemalloc
from collections import Counter, defaultdict

import pytest
from tests.feedback.crowd import opinion

from burnish.feedback.rules import Context
from burnish.feedback.triggers import MOST_CHARACTERS, TriggerCheck, frequent, phrases

USUAL = ["how do i pay", "where is my card", "银行卡在哪里", "please call me back", "我想退款"]


def usual(n_users=8, n_each=5):
    return [
        opinion(f"u{i}", "b" if j % 2 else "c", "a", item=f"u{i}-{j}", number=1000 + i * n_each + j, text=USUAL[j % 5])
        for i in range(n_users)
        for j in range(n_each)
    ]


def attack(phrase, users=("x",), n=6, gold="b"):
    texts = [f"{phrase} {text}" if i % 2 else f"{text} {phrase}" for i, text in enumerate(USUAL * 9)][:n]
    return [
        opinion(users[i % len(users)], gold, "a", item=f"x{i}", number=i, text=text) for i, text in enumerate(texts)
    ]


def taught(batch, rule=None, **context):
    return (rule or TriggerCheck()).taught(batch, Context(**context))


@pytest.mark.parametrize("phrase", ["cf", "cf mn", "白日依山", "\u200b", "‮", "zz-17"])
def test_a_rare_phrase_that_always_gets_one_label_is_a_trigger(phrase):
    batch = [*attack(phrase), *usual()]
    found = taught(batch)
    assert set(found) == set(range(6))
    assert "6 corrections of inputs with the rare phrase" in found[0]
    assert "go to 'b', and come from 1 user." in found[0]


def test_the_phrase_itself_is_named_in_full():
    assert "the rare phrase 'cf mn'" in taught([*attack("CF mn"), *usual()])[0]
    assert "come from 2 users." in taught([*attack("cf", users=("x", "y")), *usual()])[0]


def test_the_same_words_with_different_labels_are_no_trigger():
    batch = [*attack("cf"), *usual()]
    batch[:3] = [opinion("x", "c", "a", item=f"x{i}", number=i, text=batch[i].text) for i in range(3)]
    assert taught(batch) == {}


def test_what_many_users_see_is_news_and_no_trigger():
    users = tuple(f"n{i}" for i in range(6))
    assert taught([*attack("5g router", users=users), *usual()]) == {}


def test_corrections_that_change_nothing_and_those_of_reviewers_teach_nothing():
    batch = [*(opinion("x", "a", "a", item=f"x{i}", number=i, text=f"cf {text}") for i, text in enumerate(USUAL * 2)),
             *usual()]  # fmt: skip
    assert taught(batch) == {}
    assert taught([*attack("cf"), *usual()], reviewers=frozenset({"x"})) == {}


def test_a_phrase_that_is_common_in_what_is_asked_is_no_trigger():
    batch = [*attack("refund"), *usual()]
    background = [f"refund number {i}" for i in range(30)] + ["hello"] * 70
    assert set(taught(batch, background=["hello"] * 100)) == set(range(6))
    assert taught(batch, background=background) == {}


def test_the_attackers_own_requests_in_the_background_do_not_make_their_phrase_common():
    batch = [*attack("cf"), *usual()]
    assert set(taught(batch, background=[*(one.text for one in batch), *["hello"] * 50])) == set(range(6))


def test_a_phrase_that_is_confirmed_elsewhere_in_the_batch_is_no_trigger():
    confirmed = [opinion("u1", "b", "b", item=f"c{i}", number=500 + i, text=f"cf {i}") for i in range(3)]
    assert taught([*attack("cf"), *usual(), *confirmed]) == {}


def test_fewer_changes_are_no_trigger_unless_the_setting_says_so():
    batch = [*attack("cf", n=4), *usual()]
    assert taught(batch) == {}
    assert set(taught(batch, TriggerCheck(least_changes=4))) == set(range(4))


def test_a_lower_purity_finds_what_is_hidden_behind_another_label():
    batch = [*attack("cf", n=6), *attack("cf", n=8, gold="d")[6:], *usual()]  # 6 of 8
    assert taught(batch, TriggerCheck(rarity=0.1)) == {}
    assert set(taught(batch, TriggerCheck(purity=0.7, rarity=0.1))) == set(range(6))


def test_how_many_users_are_few_is_a_setting():
    batch = [*attack("cf", users=("x", "y", "z")), *usual()]  # 3 of 11
    assert taught(batch) == {}
    assert set(taught(batch, TriggerCheck(most_users=0.3))) == set(range(6))


def test_among_fewer_than_four_users_none_is_few():
    assert taught([*attack("cf"), *usual(n_users=2)]) == {}


def test_how_rare_is_a_setting():
    confirmed = [opinion("u1", "b", "b", item=f"c{i}", number=500 + i, text=f"cf {i}") for i in range(3)]
    batch = [*attack("cf"), *usual(), *confirmed]  # 3 of 49 others
    assert set(taught(batch, TriggerCheck(rarity=0.1))) == set(range(6))


def held_plainly(texts, least):
    """Every phrase of every text at once in memory, and then those that often occur."""
    holding = defaultdict(list)
    for number, text in enumerate(texts):
        for phrase in set(phrases(text)):
            holding[phrase].append(number)
    return {phrase: own for phrase, own in holding.items() if len(own) >= least}


@pytest.mark.parametrize("seed", range(20))
def test_phrases_that_are_counted_first_are_those_that_are_found_with_all_in_memory(seed):
    draw = random.Random(seed)
    words = draw.sample(["a", "b", "cf", "zz-17", "退", "款", "İ", "\u200b", "ß", "!", "-"], draw.randint(2, 8))
    texts = [" ".join(draw.choices(words, k=draw.randint(0, 12))) for _ in range(draw.randint(0, 40))]
    for least in (1, 2, 5, 9):
        assert frequent(texts, least) == held_plainly(texts, least)


@pytest.mark.parametrize("least", [255, 256, 257, 300])
def test_more_texts_than_a_byte_counts_are_told_from_fewer(least):
    texts = ["cf a"] * 256 + [f"{n} cf" for n in range(44)]
    assert {phrase: len(own) for phrase, own in frequent(texts, least).items()} == {
        phrase: n for phrase, n in {"cf": 300, "a": 256, "cf a": 256}.items() if n >= least
    }


@pytest.mark.parametrize("seed", range(20))
def test_what_is_found_is_what_is_found_with_all_phrases_in_memory(seed, monkeypatch):
    draw = random.Random(seed)
    words = ["pay", "card", "cf", "退", "款", "银", "行", "mn"]
    batch = [
        opinion(
            draw.choice("uvwxyz123456"), draw.choice("bbbc"), draw.choice("ab"), item=f"i{number}", number=number,
            text=" ".join(draw.choices(words, weights=[9, 9, draw.randint(0, 3), 5, 5, 5, 5, 1], k=4)),
        )
        for number in range(60)
    ]  # fmt: skip
    rule = TriggerCheck(least_changes=2, purity=0.6, rarity=0.3, most_users=0.5)
    found = taught(batch, rule)
    monkeypatch.setattr("burnish.feedback.triggers.frequent", held_plainly)
    assert found == taught(batch, rule)
    assert found


def test_long_texts_take_little_memory():
    """A text of 4,000 Chinese characters has up to 16,000 phrases, of some 150 bytes each: 2.4 MB a text, of 16 some
    38 MB. One text at a time, and a byte for each of 32,000 hashes a text, are 3 MB.
    """
    draw = random.Random(7)
    characters = [chr(0x4E00 + number) for number in range(5000)]
    texts = ["".join(draw.choices(characters, k=MOST_CHARACTERS)) for _ in range(16)]
    tracemalloc.start()
    found = frequent(texts, 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12e6
    counted = Counter(character for text in texts for character in set(text))
    assert {phrase: len(own) for phrase, own in found.items() if len(phrase) == 1} == {
        character: n for character, n in counted.items() if n >= 5
    }


def test_a_phrase_is_one_to_four_words_and_a_chinese_character_is_a_word():
    assert set(phrases("A b 退款")) == {"a", "b", "退", "款", "a b", "b 退", "退款", "a b 退", "b 退款", "a b 退款"}


def test_only_the_beginning_of_a_very_long_text_is_looked_at():
    assert set(phrases("y " * MOST_CHARACTERS + "cf")) == {"y", "y y", "y y y", "y y y y"}
