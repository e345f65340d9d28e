"""Encodings are told apart on real kinds of text, and faults name byte and line."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.data import encodings
from burnish.data.encodings import detect, open_text

CHINESE = "酒店位置很好，房间也干净。\n服务员态度一般，早餐没有什么可吃的！\n"
TRADITIONAL = "這間酒店的環境和服務態度還算不錯，但是房間空間太小。\n餐廳的點心不太好吃，價錢還可以接受。\n"


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "texts.txt"
    path.write_bytes(content)
    return path


def message_of(path: Path, named: str = "auto") -> str:
    with pytest.raises(UserError) as caught:
        detect(path, named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("codec", "name", "has_bom"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", True),
        ("utf-16", "utf-16", True),
        ("gb18030", "gb18030", False),
        ("gbk", "gb18030", False),
        ("gb2312", "gb18030", False),
    ],
)
def test_each_encoding_is_found_and_read_back(tmp_path: Path, codec: str, name: str, has_bom: bool) -> None:
    path = saved(tmp_path, CHINESE.encode(codec))
    found = detect(path)
    assert (found.name, found.has_bom) == (name, has_bom)
    with open_text(path, found) as stream:
        assert stream.read() == CHINESE


def test_big_endian_utf16_and_a_gb18030_mark_are_read_without_the_mark(tmp_path: Path) -> None:
    for content, name in [
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), "utf-16"),
        (("\ufeff" + CHINESE).encode("gb18030"), "gb18030"),
    ]:
        path = saved(tmp_path, content)
        found = detect(path)
        assert (found.name, found.has_bom) == (name, True)
        with open_text(path, found) as stream:
            assert stream.read() == CHINESE


def test_traditional_characters_in_gbk_are_found(tmp_path: Path) -> None:
    path = saved(tmp_path, TRADITIONAL.encode("gbk"))
    with open_text(path, detect(path)) as stream:
        assert stream.read() == TRADITIONAL


def test_four_byte_gb18030_and_emoji_are_read(tmp_path: Path) -> None:
    text = "这家店的菜很好吃😀，下次还来。𠮷\n"
    path = saved(tmp_path, text.encode("gb18030"))
    with open_text(path, detect(path)) as stream:
        assert stream.read() == text


def test_a_few_rare_words_in_gbk_are_found_by_their_zone(tmp_path: Path) -> None:
    path = saved(tmp_path, "label\n蹦极\n滑翔伞\n".encode("gbk"))
    assert detect(path).name == "gb18030"


def test_ascii_is_utf8(tmp_path: Path) -> None:
    assert detect(saved(tmp_path, b"text,label\n")).name == "utf-8"


def test_chinese_that_starts_after_a_megabyte_of_ascii_is_found(tmp_path: Path) -> None:
    content = b"plain words only\n" * 100_000 + CHINESE.encode("gb18030")
    assert len(content) > encodings.PIECE_BYTES
    assert detect(saved(tmp_path, content)).name == "gb18030"


@pytest.mark.parametrize("size", [7, 8, 9, 10, 11])
def test_a_character_cut_by_a_piece_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(encodings, "PIECE_BYTES", size)
    for codec in ("utf-8", "utf-16", "gb18030"):
        content = (CHINESE + "a\r\nb\rc😀\n").encode(codec)
        found = detect(saved(tmp_path, content))
        assert found.line_ends == ((r"\n", 3), (r"\r\n", 1), (r"\r", 1))


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (TRADITIONAL, "big5"),
        ("안녕하세요 저는 학생입니다 오늘 날씨가 좋네요 이 영화는 정말 재미있었어요\n" * 3, "euc-kr"),
        ("これは日本語の文章です。映画はとても面白かった。また見たいと思います。\n", "shift_jis"),
        ("Nestlé übernimmt für 3 Mio. Euro ein Café in Köln\n", "latin-1"),
    ],
)
def test_other_encodings_are_refused_not_misread(tmp_path: Path, text: str, codec: str) -> None:
    assert "fits neither UTF-8 nor GB18030" in message_of(saved(tmp_path, text.encode(codec)))


def test_western_pairs_that_happen_to_be_gb18030_are_refused(tmp_path: Path) -> None:
    content = "Spätburgunder aus Österreich\nschön für öfter\n".encode("latin-1")
    content.decode("gb18030")  # the accident that must not be believed
    assert "fits neither" in message_of(saved(tmp_path, content))


def test_the_sentence_names_file_line_byte_and_offset(tmp_path: Path) -> None:
    path = saved(tmp_path, b"text\r\nplain\rmore\nNestl\xe9 grows\n")
    assert message_of(path) == (
        f"{path}:4: the byte 0xE9 at offset 22 fits neither UTF-8 nor GB18030 (Chinese); save the file as UTF-8, "
        "or name its encoding: data.encoding, e.g. 'cp1252' for western European text."
    )


def test_a_damaged_byte_is_named_in_the_encoding_the_file_was_written_in(tmp_path: Path) -> None:
    for codec in ("utf-8", "gb18030"):
        good = (CHINESE * 3).encode(codec)
        path = saved(tmp_path, good + b"\xff\n" + good)
        assert f"texts.txt:7: the byte 0xFF at offset {len(good):,}" in message_of(path)


def test_a_file_cut_inside_a_character_says_so(tmp_path: Path) -> None:
    path = saved(tmp_path, ("a" * 10 + "很").encode()[:-1])
    assert "the byte 0xE5 at offset 10" in message_of(path)


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    path = saved(tmp_path, b"Nestl\xe9\n")
    with open_text(path, detect(path, "cp1252")) as stream:
        assert stream.read() == "Nestlé\n"


def test_a_named_encoding_with_a_mark_is_read_without_it(tmp_path: Path) -> None:
    for named, content in [("utf8", CHINESE.encode("utf-8-sig")), ("utf-16-le", CHINESE.encode("utf-16"))]:
        path = saved(tmp_path, content)
        with open_text(path, detect(path, named)) as stream:
            assert stream.read() == CHINESE


def test_a_named_encoding_that_fails_names_the_place(tmp_path: Path) -> None:
    path = saved(tmp_path, CHINESE.encode("gbk"))
    assert message_of(path, "utf-8") == (
        f"{path}:1: the byte 0xBE at offset 0 is not UTF-8; "
        "save the file as UTF-8, or name the encoding that it has: data.encoding."
    )


@pytest.mark.parametrize("named", ["gb18300", "base64", "a\0b", "punycode", "idna", "undefined"])
def test_an_unknown_encoding_is_refused(tmp_path: Path, named: str) -> None:
    near = " Did you mean 'gb18030'?" if named == "gb18300" else ""
    assert message_of(saved(tmp_path, b"a\n"), named) == (
        f"data.encoding: there is no text encoding '{named}'.{near} Use 'auto', or a name that Python knows, "
        "such as 'utf-8', 'gb18030', 'big5' or 'cp1252'."
    )


def test_utf16_without_a_mark_is_recognised_and_refused(tmp_path: Path) -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        message = message_of(saved(tmp_path, "text,label\nhello,a\n".encode(codec)))
        assert (
            f"looks like UTF-16 without a byte-order mark; save it as UTF-8, or set data.encoding: {codec}." in message
        )


@pytest.mark.parametrize(
    ("head", "what"), [(b"PK\x03\x04", "Excel workbook"), (b"\x1f\x8b\x08", "gzip archive"), (b"PAR1", "parquet file")]
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, head: bytes, what: str) -> None:
    sentence = f"this is .*{what}, not text; export or unpack it as a text file first\\.$"
    assert re.search(sentence, message_of(saved(tmp_path, head + b"...")))


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"a\nb\n", r"\n"),
        (b"a\r\nb\r\n", r"\r\n"),
        (b"a\rb", r"\r"),
        (b"a", "none"),
        (b"a\nb\r\nc\rd\n", r"mixed: 2 \n, 1 \r\n, 1 \r"),
    ],
)
def test_line_ends_are_reported(tmp_path: Path, content: bytes, fact: str) -> None:
    assert detect(saved(tmp_path, content)).facts() == {"encoding": "UTF-8", "line ends": fact}


def test_a_mark_is_reported(tmp_path: Path) -> None:
    assert detect(saved(tmp_path, b"\xef\xbb\xbfa")).facts()["encoding"] == "UTF-8 with byte-order mark"


def test_memory_of_the_check_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(n_times: int) -> int:
        path = saved(tmp_path, CHINESE.encode("gb18030") * n_times)
        tracemalloc.start()
        detect(path)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(200_000) < peak(40_000) * 1.2 < 40 * encodings.PIECE_BYTES
