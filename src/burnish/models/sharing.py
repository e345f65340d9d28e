"""Several heads on one trunk: it reads a text once, and every head that is asked answers from what it gave."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from burnish.models.asked import asked_in
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import own_logits, seen_by


class SharedReadout(nn.Module):
    """One head a name, all on the same outputs of a trunk. A batch names the heads that it asks (see `asked`).

    → of one head its logits as they are; of several theirs side by side, each flattened: [B, K1 + T · K2 + …].
    """

    reads_all = True

    def __init__(self, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.names = tuple(heads)
        for name, head in heads.items():
            self.add_module(f"head_{name}", head)

    def head(self, name: str) -> nn.Module:
        return self.get_submodule(f"head_{name}")

    def forward(self, outputs: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        asked = [self.head(name) for name in asked_in(inputs, self.names)]
        found: list[Tensor] = [head(seen_by(head, outputs), inputs) for head in asked]
        return found[0] if len(found) == 1 else torch.cat([one.flatten(1) for one in found], dim=1)


class OwnHead(nn.Module):
    """An architecture's own head without its trunk: `auto_class` of transformers, reading another trunk's outputs.

    Its weights are new, drawn from torch's random state as the architecture draws them. One call at a time.
    """

    reads_all = True

    def __init__(self, auto_class: str, config: Any, plan: HeadPlan) -> None:
        import transformers

        super().__init__()
        config = copy.deepcopy(config)
        config.update(plan.config_settings())
        with torch.device("meta"):  # the trunk that it would bring costs nothing there
            model = getattr(transformers, auto_class).from_config(config, attn_implementation="eager")
        setattr(model, model.base_model_prefix, _Given())
        model.to_empty(device="cpu")
        model.init_weights()
        self.model = model

    def forward(self, outputs: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        given = getattr(self.model, self.model.base_model_prefix)
        given.outputs = outputs
        try:
            found = self.model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        finally:
            given.outputs = None
        return own_logits(found)


class _Given(nn.Module):
    """Stands where a model has its trunk, and gives what another trunk gave."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: Any = None

    def forward(self, *_: Any, **__: Any) -> Any:
        return self.outputs
