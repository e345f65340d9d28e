"""Which encoding a text file has: found without guessing from names, checked over the whole file.

UTF-8 is recognised by decoding all of it, because no other encoding of real text decodes as UTF-8 by
accident. GB18030 (a superset of GBK and GB2312) decodes many files that are not Chinese at all, so
such a file must also read like Chinese: see `_reads_as_chinese`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from burnish.core.errors import UserError, hint
from burnish.data.paths import require_file

PIECE_BYTES = 1 << 20
"""Bytes read at once; a check of any file holds no more than a few such pieces."""

SAMPLE_CHARACTERS = 20_000
"""Non-ASCII characters looked at to tell Chinese from an accident."""

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    "\ufeff".encode("gb18030"): "gb18030",
}
_TITLES = {"utf-8": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}
_NOT_FOR_FILES = ("idna", "punycode", "undefined")
_OFTEN_NAMED = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk", "big5", "latin-1", "cp1252", "shift_jis")
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database",
}
_COMMON = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学"
    "如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高"
    "间由问很最重并物手应向头文体政美相见被利什二等产或新己制身果加月话合回特代内信表化老给世位次度门任常先海通教原东提立及比员解水名真论处"
    "走各入几口认条平系气题活更别打女变总何电数安少报才结反受目太量再感建务做接必场件计管期市直资金指统区保至社便空决书非达光放强品住服房酒"
    "店送快味吃這個們來為國說時會對於過發後裡種經沒動還進樣開從實無與長機關點業將兩間問應頭體見產給內東電車學"
    "，。、；：？！“”‘’（）《》【】…—·　～"
)
_COMMON_SHARE = 0.15
"""Set between what was measured on excerpts of 8 lines: news, reviews and sentences have at least 0.28; the same
text in Big5, misread, at most 0.11. Short lists of words lie on both sides: name the encoding of such a file."""


@dataclass(frozen=True, slots=True)
class Encoding:
    r"""How a file's bytes become text. `line_ends` counts each kind: `\n`, `\r\n`, lone `\r`."""

    name: str
    has_bom: bool
    line_ends: tuple[tuple[str, int], ...]

    def facts(self) -> dict[str, str]:
        """For the data card."""
        kinds = [kind for kind, _ in self.line_ends] or ["none"]
        counts = ", ".join(f"{n:,} {kind}" for kind, n in self.line_ends)
        ends = kinds[0] if len(kinds) == 1 else f"mixed: {counts}"
        title = _TITLES.get(self.name, self.name)
        return {"encoding": title + (" with byte-order mark" if self.has_bom else ""), "line ends": ends}


def detect(path: Path, named: str = "auto") -> Encoding:
    """The encoding of the text file `path`; `named` is `auto` or a codec that the user insists on.

    Every byte is decoded once, in pieces, so a reader that follows cannot fail on the encoding.

    Raises:
        UserError: no such file, a folder, empty, not text, or bytes that the encoding does not allow.
    """
    require_file(path)
    with _unpacked(path) as file:
        head = file.read(64)
    bom_codec = next((codec for bom, codec in _BOMS.items() if head.startswith(bom)), None)
    _refuse_other_files(path, head)
    if named != "auto":
        codec = _codec_named(named)
        has_bom = bom_codec is not None and codec.startswith(bom_codec)
        return _checked(path, bom_codec if has_bom and bom_codec else codec, has_bom)
    if bom_codec:
        return _checked(path, bom_codec, has_bom=True)
    _refuse_bare_utf16(path)
    return _utf8_or_gb18030(path)


def open_text(path: Path, encoding: Encoding) -> io.TextIOWrapper:
    """A text stream past the byte-order mark. Line ends are kept as they are, and each kind ends a line."""
    stream = io.TextIOWrapper(_opened(path), encoding=encoding.name, newline="")
    if encoding.has_bom and encoding.name != "utf-16":  # that codec takes the mark away itself
        stream.read(1)
    return stream


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes; what is packed as `.gz` is unpacked on the way."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The same, with one sentence for an archive that is cut or damaged."""
    try:
        with _opened(path) as file:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path}: is no whole gzip archive ({error}); copy it again, or unpack it.") from None


@dataclass(slots=True)
class _Scan:
    """What one pass over a file found. `failed_at` is the offset of the first byte that cannot be decoded."""

    line_ends: tuple[tuple[str, int], ...] = ()
    failed_at: int | None = None
    sample: str = ""

    @property
    def n_lines_ended(self) -> int:
        return sum(n for _, n in self.line_ends)


def _utf8_or_gb18030(path: Path) -> Encoding:
    utf8 = _scan(path, "utf-8")
    if utf8.failed_at is None:
        return Encoding("utf-8", False, utf8.line_ends)
    chinese = _scan(path, "gb18030")
    if chinese.failed_at is None and _reads_as_chinese(chinese.sample):
        return Encoding("gb18030", False, chinese.line_ends)
    # A damaged file got furthest in the encoding that it was written in: name the place where that one broke.
    codec, offset = "utf-8", utf8.failed_at
    if chinese.failed_at is not None and chinese.failed_at > offset and _reads_as_chinese(chinese.sample):
        codec, offset = "gb18030", chinese.failed_at
    raise UserError(
        f"{_place(path, codec, offset)} fits neither UTF-8 nor GB18030 (Chinese); save the file as UTF-8, "
        "or name its encoding: data.encoding, e.g. 'cp1252' for western European text."
    )


def _checked(path: Path, codec: str, has_bom: bool) -> Encoding:
    scan = _scan(path, codec)
    if scan.failed_at is None:
        return Encoding(codec, has_bom, scan.line_ends)
    raise UserError(
        f"{_place(path, codec, scan.failed_at)} is not {_TITLES.get(codec, codec)}; "
        "save the file as UTF-8, or name the encoding that it has: data.encoding."
    )


def _codec_named(named: str) -> str:
    try:
        found = codecs.lookup(named)
    except (LookupError, ValueError):
        found = None
    if found is None or not getattr(found, "_is_text_encoding", True) or found.name in _NOT_FOR_FILES:
        raise UserError(
            f"data.encoding: there is no text encoding '{named}'.{hint(named, _OFTEN_NAMED)} "
            "Use 'auto', or a name that Python knows, such as 'utf-8', 'gb18030', 'big5' or 'cp1252'."
        )
    return found.name


def _refuse_other_files(path: Path, head: bytes) -> None:
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise UserError(f"{path}: this is {what}, not text; export or unpack it as a text file first.")


def _refuse_bare_utf16(path: Path) -> None:
    with _unpacked(path) as file:
        head = file.read(4096)
    for codec, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if len(head) >= 4 and zeros.count(0) > 0.4 * len(zeros) and head.count(0) < 0.6 * len(head):
            raise UserError(
                f"{path}: looks like UTF-16 without a byte-order mark; save it as UTF-8, or set data.encoding: {codec}."
            )


def _reads_as_chinese(sample: str) -> bool:
    """True when the non-ASCII characters `sample` are those of Chinese text, not of an accident.

    Text in Big5, EUC-KR, Shift-JIS or Latin-1 often decodes as GB18030, into rare characters. In real Chinese some
    340 characters and marks make up a quarter or more. A sample too short for that share must lie in the part of GB2312
    that holds everyday characters (rows 1–3 and 16–55).
    """
    if not sample:
        return False
    if sum(character in _COMMON for character in sample) >= _COMMON_SHARE * len(sample):
        return True
    return len(sample) < 50 and sum(map(_is_everyday, sample)) >= 0.9 * len(sample)


def _is_everyday(character: str) -> bool:
    code = character.encode("gb18030")
    return len(code) == 2 and code[1] >= 0xA1 and (code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xD7)


def _place(path: Path, codec: str, offset: int) -> str:
    with _unpacked(path) as file:
        file.seek(offset)
        value = file.read(1)
    line = _scan(path, codec, errors="replace", stop=offset).n_lines_ended + 1
    return f"{path}:{line}: the byte {f'0x{value[0]:02X}' if value else 'after the last'} at offset {offset:,}"


def _scan(path: Path, codec: str, errors: str = "strict", stop: int | None = None) -> _Scan:
    """Decode `path` up to byte `stop` in pieces, counting line ends; stops at the first byte that cannot be decoded."""
    decoder = codecs.getincrementaldecoder(codec)(errors)
    scan, ends = _Scan(), _LineEnds()
    n_bytes = 0
    for piece in _pieces(path, stop):
        n_waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            scan.failed_at = n_bytes - n_waiting + error.start
            text = error.object[: error.start].decode(codec, "replace")
        n_bytes += len(piece)
        ends.count(text)
        if len(scan.sample) < SAMPLE_CHARACTERS and not text.isascii():
            scan.sample += re.sub(r"[\x00-\x7f]+", "", text)[:SAMPLE_CHARACTERS]
        if scan.failed_at is not None:
            break
    scan.line_ends = ends.found()
    return scan


def _pieces(path: Path, stop: int | None) -> Iterator[bytes]:
    """The file's bytes up to `stop`, then an empty piece for the decoder to finish with."""
    n_read = 0
    with _unpacked(path) as file:
        while piece := file.read(PIECE_BYTES if stop is None else min(PIECE_BYTES, stop - n_read)):
            n_read += len(piece)
            yield piece
    yield b""


class _LineEnds:
    r"""Counts line ends over pieces of text; a `\r` and its `\n` may lie in two pieces."""

    def __init__(self) -> None:
        self._n_lf = self._n_cr = self._n_crlf = 0
        self._ended_in_cr = False

    def count(self, text: str) -> None:
        if not text:
            return
        self._n_lf += text.count("\n")
        if "\r" in text:
            self._n_cr += text.count("\r")
            self._n_crlf += text.count("\r\n")
        self._n_crlf += self._ended_in_cr and text[0] == "\n"
        self._ended_in_cr = text[-1] == "\r"

    def found(self) -> tuple[tuple[str, int], ...]:
        kinds = {r"\n": self._n_lf - self._n_crlf, r"\r\n": self._n_crlf, r"\r": self._n_cr - self._n_crlf}
        return tuple((kind, n) for kind, n in kinds.items() if n)
