"""Transformer blocks of an encoder, told apart: where each has its heads and its feed-forward part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from burnish.compression.subject import Subject
    from burnish.models.network import Network

ENCODERS = frozenset(
    {"rows", "pairs", "entities", "tokens", "words", "spans", "vectors", "cosines", "several", "hidden_words"}
)
"""What heads give whose base reads text and writes none."""


@dataclass(frozen=True)
class Layout:
    """What an architecture calls the linear layers of a block, and the settings of its config that count them."""

    query: str
    key: str
    value: str
    output: str
    up: str
    down: str
    n_layers: str
    width: str


BERT = Layout(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    output="attention.output.dense",
    up="intermediate.dense",
    down="output.dense",
    n_layers="num_hidden_layers",
    width="intermediate_size",
)
"""BERT, RoBERTa, XLM-R, CamemBERT, ELECTRA; multilingual E5, MiniLM."""

DISTILBERT = Layout(
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    output="attention.out_lin",
    up="ffn.lin1",
    down="ffn.lin2",
    n_layers="n_layers",
    width="hidden_dim",
)

LAYOUTS = (BERT, DISTILBERT)


@dataclass(frozen=True)
class Stack:
    """The blocks of a network, bottom first."""

    blocks: nn.ModuleList
    layout: Layout

    def __len__(self) -> int:
        return len(self.blocks)

    def linears(self, part: str) -> list[nn.Linear]:
        """The linear layer that a `Layout` calls `part`, of every block."""
        return [block.get_submodule(getattr(self.layout, part)) for block in self.blocks]  # type: ignore[misc]

    @property
    def attentions(self) -> list[nn.Module]:
        """The module of every block that holds its query, and knows how its heads are cut."""
        return [block.get_submodule(self.layout.query.rpartition(".")[0]) for block in self.blocks]

    @property
    def head_size(self) -> int:
        """Columns of one attention head, the same in every block."""
        return int(self.attentions[0].attention_head_size)  # type: ignore[arg-type]


def find_stack(network: Network) -> Stack | None:
    """The blocks of the network's one body; None where they are of no known layout, or there are several lists."""
    bodies = network.bodies()
    lists = [
        module for body in bodies for module in body.modules() if isinstance(module, nn.ModuleList) and len(module)
    ]
    found = [Stack(blocks, layout) for blocks in lists for layout in LAYOUTS if _fits(blocks, layout)]
    return found[0] if len(bodies) == 1 and len(found) == 1 else None


def stack_of(network: Network) -> Stack:
    """The blocks of a network that was not refused."""
    stack = find_stack(network)
    assert stack is not None, "the method refuses a network without"
    return stack


def _fits(blocks: nn.ModuleList, layout: Layout) -> bool:
    paths = [layout.query, layout.key, layout.value, layout.output, layout.up, layout.down]
    found = [dict(block.named_modules()) for block in blocks]
    return all(isinstance(modules.get(path), nn.Linear) for modules in found for path in paths)


def refuse_without_blocks(subject: Subject) -> str | None:
    """Why the blocks of a subject cannot be worked on."""
    if subject.runtime is not None:
        return f"the model was already made into files for {subject.runtime.part_name}; weights change before that."
    if subject.task.head_part.gives not in ENCODERS:
        return f"the head '{subject.task.head_part.part_name}' is not on an encoder of text."
    if find_stack(subject.network) is None:
        return "the base has no blocks that can be told apart; BERT, RoBERTa, XLM-R, DistilBERT and their like have."
    return None


def tell_config(network: Network, **sizes: Any) -> None:
    """Write sizes into the config of the trunk and of every module inside that has one."""
    configs = {id(module.config): module.config for module in network.trunk.modules() if hasattr(module, "config")}
    for config in configs.values():
        for name, value in sizes.items():
            setattr(config, name, value)


def keep_rows(linear: nn.Linear, rows: Tensor) -> None:
    """Leave of a linear layer the outputs `rows` [n]."""
    linear.weight = _chosen(linear.weight, rows, dim=0)
    linear.bias = _chosen(linear.bias, rows, dim=0) if linear.bias is not None else None
    linear.out_features = len(rows)


def keep_columns(linear: nn.Linear, columns: Tensor) -> None:
    """Leave of a linear layer the inputs `columns` [n]."""
    linear.weight = _chosen(linear.weight, columns, dim=1)
    linear.in_features = len(columns)


def _chosen(weight: Tensor, indices: Tensor, dim: int) -> nn.Parameter:
    kept = weight.detach().index_select(dim, indices.to(weight.device))
    return nn.Parameter(kept.clone(), requires_grad=weight.requires_grad)
