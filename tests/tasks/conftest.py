from __future__ import annotations

from functools import cache

import pytest

from burnish.models.locate import locate
from burnish.models.tokenizer import load_tokenizer


@cache
def _tokenizer(is_cjk_split, max_length):
    return load_tokenizer(locate("minilm").folder, max_length, is_cjk_split)


@pytest.fixture
def tokenizer():
    """The real tokenizer of the embedded base."""
    return _tokenizer(is_cjk_split=True, max_length=None)


@pytest.fixture
def short_tokenizer():
    """The same with room for 14 tokens and 2 specials a window."""
    return _tokenizer(is_cjk_split=True, max_length=16)
