"""Bases that read a text from both sides and can be asked for a word in it that is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError
from burnish.models.heads._contract import HeadPlan
from burnish.models.inspection import read_config

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from burnish.models.network import Network


MASKS = ("[MASK]", "<mask>")


def attach_masked(folder: Path, plan: HeadPlan) -> Network:
    """The base in `folder` with the head that it was pretrained with, or a new one where it has none."""
    from burnish.models.network import Network, load_with_news
    from burnish.models.tokenizer import load_backend

    trunk, new = load_with_news("AutoModelForMaskedLM", folder, dict(plan.config_changes))
    return Network(trunk, vocabulary=load_backend(folder), new=new)


def refuse_unless_masked(folder: Path) -> None:
    """Raise `UserError` unless the base in `folder` reads texts from both sides."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    config = read_config(folder)
    kind = str(config["model_type"])
    if kind not in MASKED or config.get("is_decoder") or config.get("is_encoder_decoder"):
        raise UserError(
            f"base: {folder.name} ({kind}) does not read a text from both sides, so nothing in it can be masked; take "
            "an encoder such as BERT or RoBERTa, or the task 'causal_lm' for a base that goes on with a text."
        )


def mask_of(backend: Tokenizer, folder: Path) -> tuple[str, int]:
    """The token that stands for a hidden one, and its id.

    Raises:
        UserError: the tokenizer has none.
    """
    from burnish.core.files import read_json

    file = folder / "tokenizer_config.json"
    declared = read_json(file).get("mask_token") if file.is_file() else None
    named = declared.get("content") if isinstance(declared, dict) else declared
    for token in (named, *MASKS):
        if token and (number := backend.token_to_id(token)) is not None:
            return str(token), int(number)
    raise UserError(
        f"base: the tokenizer of {folder.name} has no token for what is masked (mask_token in tokenizer_config.json); "
        "take a base that was pretrained with one."
    )
