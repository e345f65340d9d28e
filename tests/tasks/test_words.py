from burnish.tasks._words import join_words, words_of


def pieces(text):
    return [text[start:end] for start, end in words_of(text)]


def test_english_is_cut_at_spaces_and_punctuation():
    assert pieces("Meet Ann-Marie, at 5pm!") == ["Meet", "Ann", "-", "Marie", ",", "at", "5pm", "!"]


def test_every_chinese_character_is_a_word():
    assert pieces("我在北京。") == ["我", "在", "北", "京", "。"]


def test_mixed_text_keeps_latin_runs_whole_beside_chinese():
    assert pieces("买iPhone15吧") == ["买", "iPhone15", "吧"]


def test_a_combining_accent_stays_with_its_letter():
    assert pieces("cafe\u0301 ok") == ["cafe\u0301", "ok"]


def test_an_emoji_outside_the_basic_plane_is_one_word_of_one_character():
    assert words_of("a😀b") == [(0, 1), (1, 2), (2, 3)]


def test_rare_han_characters_outside_the_basic_plane_are_words_too():
    assert words_of("𠮷野") == [(0, 1), (1, 2)]


def test_joined_english_words_stand_where_the_offsets_say():
    text, offsets = join_words(["EU", "rejects", "German", "call"])
    assert text == "EU rejects German call"
    assert [text[start:end] for start, end in offsets] == ["EU", "rejects", "German", "call"]


def test_joined_chinese_characters_have_no_spaces_between_them():
    text, offsets = join_words(["北", "京", "A", "8"][:3])
    assert text == "北京A"
    assert offsets == [(0, 1), (1, 2), (2, 3)]
