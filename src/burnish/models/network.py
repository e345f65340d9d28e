"""A base with a head on it: one module from token ids to logits, saved in the plain Hugging Face layout."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from burnish.core.errors import UserError
from burnish.models.drawn import mark_given
from burnish.models.weights import open_to_readers, system_errors, write_weights

HEAD_FILE = "head.safetensors"


class Network(nn.Module):
    """`trunk` is a transformers model. Without a `readout` the trunk's own head gives the logits.

    forward: input_ids [B, T], attention_mask [B, T] and what else the batch has, of which the trunk gets what it takes
    (token_type_ids, say) and the readout, called as `readout(hidden, inputs)`, reads what it needs
    → logits [B, L], [B, T, L] when the head labels tokens, [B, T, 2] when it marks starts and ends, or vectors [B, H].
    A trunk that gives no last hidden state, such as one of two towers, hands the readout all that it gives; where the
    batch has nothing for the trunk, the readout gets None and answers from what it keeps.
    """

    def __init__(self, trunk: Any, readout: nn.Module | None = None) -> None:
        super().__init__()
        self.trunk = trunk
        self.readout = readout
        self._accepted = frozenset(inspect.signature(trunk.forward).parameters)

    def forward(self, **inputs: Tensor) -> Tensor:
        known = {name: value for name, value in inputs.items() if name in self._accepted}
        outputs = self.trunk(**known) if known else None
        if self.readout is None:
            return _own_logits(outputs)
        hidden = outputs.get("last_hidden_state", outputs) if outputs is not None else None
        pooled: Tensor = self.readout(hidden, inputs)
        return pooled

    @property
    def body(self) -> nn.Module:
        """The pretrained part, without any head."""
        return self.trunk if self.readout is not None else self.trunk.base_model  # type: ignore[no-any-return]

    def head_modules(self) -> tuple[str, ...]:
        """Names of the modules whose parameters are not the pretrained body's."""
        pretrained = {id(parameter) for parameter in self.body.parameters()}
        new = {name for name, parameter in self.named_parameters() if id(parameter) not in pretrained}
        return tuple(sorted({name.rpartition(".")[0] for name in new}))

    def save(self, folder: Path) -> None:
        """config.json and model.safetensors; a readout of ours goes beside them as head.safetensors."""
        with quiet_transformers(), system_errors():
            self.trunk.save_pretrained(folder)
        if self.readout is not None and (state := self.readout.state_dict()):
            write_weights(state, folder / HEAD_FILE)
        open_to_readers(folder)

    def load_readout(self, folder: Path) -> None:
        if self.readout is not None and self.readout.state_dict():
            self.readout.load_state_dict(load_file(folder / HEAD_FILE))
            mark_given(self.readout)


def _own_logits(outputs: Any) -> Tensor:
    """What a trunk's own head gives; the two of a head for answers side by side."""
    if "start_logits" in outputs:
        return torch.stack([outputs.start_logits, outputs.end_logits], dim=-1)
    logits: Tensor = outputs.logits
    return logits


def load_pretrained(auto_class: str, folder: Path, settings: dict[str, Any]) -> Any:
    """`transformers.<auto_class>.from_pretrained` of a local folder in float32, safetensors only, never remote code.

    float32 is asked for because checkpoints stored in half precision would otherwise be computed in it, which a CPU
    does 10–100 times slower.

    Raises:
        UserError: transformers cannot build this model.
    """
    import transformers

    maker = getattr(transformers, auto_class)
    try:
        with quiet_transformers():
            model, found = maker.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                attn_implementation="eager",
                output_loading_info=True,
                **settings,
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().split("\n")[0][:300]
        raise UserError(f"base: {folder} cannot be loaded by transformers as {auto_class} ({reason}).") from None
    mark_given(model, but=found["missing_keys"])
    return model


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """No load reports or bars from transformers inside the block: a new head is expected to be new."""
    from transformers.utils import logging

    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
