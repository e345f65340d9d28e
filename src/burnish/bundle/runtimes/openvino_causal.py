"""OpenVINO for models that write: int8, int4 or float32 weights on a CPU; transformers chooses the tokens."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from burnish.bundle.core import Core
from burnish.bundle.runtimes._contract import Runtime
from burnish.bundle.runtimes.openvino import MODEL_FILE, compile_model
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.models.reader import Reader
from burnish.tasks._contract import Task


class OpenvinoCausal(Runtime):
    """Layers, and what is kept of the tokens before, are OpenVINO's, all in `model.xml` and `model.bin`. Beams, draws,
    penalties, schemas and streaming are those of the judged model, so it needs torch and transformers too.
    """

    activation_group: int = Field(default=32, ge=0)
    """So many activations share a scale where they are rounded to int8 before they meet int8 weights; 0 leaves them in
    float32: a little closer, and slower for long prompts and for many texts at once."""

    def load(self, folder: Path, task: Task, reader: Reader, labels: tuple[str, ...]) -> Core:
        need("torch", "train")
        from burnish.bundle.stateful_trunk import StatefulTrunk
        from burnish.bundle.torch_core import TorchCore
        from burnish.models.network import Network
        from burnish.models.tokenizer import load_backend

        compiled = compile_model(
            folder / MODEL_FILE,
            {
                "INFERENCE_NUM_THREADS": settings().n_threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32",  # else bf16 where the processor has it: other answers than elsewhere
                "KV_CACHE_PRECISION": "f32",
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": self.activation_group,
            },
        )
        network = Network(StatefulTrunk(compiled, folder), vocabulary=load_backend(folder))
        return TorchCore(network, task, reader.pad_id, len(labels))
