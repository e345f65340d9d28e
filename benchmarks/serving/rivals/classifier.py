"""What a team would serve: the fine-tuned network in float32 through transformers.pipeline("text-classification").

The head reads the mean of the last layer, which transformers has no class for, so there is one here. Run as a script it
prints what the pipeline answers to a file of texts, one a line, as JSON: what a server around it must answer too.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

FOLDER = Path(os.environ["RIVAL_MODEL"])
THREADS = int(os.environ.get("RIVAL_THREADS", "2"))


class MeanClassifier(PreTrainedModel):
    """An encoder, the mean of its last layer, one linear layer."""

    config_class = AutoConfig
    _supports_sdpa = True  # the encoder inside does

    def __init__(self, config, encoder, weight, bias) -> None:
        super().__init__(config)
        self.encoder = encoder
        self.classifier = torch.nn.Linear(weight.shape[1], weight.shape[0])
        self.classifier.weight.data, self.classifier.bias.data = weight, bias

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, **more):
        more = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **more).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return SequenceClassifierOutput(logits=self.classifier((hidden * mask).sum(1) / mask.sum(1)))


def load_pipeline():
    """The pipeline, on so many threads as the server was given."""
    torch.set_num_threads(THREADS)
    state = load_file(FOLDER / "head.safetensors")
    weight = next(one for one in state.values() if one.ndim == 2)
    bias = next(one for one in state.values() if one.ndim == 1)
    encoder = AutoModel.from_pretrained(FOLDER, dtype=torch.float32)
    model = MeanClassifier(encoder.config, encoder, weight, bias).eval()
    return pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(FOLDER), device="cpu")


def main(texts: str) -> None:
    classify = load_pipeline()
    lines = json.loads(Path(texts).read_text("utf-8"))
    print(json.dumps([[one["label"], one["score"]] for one in classify(lines, batch_size=32)]))


if __name__ == "__main__":
    main(sys.argv[1])
