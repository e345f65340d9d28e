"""Merging of adapters: small matrices beside linear layers are folded into their weights (Hu et al. 2021, §4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class Merge(Method):
    """W + alpha / rank × B A as one matrix (arXiv 2106.09685): the same answers without the adapters' time.

    What `fit` leaves in a bundle is merged already.
    """

    makes = "network"

    def refusal(self, subject: Subject) -> str | None:
        # by their library's name, so that it is loaded only where its layers are
        if any(type(module).__module__.startswith("peft.") for module in subject.network.modules()):
            return None
        return "the model has no adapters; those that were trained are folded in when a bundle is written."

    def apply(self, subject: Subject, material: Material) -> Subject:
        import copy

        from burnish.models.peft.lora import Lora

        network = copy.deepcopy(subject.network)
        Lora().fold_in(network)
        return subject.after(self, network=network.eval())
