"""Every part of the shelf `privacy` finds its examples and nothing in what is harmless, in English and in Chinese."""

import re
from pathlib import Path

import pytest

from burnish.core.shelves import Shelf
from burnish.data.masking import Mask
from burnish.data.privacy._contract import Detector
from burnish.data.privacy._shadow import shadow_of

SHELF = Shelf("privacy")
EXAMPLES = [(name, *example) for name in SHELF.names() for example in SHELF.get(name).examples.items()]
HARMLESS = [(name, text) for name in SHELF.names() for text in SHELF.get(name).harmless]
CHINESE = re.compile("[\u4e00-\u9fff]")
every_detector = pytest.mark.parametrize("name", SHELF.names())


@pytest.fixture(scope="module")
def every_kind():
    return Mask.of()


@every_detector
def test_it_is_a_detector_named_by_its_file_and_has_no_settings_to_get_wrong(name):
    part = SHELF.build(name)
    assert isinstance(part, Detector)
    assert part.part_name == name
    assert SHELF.build(part.as_recipe()) == part


@pytest.mark.parametrize(("name", "text", "piece"), EXAMPLES)
def test_it_finds_its_example_and_nothing_beside_it(name, text, piece):
    (found,) = Mask.of([name])(text).found
    assert text[found.start : found.end] == piece
    assert found.kind == name


@pytest.mark.parametrize(("name", "text", "piece"), EXAMPLES)
def test_among_all_kinds_the_example_keeps_its_own(name, text, piece, every_kind):
    start = text.index(piece)
    masked = every_kind(text)
    assert masked.text == f"{text[:start]}[{name.upper()}]{text[start + len(piece) :]}"
    assert masked.counts == {name: 1}


@pytest.mark.parametrize(("name", "text", "piece"), EXAMPLES)
def test_what_is_masked_is_not_masked_again(name, text, piece, every_kind):
    once = every_kind(text).text
    assert every_kind(once).text == once


@pytest.mark.parametrize(("name", "text"), HARMLESS)
def test_it_finds_nothing_in_what_is_harmless(name, text):
    assert Mask.of([name])(text).text == text


@pytest.mark.parametrize(("name", "text", "piece"), EXAMPLES)
def test_it_finds_in_a_shadow_as_it_stands(name, text, piece):
    """Without the mask's quick look at signs, so that a sign too many or too few shows."""
    shadow = shadow_of(text)
    found = [shadow.span(start, end) for start, end, _ in SHELF.build(name).find(shadow.text)]
    assert (text.index(piece), text.index(piece) + len(piece)) in found


@every_detector
def test_its_examples_are_of_both_languages(name):
    around = [text.replace(piece, "") for text, piece in SHELF.get(name).examples.items()]
    assert any(CHINESE.search(text) for text in around)
    assert any(not CHINESE.search(text) and re.search("[A-Za-z]{2}", text) for text in around)
    assert any(CHINESE.search(text) for text in SHELF.get(name).harmless)
    assert any(not CHINESE.search(text) for text in SHELF.get(name).harmless)


@every_detector
def test_the_page_about_privacy_tells_of_it(name):
    page = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
    assert f"| `{name}` |" in page.read_text("utf-8")


@every_detector
@pytest.mark.parametrize("text", ["", " ", "\n", "\x00", "@", "0", "[PHONE]", "\ud800", "é" * 50, "，" * 50])
def test_it_bears_texts_with_nothing_in_them(name, text):
    assert list(SHELF.build(name).find(text)) == []


@every_detector
@pytest.mark.parametrize(
    "piece", ["1", "1 ", "a@", "a.", "1-", "+1", "京A1", "E1", "::", "1.", "password:", "sk-", "(at)"]
)
def test_its_work_does_not_grow_faster_than_the_text(name, piece):
    """Long enough that squared work would run into the time limit of the test."""
    list(SHELF.build(name).find(piece * 20_000))
