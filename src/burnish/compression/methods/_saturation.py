"""Whether sums of int8 products are cut off on this processor, so that weights must do with a bit less.

x86 without VNNI adds two products of an unsigned and a signed byte in 16 bits, and cuts off what is more (VPMADDUBSW):
127 × 255 twice does not fit, 63 × 255 twice does. What is made here is for processors like this one: one that was made
where VNNI is may answer otherwise without, which its proof shows when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_cut_off() -> bool:
    """Whether weights of 8 bits are too much here."""
    import torch

    ask = getattr(torch.cpu, "get_capabilities", None)
    known: Mapping[str, Any] = ask() if ask else {}  # an older torch cannot tell
    has_vnni = known.get("avx512_vnni") or known.get("avx_vnni")
    return known.get("architecture") == "x86_64" and not has_vnni
