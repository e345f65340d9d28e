"""Masking: what is found gives way, everything else stays, in texts and in JSON."""

import random
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data.masking import Mask
from burnish.data.privacy._contract import Detector, Found, digits

MASK = Mask.of()
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u202e\u2066\U000e0031\ufe0f\x08"
PLANTED = {
    "13800138000": "phone",
    "+44 20 7946 0958": "phone",
    "11010519491231002X": "resident_id",
    "6228480402564890018": "bank_card",
    "91350100M000100Y43": "uscc",
    "zhang.san@example.com": "email",
    "203.0.113.7": "ip",
    "京A12345": "plate",
    "E12345678": "passport",
    "AKIAIOSFODNN7EXAMPLE": "secret",
}


def rebuilt(text, masked):
    """The text from its mask: each placeholder replaced by what was found."""
    pieces, at, done = [], 0, 0
    for start, end, kind in masked.found:
        kept = text[done:start]
        assert masked.text.startswith(kept + f"[{kind.upper()}]", at)
        pieces += kept, text[start:end]
        at, done = at + len(kept) + len(kind) + 2, end
    assert masked.text[at:] == text[done:]
    return "".join((*pieces, text[done:]))


def test_each_place_gives_way_to_its_kind():
    masked = MASK("call 415-555-2671 or mail bob@x.com, 或打13800138000")
    assert masked.text == "call [PHONE] or mail [EMAIL], 或打[PHONE]"
    assert masked.found == (Found(5, 17, "phone"), Found(26, 35, "email"), Found(39, 50, "phone"))
    assert masked.counts == {"phone": 2, "email": 1}


def test_a_text_with_nothing_in_it_is_given_back():
    text = "How do I reset the thermostat? 怎么退货？"
    masked = MASK(text)
    assert masked.text is text
    assert (masked.found, masked.counts) == ((), {})


def test_only_the_kinds_that_are_named_are_masked():
    text = "bob@x.com 13800138000"
    assert Mask.of(["phone"])(text).text == "bob@x.com [PHONE]"
    assert Mask.of(["phone", "email", "phone"])(text).text == "[EMAIL] [PHONE]"
    assert Mask.of([])(text).text == text


def test_an_unknown_kind_is_refused_with_a_hint():
    with pytest.raises(UserError, match=r"privacy: there is no kind 'emial' of personal data\. Did you mean 'email'\?"):
        Mask.of(["phone", "emial"])


def test_names_come_from_whoever_can_find_them():
    def find_names(text):
        yield Found(text.index("王芳"), text.index("王芳") + 2, "person")

    mask = Mask.of(["phone"], names=find_names)
    masked = mask("收件人王芳13800138000")
    assert masked.text == "收件人[PERSON][PHONE]"
    assert mask.values(["王芳"]) == (["[PERSON]"], {"person": 1})


def test_names_outside_of_the_text_are_ignored():
    mask = Mask.of([], names=lambda text: [Found(-1, 2, "person"), Found(1, 1, "person"), Found(2, 9, "person")])
    assert mask("abc").text == "abc"


def test_places_that_overlap_become_one_of_the_longest_kind():
    mask = Mask.of(["phone"], names=lambda text: [Found(0, 5, "person"), Found(3, 16, "person")])
    assert mask("Ann: 13800138000").found == (Found(0, 16, "person"),)
    inside = Mask.of(["phone"], names=lambda text: [Found(0, 6, "person")])
    assert inside("Ann: 13800138000").found == (Found(0, 16, "phone"),)


class Always(Detector):
    """Finds the first character of any text."""

    signs = ()
    examples = {"a": "a"}  # noqa: RUF012
    harmless = ()

    def find(self, shadow):
        yield self.at(0, 1)


class WithSigns(Always):
    signs = ("magic", digits(3))


def test_a_detector_without_signs_is_always_asked():
    assert Mask((Always(),))("abc").found == (Found(0, 1, Always().part_name),)


@pytest.mark.parametrize(("text", "is_asked"), [("ab magic", True), ("MAGIC", True), ("1 2-3", True), ("12 a3", False)])
def test_a_detector_with_signs_is_asked_where_one_of_them_stands(text, is_asked):
    assert bool(Mask((WithSigns(),))(text).found) == is_asked


@pytest.mark.parametrize(("text", "is_asked"), [("ma\u200bgic", True), ("ｍａｇｉｃ", True), ("１２３", True)])
def test_signs_are_seen_through_disguise(text, is_asked):
    assert bool(Mask((WithSigns(),))(text).found) == is_asked


@given(st.text())
@example("\ud800 13800138000")
@example("İ password=hunter2x")
def test_unmasked_characters_stay_as_they_were(text):
    assert rebuilt(text, MASK(text)) == text


AROUND = st.text(st.sampled_from("今天好，。abc xyz!?\n"), max_size=30)


@given(AROUND, st.sampled_from(sorted(PLANTED)), AROUND, st.randoms(use_true_random=False))
def test_a_place_is_where_the_value_stands_however_it_is_sprinkled(before, value, after, draw):
    written = "".join(one + "".join(draw.choices(UNSEEN, k=draw.randrange(3))) for one in value[:-1]) + value[-1]
    text = f"{before}， {written} ，{after}"
    start = len(before) + 2
    assert MASK(text).found == (Found(start, start + len(written), PLANTED[value]),)


@pytest.mark.slow
def test_offsets_hold_on_50_000_texts():
    draw = random.Random(7)
    signs = [
        *string.printable,
        *UNSEEN,
        *"今天好，。１２３ＡＢ＠．（）【】—①②𝟏𝟐😀é\ud800",
        *PLANTED,
        *(string.digits * 3),
    ]
    for _ in range(50_000):
        text = "".join(draw.choices(signs, k=draw.randrange(80)))
        assert rebuilt(text, MASK(text)) == text


def test_every_text_of_a_json_value_is_masked_and_the_given_value_stays():
    given_value = {"texts": ["mail bob@x.com", {"note": "打13800138000"}], "n": 3, "ok": True, "none": None, "p": 0.5}
    masked, counts = MASK.values(given_value)
    assert masked == {"texts": ["mail [EMAIL]", {"note": "打[PHONE]"}], "n": 3, "ok": True, "none": None, "p": 0.5}
    assert counts == {"email": 1, "phone": 1}
    assert given_value["texts"][0] == "mail bob@x.com"


def test_a_value_that_is_no_container_is_masked_too():
    assert MASK.values("bob@x.com") == ("[EMAIL]", {"email": 1})
    assert MASK.values(None) == (None, {})


def test_names_of_fields_are_masked_and_none_is_lost():
    masked, counts = MASK.values({"13800138000": 1, "13900139000": 2, "[PHONE] 2": 3, 7: 4})
    assert sorted(masked.values()) == [1, 2, 3, 4]
    assert {"[PHONE]", "[PHONE] 2", 7} < masked.keys()
    assert not any("13" in str(name) for name in masked)
    assert counts == {"phone": 2}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": "my dog"}, {"password": "[SECRET]"}),
        ({"phone_number": "4155552671"}, {"phone_number": "[PHONE]"}),
        ({"phoneNumber": ["4155552671"]}, {"phoneNumber": ["[PHONE]"]}),
        ({"idCard": "110105194912310021"}, {"idCard": "[RESIDENT_ID]"}),
        ({"微信号": "zhangsanfeng"}, {"微信号": "[MESSENGER]"}),
        ({"amount": "4155552671"}, {"amount": "4155552671"}),
        ({"token": "Beijing", "label": "card"}, {"token": "Beijing", "label": "card"}),
        ({"order": "13800138000"}, {"order": "[PHONE]"}),  # a name may say what a value is, but not what it is not
    ],
)
def test_the_name_of_a_field_says_what_its_value_is(value, masked):
    assert MASK.values(value)[0] == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (13800138000, "[PHONE]"),
        (13800138000.0, "[PHONE]"),
        (1700000000, 1700000000),
        (-13800138000, -13800138000),
        (float("inf"), float("inf")),
        (True, True),
    ],
)
def test_a_number_that_is_personal_data_becomes_text(value, masked):
    assert MASK.values([value])[0] == [masked]


def test_a_number_too_long_for_text_stays():
    assert MASK.values([10**5000])[0] == [10**5000]


def test_json_may_be_deeper_than_the_stack():
    deep = inner = []
    for _ in range(20_000):
        inner.append([])
        inner = inner[0]
    inner.append("13800138000")
    masked, counts = MASK.values(deep)
    for _ in range(20_000):
        masked = masked[0]
    assert (masked, counts) == (["[PHONE]"], {"phone": 1})


def test_masks_of_the_same_kinds_are_equal():
    assert Mask.of(["phone"]) == Mask.of(["phone"])
    assert Mask.of(["phone"]) != Mask.of(["email"])


def test_texts_that_are_known_stay_and_others_that_look_like_them_do_not():
    value = {"id": "13800138000", "n": 13800138000, "of": ["13911112222"]}
    kept = Mask.of().values(value, {"13800138000"})
    assert kept == ({"id": "13800138000", "n": 13800138000, "of": ["[PHONE]"]}, {"phone": 1})
