"""Static int8: weights and activations, smoothed (Xiao et al. 2022, arXiv 2211.10438) and bias-corrected, by NNCF."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from burnish.compression.methods._contract import Method
from burnish.compression.methods._encoders import not_an_encoder
from burnish.compression.methods._lookups import look_up_first
from burnish.compression.methods._nncf import silent
from burnish.compression.methods._saturation import is_cut_off
from burnish.compression.subject import Material, Subject
from burnish.core.errors import UserError
from burnish.core.telemetry import need_silent


class Int8Static(Method):
    """The ranges of activations are read from real texts once, so nothing is measured while answering: the fastest on
    a CPU. Runs in OpenVINO.
    """

    makes = "artefact"

    examples: int = Field(default=300, ge=1)
    """How many training texts the ranges of activations are read from."""

    smooth: float = Field(default=0.95, ge=-1, le=1)
    """How much of the spread of activations is moved into the weights (alpha of SmoothQuant); -1 moves none."""

    def refusal(self, subject: Subject) -> str | None:
        return not_an_encoder(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        from burnish.bundle.runtimes.openvino import MODEL_FILE, Openvino
        from burnish.compression.tracing import OUTPUT, batch_of, quiet, to_openvino, told, traced

        openvino, nncf = need_silent("openvino", "openvino"), need_silent("nncf", "openvino")
        features = material.examples[: self.examples]
        if not features:
            raise UserError("int8_static: there are no training texts to read the ranges of activations from.")
        model = to_openvino(traced(subject, material.examples))
        texts = [batch_of(subject, [feature]) for feature in features]  # one each: ranges are never those of padding
        folder = material.new_folder(self.part_name)
        with quiet(), silent(), told("nncf"):
            model = nncf.quantize(
                model,
                nncf.Dataset(texts),
                model_type=nncf.ModelType.TRANSFORMER,
                preset=nncf.QuantizationPreset.MIXED,
                subset_size=len(texts),
                advanced_parameters=self._parameters(nncf),
            )
            look_up_first(model)
            model.outputs[0].get_tensor().set_names({OUTPUT})
            openvino.save_model(model, folder / MODEL_FILE, compress_to_fp16=False)
        return subject.after(self, runtime=Openvino(), files=folder)

    def _parameters(self, nncf: Any) -> Any:
        smooth = nncf.AdvancedSmoothQuantParameters(matmul=self.smooth)
        fix = nncf.OverflowFix.ENABLE if is_cut_off() else None
        return nncf.AdvancedQuantizationParameters(smooth_quant_alphas=smooth, overflow_fix=fix)
