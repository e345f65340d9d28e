"""Bases that write: which folders hold one, where its texts end, and the network made of it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError
from burnish.core.files import read_json
from burnish.models.heads._contract import HeadPlan
from burnish.models.inspection import read_config

if TYPE_CHECKING:
    from burnish.models.network import Network

GENERATION = "generation_config.json"


def attach_writer(auto_class: str, folder: Path, plan: HeadPlan) -> Network:
    """The base in `folder` with the head that it was pretrained with, its weights in float32."""
    from burnish.models.network import Network, load_pretrained
    from burnish.models.tokenizer import load_backend

    trunk = load_pretrained(auto_class, folder, dict(plan.config_changes))
    _keep_token_ids(trunk)
    return Network(trunk, vocabulary=load_backend(folder))


def _keep_token_ids(trunk: Any) -> None:
    """Of a base's settings for writing, those that name tokens: a temperature or beams of its own would come on top of
    the recipe's.
    """
    from transformers import GenerationConfig

    settings = trunk.generation_config.to_diff_dict()
    kept = {name: value for name, value in settings.items() if name.endswith(("token_id", "tokens", "words_ids"))}
    trunk.generation_config = GenerationConfig(**kept)  # type: ignore[no-untyped-call]


def refuse_unless_decoder(folder: Path) -> None:
    """Raise `UserError` unless the base in `folder` goes on with a text from what stands before."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED,
    )

    kind, config = _kind(folder)
    if config.get("is_encoder_decoder") or _is_seq2seq(kind):
        raise UserError(
            f"base: {folder.name} ({kind}) turns one text into another through an encoder; the task 'seq2seq' takes it."
        )
    if kind not in CAUSAL or (kind in MASKED and not config.get("is_decoder")):
        raise UserError(
            f"base: {folder.name} ({kind}) reads a text from both sides and cannot go on with it; take a causal base, "
            "such as SmolLM2, Llama, Qwen or Gemma."
        )


def refuse_unless_packable(folder: Path) -> None:
    """Raise `UserError` unless the base in `folder`, a causal one, can be told where each token stands."""
    if not takes_positions(folder):
        raise UserError(
            f"task.packing: a {_kind(folder)[0]} takes no positions, so packed examples cannot be kept apart; take "
            "packing out."
        )


def takes_positions(folder: Path) -> bool:
    """Whether the causal model in `folder` can be told where each token stands."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    architecture = getattr(transformers, CAUSAL[_kind(folder)[0]])
    return "position_ids" in inspect.signature(architecture.forward).parameters


def refuse_unless_seq2seq(folder: Path) -> None:
    """Raise `UserError` unless the base in `folder` is an encoder with a decoder."""
    kind, _ = _kind(folder)
    if not _is_seq2seq(kind):
        raise UserError(
            f"base: {folder.name} ({kind}) is no encoder with a decoder; take a T5, BART or Marian, or the task "
            "'generation' for a causal base."
        )


def _kind(folder: Path) -> tuple[str, dict[str, Any]]:
    config = read_config(folder)
    return str(config["model_type"]), config


def _is_seq2seq(kind: str) -> bool:
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES as SEQ2SEQ

    return kind in SEQ2SEQ


def end_ids(folder: Path) -> tuple[int, ...]:
    """The tokens at which the texts of a base end, as its settings for writing say, or else its config.

    Raises:
        UserError: neither names one.
    """
    settings = read_json(folder / GENERATION) if (folder / GENERATION).is_file() else {}
    for found in (settings.get("eos_token_id"), read_config(folder).get("eos_token_id")):
        ids = [found] if isinstance(found, int) else found or []
        if ids:
            return tuple(int(one) for one in ids)
    raise UserError(f"base: {folder.name} names no token that ends a text (eos_token_id in config.json); add it.")
