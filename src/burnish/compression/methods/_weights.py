"""What methods share that round the weights of a model that writes: an artefact for OpenVINO."""

from __future__ import annotations

from typing import Any

from burnish.compression.methods._contract import Method
from burnish.compression.methods._nncf import silent
from burnish.compression.subject import Material, Subject
from burnish.compression.written import writes
from burnish.core.telemetry import need_silent


def not_a_writer(subject: Subject) -> str | None:
    """Why a model's weights are not rounded so; None where they are."""
    from burnish.models.lm import takes_positions

    head = subject.task.head_part
    if head.gives != "next_words" or not writes(subject.task):
        return f"it is for causal models that write; the task '{subject.task.part_name}' has none."
    if subject.runtime is not None:
        return f"the model was already made into files for {subject.runtime.part_name}; weights change before that."
    if not takes_positions(subject.folder):
        return "the model takes no positions, so its texts cannot be continued outside of it."
    return None


def with_small_weights(method: Method, subject: Subject, material: Material, mode: str, **settings: Any) -> Subject:
    """The subject with the weights of linear layers and embeddings in fewer bits, by NNCF; `mode` names them so."""
    from burnish.bundle.runtimes.openvino import MODEL_FILE
    from burnish.bundle.runtimes.openvino_causal import OpenvinoCausal
    from burnish.compression.stateful import to_stateful
    from burnish.compression.tracing import quiet, told

    openvino, nncf = need_silent("openvino", "openvino"), need_silent("nncf", "openvino")
    folder = material.new_folder(method.part_name)
    model = to_stateful(subject.network)
    with quiet(), silent(), told("nncf"):
        model = nncf.compress_weights(model, mode=getattr(nncf.CompressWeightsMode, mode), **settings)
        openvino.save_model(model, folder / MODEL_FILE, compress_to_fp16=False)
    subject.network.trunk.config.save_pretrained(folder)
    subject.reader.save(folder, subject.folder)  # the runtime turns tokens into text
    return subject.after(method, runtime=OpenvinoCausal(), files=folder)
