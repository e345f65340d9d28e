"""Texts as sets of character 5-grams: their hashes, MinHash signatures and Jaccard similarity.

Broder 1997, "On the resemblance and containment of documents": the share of equal minima under random
orders of all shingles is an unbiased estimate of the Jaccard similarity of two shingle sets.

Everything is vectorised over many texts. Signatures are made with numpy: it is four times as fast here as a
compiled library that hands its digests over as Python integers, and the same on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5  # characters
EDGE_MARKS = " .,!?;:…·\"'`()[]~-。，！？；：、“”‘’《》「」【】"
SHORT_TEXT = 20  # characters
_CHUNK = 1 << 16  # shingles whose hashes stay in the processor's cache while all orders are tried

Hashes = NDArray[np.uint32]
Ints = NDArray[np.int64]


class Shingles(NamedTuple):
    """Hashes of all shingles of some texts; text i's are `hashes[starts[i]:starts[i + 1]]`, never none."""

    hashes: Hashes
    starts: Ints


def normalised(text: str) -> str:
    """The form in which texts are compared: NFKC, caseless, every run of white space one space."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def core(text: str) -> str:
    """A normalised text without punctuation at its ends, so that `yes!` repeats `yes`; all of it if nothing is left."""
    return text.strip(EDGE_MARKS) or text


def wanted_similarity(n_characters: Ints, similarity: float) -> NDArray[np.float64]:
    """From which similarity two texts are near duplicates, where the shorter one has `n_characters` [K].

    In a text under 20 characters one word or digit is the meaning (`set alarm for 6`, `… for 7`), so such
    texts may be only half as far from each other.
    """
    return np.where(n_characters < SHORT_TEXT, (1 + similarity) / 2, similarity)


def shingles(texts: Sequence[str]) -> Shingles:
    """Hashes of the 5-grams of each text; a shorter text is one shingle."""
    padded = [text.ljust(SHINGLE, "\0") for text in texts]
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    joined = "".join(padded) + "\0" * (SHINGLE - 1)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    n_windows = len(codes) - SHINGLE + 1
    hashes = np.zeros(max(n_windows, 0), np.uint64)
    for offset in range(SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + codes[offset : offset + n_windows]
    hashes *= np.uint64(0x9E3779B97F4A7C15)  # spreads the polynomial's low bits over the high ones, which are kept
    is_inside = np.ones(len(hashes), bool)
    ends = np.cumsum(lengths)
    for back in range(1, SHINGLE):
        is_inside[ends - back] = False  # a window that starts here would reach into the next text
    counts = lengths - SHINGLE + 1
    return Shingles((hashes[is_inside] >> np.uint64(32)).astype(np.uint32), np.concatenate([[0], np.cumsum(counts)]))


def signatures(of: Shingles, n_hashes: int, rng: np.random.Generator) -> Hashes:
    """MinHash signatures [n_hashes, texts]: the least hash of each text under `n_hashes` random orders."""
    factors = rng.integers(0, 1 << 31, n_hashes, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    masks = rng.integers(0, 1 << 32, n_hashes, dtype=np.uint32)
    signature = np.empty((n_hashes, len(of.starts) - 1), np.uint32)
    for first, last in _chunks(of.starts):
        begin, end = of.starts[first], of.starts[last]
        hashes, starts = of.hashes[begin:end], of.starts[first:last] - begin
        ordered = np.empty_like(hashes)
        for number in range(n_hashes):
            np.multiply(hashes, factors[number], out=ordered)
            np.bitwise_xor(ordered, masks[number], out=ordered)
            np.minimum.reduceat(ordered, starts, out=signature[number, first:last])
    return signature


def jaccard(texts: Sequence[str], left: Ints, right: Ints) -> NDArray[np.float64]:
    """Jaccard similarity [K] of the shingle sets of `texts[left[k]]` and `texts[right[k]]`."""
    of = shingles(texts)
    owners = np.repeat(np.arange(len(texts), dtype=np.uint64), np.diff(of.starts))
    unique = owners << np.uint64(32) | of.hashes
    unique.sort()  # and not np.unique: that hashes first, at twice the time
    unique = unique[np.append(True, unique[1:] != unique[:-1])]
    starts = np.searchsorted(unique, np.arange(len(texts) + 1, dtype=np.uint64) << np.uint64(32))
    hashes, sizes = unique & np.uint64(0xFFFFFFFF), np.diff(starts)
    both = np.concatenate([left, right])
    pairs = np.tile(np.arange(len(left), dtype=np.uint64), 2)
    keys = np.repeat(pairs << np.uint64(32), sizes[both]) | hashes[ranges(starts[both], sizes[both])]
    keys.sort()
    shared = keys[1:][keys[1:] == keys[:-1]] >> np.uint64(32)  # in a pair a hash stands twice only if both have it
    n_shared = np.bincount(shared.astype(np.int64), minlength=len(left))
    return np.asarray(n_shared / (sizes[left] + sizes[right] - n_shared))


def ranges(starts: Ints, counts: Ints) -> Ints:
    """start, start + 1, … (count of them) for each start, one after the other."""
    ends = np.cumsum(counts)
    return np.asarray(np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts))


def _chunks(starts: Ints) -> list[tuple[int, int]]:
    """(first, last) texts of pieces of about 65,536 shingles, at least one text each."""
    pieces = []
    first, n_texts = 0, len(starts) - 1
    while first < n_texts:
        last = int(np.searchsorted(starts, starts[first] + _CHUNK, side="right")) - 1
        last = min(max(last, first + 1), n_texts)
        pieces.append((first, last))
        first = last
    return pieces
