import pytest

from burnish.data.sentences import sentence_ends, sentences


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It rains. We stay.", ["It rains.", "We stay."]),
        ("Mr. Smith of the U.S. Treasury came. He left.", ["Mr. Smith of the U.S. Treasury came.", "He left."]),
        ('"Really?" he asked. It cost 3.5 million.', ['"Really?" he asked.', "It cost 3.5 million."]),
        ("今天下雨。我们“走吧！”他说。好", ["今天下雨。", "我们“走吧！”", "他说。", "好"]),
        ("first line\nsecond line\n\n", ["first line", "second line"]),
        ("  ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, wanted):
    assert list(sentences(text)) == wanted


@pytest.mark.parametrize("text", ["", "a", "A b. C d.\n E f.", "好。好"])
def test_ends_rise_to_the_end_of_the_text(text):
    ends = sentence_ends(text)
    assert ends == sorted(set(ends))
    assert ends[-1] == len(text)
