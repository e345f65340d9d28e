"""A base with a head on it: one module from token ids to logits, saved in the plain Hugging Face layout."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from burnish.core.errors import UserError
from burnish.core.files import write_bytes
from burnish.models.drawn import mark_given
from burnish.models.heads._contract import Head, HeadPlan
from burnish.models.pooling import PooledReadout
from burnish.models.weights import open_to_readers, system_errors, write_weights

HEAD_FILE = "head.safetensors"


class Network(nn.Module):
    """`trunk` is a transformers model. Without a `readout` the trunk's own head gives the logits.

    forward: input_ids [B, T], attention_mask [B, T] and what else the batch has, of which the trunk gets what it takes
    (token_type_ids, say) and the readout, called as `readout(hidden, inputs)`, reads what it needs
    → logits [B, L], [B, T, L] when the head labels tokens, [B, T, 2] when it marks starts and ends, or vectors [B, H].
    A trunk that gives no last hidden state, such as one of two towers, hands the readout all that it gives, and so does
    any trunk where the readout says `reads_all`; where the batch has nothing for the trunk, the readout gets None and
    answers from what it keeps. A readout that has an `asked` says by it what the trunk is asked in place of the batch.

    A trunk that writes has a `vocabulary`, which turns token ids into text. Its logits [B, T, V] of every token would
    take gigabytes: `places` [M] among the inputs, counted through the batch's rows, asks for those of some: [1, M, V].
    """

    def __init__(
        self,
        trunk: Any,
        readout: nn.Module | None = None,
        vocabulary: Tokenizer | None = None,
        new: Collection[str] | None = None,
    ) -> None:
        super().__init__()
        self.new = new
        self.trunk = trunk
        self.readout = readout
        self.vocabulary = vocabulary
        self._parameters_of_trunk = frozenset(inspect.signature(trunk.forward).parameters)
        self._accepts = getattr(trunk, "accepts", self._parameters_of_trunk.__contains__)

    def forward(self, **inputs: Tensor) -> Tensor:
        asked = getattr(self.readout, "asked", None)
        outputs = self._read(inputs if asked is None else asked(inputs))
        if self.readout is None:
            return own_logits(outputs)
        logits: Tensor = self.readout(seen_by(self.readout, outputs), inputs)
        return logits

    def pooled(self, **inputs: Tensor) -> Tensor:
        """[B, H] the vectors that a `PooledReadout` answers from."""
        assert isinstance(self.readout, PooledReadout), "asked only of a network whose readout pools"
        return self.readout.pooled(seen_by(self.readout, self._read(inputs)), inputs)

    def _read(self, inputs: Mapping[str, Tensor]) -> Any:
        """What the trunk gives for its part of the inputs; None where there is nothing for it."""
        known: dict[str, Any] = {name: value for name, value in inputs.items() if self._accepts(name)}
        if known and "use_cache" in self._parameters_of_trunk:
            known["use_cache"] = False  # nothing is continued here: keys and values would be kept for nothing
        is_cut = "places" in inputs and "places" not in known
        with output_at(self.trunk, inputs["places"]) if is_cut else contextlib.nullcontext():
            return self.trunk(**known) if known else None

    @property
    def body(self) -> nn.Module:
        """The pretrained part, without any head; of a trunk that writes, all of it: its head was pretrained too."""
        is_whole = self.readout is not None or (self.vocabulary is not None and self.new is None)
        return self.trunk if is_whole else self.trunk.base_model  # type: ignore[no-any-return]

    def bodies(self) -> list[nn.Module]:
        """The pretrained parts, bottom layers first in each: one, or as many as there are towers."""
        return self.trunk.bodies() if hasattr(self.trunk, "bodies") else [self.body]

    def train(self, mode: bool = True) -> Network:
        """Training mode, but for what is frozen whole: a body drops nothing, so that the head learns from what it will
        read, and batch norms go on with the statistics that they came with.
        """
        super().train(mode)
        norms = [module for module in self.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
        for module in [*self.bodies(), *norms]:
            if _is_frozen(module):
                module.eval()
        return self

    def head_modules(self) -> tuple[str, ...]:
        """Names of the modules whose parameters are not the pretrained body's.

        Where a base may or may not bring its head along, `new` names the parameters that it did not bring.
        """
        pretrained = {id(parameter) for parameter in self.body.parameters()}
        if self.new is not None:
            named = self.trunk.named_parameters(remove_duplicate=False)
            pretrained |= {id(parameter) for name, parameter in named if name not in self.new}
        new = {name for name, parameter in self.named_parameters() if id(parameter) not in pretrained}
        return tuple(sorted({name.rpartition(".")[0] for name in new}))

    def save(self, folder: Path) -> None:
        """config.json and model.safetensors; a readout of ours goes beside them as head.safetensors, a vocabulary as
        tokenizer.json.
        """
        with quiet_transformers(), system_errors():
            self.trunk.save_pretrained(folder)
        if self.vocabulary is not None:
            write_bytes(folder / "tokenizer.json", self.vocabulary.to_str(pretty=False).encode())
        if self.readout is not None and (state := self.readout.state_dict()):
            write_weights(state, folder / HEAD_FILE)
        open_to_readers(folder)

    def load_readout(self, folder: Path) -> None:
        if self.readout is not None and self.readout.state_dict():
            self.readout.load_state_dict(load_file(folder / HEAD_FILE))
            mark_given(self.readout)


@contextlib.contextmanager
def output_at(trunk: Any, places: Tensor) -> Iterator[None]:
    """Within, the layer that turns states into logits is handed those of `places` [M] alone, as one row [1, M, H].

    A hook, so that whatever an architecture does to its logits afterwards (scale, cap, add) stays its own.
    """

    def some(_: nn.Module, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (states[0].flatten(0, 1)[places].unsqueeze(0), *states[1:])

    handle = trunk.get_output_embeddings().register_forward_pre_hook(some)
    try:
        yield
    finally:
        handle.remove()


def _is_frozen(module: nn.Module) -> bool:
    return not any(parameter.requires_grad for parameter in module.parameters())


def seen_by(readout: nn.Module, outputs: Any) -> Any:
    """What of a trunk's outputs a readout reads: the last hidden states, unless there are none or it reads all."""
    if outputs is None or getattr(readout, "reads_all", False):
        return outputs
    return outputs.get("last_hidden_state", outputs)


def own_logits(outputs: Any) -> Tensor:
    """What a trunk's own head gives; the two of a head for answers side by side."""
    if "start_logits" in outputs:
        return torch.stack([outputs.start_logits, outputs.end_logits], dim=-1)
    logits: Tensor = outputs.logits
    return logits


def with_readout(folder: Path, plan: HeadPlan, head: Head) -> Network:
    """The base in `folder`, its encoder alone, with a new readout of `head` on it."""
    trunk = load_pretrained("AutoModel", folder, plan.config_settings())
    return Network(trunk, head.readout(trunk.config, plan))


def load_pretrained(auto_class: str, folder: Path, settings: dict[str, Any]) -> Any:
    """`transformers.<auto_class>.from_pretrained` of a local folder in float32, safetensors only, never remote code.

    float32 is asked for because checkpoints stored in half precision would otherwise be computed in it, which a CPU
    does 10–100 times slower.

    Raises:
        UserError: transformers cannot build this model, or the folder's weights do not fit its own config.
    """
    return load_with_news(auto_class, folder, settings)[0]


def load_with_news(auto_class: str, folder: Path, settings: dict[str, Any]) -> tuple[Any, frozenset[str]]:
    """The same, with the names of the parameters that the folder has no weights for: those of a new head.

    A head of another size, such as one for other labels, is new too.
    """
    import transformers

    maker = getattr(transformers, auto_class)
    try:
        with quiet_transformers():
            trunk, found = maker.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                attn_implementation="eager",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **settings,
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().split("\n")[0][:300]
        raise UserError(f"base: {folder} cannot be loaded by transformers as {auto_class} ({reason}).") from None
    of_other_size = {str(one[0] if isinstance(one, tuple) else one) for one in found["mismatched_keys"]}
    of_body = {name for name, _ in trunk.base_model.named_parameters(prefix=_prefix(trunk))} & of_other_size
    if of_body:
        raise UserError(
            f"base: the weights in {folder} do not fit its config.json: {sorted(of_body)[0]} has another size; fetch "
            "the model again."
        )
    new = frozenset(found["missing_keys"]) | of_other_size
    mark_given(trunk, but=new)
    return trunk, new


def _prefix(trunk: Any) -> str:
    return "" if trunk.base_model is trunk else str(trunk.base_model_prefix)


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
