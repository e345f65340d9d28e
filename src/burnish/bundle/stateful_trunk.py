"""A trunk whose layers OpenVINO computes, called as transformers calls a causal model that writes.

What is kept of the tokens before stays in a request of OpenVINO's, one for each text or batch under way; `Held` hands
it on from token to token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import AutoConfig, GenerationConfig, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from burnish.bundle.shapes import length_alone

INPUTS = ("input_ids", "attention_mask", "position_ids", "places", "beam_idx")


class Held:
    """A request and, in `rows` [B], from which of the rows before each goes on: beams change places.

    The first tokens are filled up on the left to one of a few lengths, for OpenVINO keeps code for each that it meets;
    `n_filled` says by how many, and the masks that follow are made longer by as many.
    """

    def __init__(self, request: Any, n_rows: int, n_filled: int) -> None:
        self.request = request
        self.rows = torch.arange(n_rows)
        self.n_filled = n_filled
        self.n_tokens = 0

    def reorder_cache(self, beam_idx: Tensor) -> None:
        self.rows = beam_idx

    def infer(self, input_ids: Tensor, attention_mask: Tensor, places: Tensor) -> Tensor:
        """Logits [1, M, V] of `places` [M] among input_ids [B, T], with attention_mask [B, P + T]."""
        n_new = self.n_filled if self.n_tokens == 0 else 0
        ids = pad(input_ids.long(), (n_new, 0))
        mask = pad(attention_mask.long(), (self.n_filled, 0))
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        shifted = (places // input_ids.shape[1] * ids.shape[1] + places % input_ids.shape[1] + n_new).long()
        inputs = (ids, mask, positions, shifted)
        arrays = [*(one.contiguous().numpy() for one in inputs), self.rows.numpy().astype(np.int32)]
        self.request.infer(dict(zip(INPUTS, arrays, strict=True)))
        self.rows = torch.arange(len(self.rows))
        self.n_tokens += input_ids.shape[1]
        return torch.from_numpy(self.request.get_output_tensor(0).data.copy())


class StatefulTrunk(PreTrainedModel, GenerationMixin):
    """Has no weights of its own. `forward` begins anew where nothing is held."""

    main_input_name = "input_ids"
    device = torch.device("cpu")
    dtype = torch.float32
    _is_stateful = True

    def __init__(self, compiled: Any, folder: Path) -> None:
        super().__init__(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
        self.compiled = compiled
        self.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        places: Tensor | None = None,
        past_key_values: Held | None = None,
        use_cache: bool = False,
        **_: Any,
    ) -> CausalLMOutputWithPast:
        """input_ids [B, T], attention_mask [B, P + T] with the P tokens held → logits [1, M, V] of `places`; without
        them of each row's last token [B, 1, V] where writing goes on (`use_cache`), else all [B, T, V].
        """
        n_rows, n_tokens = input_ids.shape
        held = past_key_values or self._begun(n_rows, n_tokens)
        if attention_mask is None:  # transformers leaves it out where nothing is filled up
            attention_mask = torch.ones(n_rows, held.n_tokens + n_tokens, dtype=torch.long)
        wanted = places
        if wanted is None:
            all_places = torch.arange(n_rows * n_tokens).view(n_rows, n_tokens)
            wanted = (all_places[:, -1:] if use_cache else all_places).flatten()
        logits = held.infer(input_ids, attention_mask, wanted)
        if places is None:
            logits = logits.view(n_rows, -1, logits.shape[-1])
        return CausalLMOutputWithPast(logits=logits, past_key_values=held)  # type: ignore[arg-type]

    def _begun(self, n_rows: int, n_tokens: int) -> Held:
        return Held(self.compiled.create_infer_request(), n_rows, length_alone(n_tokens) - n_tokens)

    def prepare_inputs_for_generation(  # type: ignore[override]  # what else it may be given is of no use here
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: Held | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        """What `forward` is given for the next token [B, 1], or for all of them before the first one."""
        given = input_ids if past_key_values is None else input_ids[:, -1:]
        held = {"past_key_values": past_key_values, "use_cache": True}
        return {"input_ids": given, "attention_mask": attention_mask, **held}

    @classmethod
    def can_generate(cls) -> bool:
        return True

    def _reorder_cache(self, past_key_values: Held, beam_idx: Tensor) -> Held:
        past_key_values.reorder_cache(beam_idx)
        return past_key_values

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False  # what is kept is OpenVINO's
