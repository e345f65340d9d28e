"""The model card: README.md of a bundle, so that whoever finds the folder knows what it is."""

from __future__ import annotations

from typing import Any

from burnish.bundle.bundle import Knowledge
from burnish.bundle.runtimes.torch import Torch
from burnish.core.members import BETWEEN

LIBRARIES = {
    "torch": "transformers",
    "openvino": "openvino",
    "openvino_causal": "openvino",
    "onnxruntime": "onnx",
}
"""Runtime → what model hubs call the library that reads it."""
LOADERS = {
    "cls": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
    "span": "AutoModelForQuestionAnswering",
    "masked": "AutoModelForMaskedLM",
    "transcript": "AutoModelForSpeechSeq2Seq",
    "picture": "AutoModelForImageClassification",
}
WRITERS = {"causal": "AutoModelForCausalLM", "seq2seq": "AutoModelForSeq2SeqLM"}
"""Head → the class of transformers that reads what it left in the bundle."""


def model_card(knowledge: Knowledge, scores: dict[str, float], about: dict[str, Any]) -> str:
    """Markdown with the front matter that model hubs read; `scores` are those that a reader sees first."""
    task = knowledge.task.part_name
    return f"""---
library_name: {LIBRARIES.get(knowledge.runtime.part_name, "burnish")}
tags: [burnish, {task}]
---

# {about["name"]}

{"An" if task[0] in "aeiou" else "A"} **{task}** model{_made(knowledge, about)}
with Burnish {about["version"]} on {about["created"]}.

## How good it is

{_judgement(knowledge, scores, about)}
{_shrinking(knowledge, about)}
## Use

```python
import burnish

model = burnish.load("path/to/this/folder")
print(model({_said(knowledge)}))
```
{_as_base(knowledge)}
{_other_tools(knowledge) if isinstance(knowledge.runtime, Torch) else _own_runtime(knowledge)}

## Limits

{_limits(knowledge, about)}
Every file's SHA-256 is in `manifest.json` and is checked before anything is read.
"""


def _made(knowledge: Knowledge, about: dict[str, Any]) -> str:
    labels = f" with {len(knowledge.labels)} labels" if knowledge.labels else ""
    if "start" in about:
        return (
            f"{labels}: those of `{about['start']}` as they were, and further ones trained on {about['n_train']:,} rows"
        )
    if about["n_train"]:
        return f"{labels}, fine-tuned from `{knowledge.base}` on {about['n_train']:,} rows"
    if knowledge.labels:
        return f"{labels}, told in words (in `burnish.json`) to `{knowledge.base}`, which was trained on no row,"
    return f" on `{knowledge.base}` as it is, made"


def _judgement(knowledge: Knowledge, scores: dict[str, float], about: dict[str, Any]) -> str:
    if not scores:
        return "It was not judged: there were no rows with known answers."
    shown = knowledge.task.judged_as.headline
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in scores.items() if name in shown or BETWEEN in name)
    return (
        f"Judged on {about['n_judged']:,} rows of {about['judged_on']} ([full report](report/report.md)):\n\n"
        f"| score | value |\n|---|---|\n{rows}"
    )


def _shrinking(knowledge: Knowledge, about: dict[str, Any]) -> str:
    """How a shrunk model was made, and what that cost and gained; nothing of others."""
    told = about.get("shrunk")
    if told is None:
        return ""
    (before, now), (rate_before, rate), (ms_before, ms) = (told[key] for key in ("score", "texts_per_s", "median_ms"))
    (mb_before, mb), lost = (
        told["size_mb"],
        f"at most {max(0.0, told['most_drop']):.2f} points lost, at 95 % confidence",
    )
    return f"""
## How it was shrunk

Made from the bundle `{told["bundle"]}` by {told["way"]}; computed by `{knowledge.runtime.part_name}`. On its
dev rows and the machine that made it ([everything that was tried](report/shrink.html)):

| | before | now |
|---|---|---|
| {told["metric"]} | {before:.4f} | {now:.4f} ({lost}) |
| texts/s | {rate_before:,.0f} | {rate:,.0f} |
| ms for one text | {ms_before:.2f} | {ms:.2f} |
| MB | {mb_before:.1f} | {mb:.1f} |

`proof.json` holds texts of its dev rows and what it answered; wherever it is loaded to stay, it is asked again.
"""


def _limits(knowledge: Knowledge, about: dict[str, Any]) -> str:
    if not knowledge.labels:
        return (
            "It is as good as its base and its data ([data card](data_card.md)) fit the texts that it is asked about."
        )
    if about["n_train"]:
        known = (
            "It knows only the labels it was trained on, in the language and style of its training data\n"
            "([data card](data_card.md))."
        )
    else:
        known = "It knows only the labels it was told."
    if not knowledge.decision.is_tuned:
        return f"{known} Confidences are not calibrated."
    return f"{known} Confidences are calibrated on held-out rows of that data; on other text they promise\nnothing."


def _said(knowledge: Knowledge) -> str:
    """What a reader may ask: a text, or the texts without which the task cannot answer."""
    task = knowledge.task
    asked = [item.name for item in task.wanted if item.is_required and item.name in task.texts]
    pairs = ", ".join(f'"{name}": "…"' for name in asked)
    if set(asked) & task.files:
        return '"path/to/your/file"'
    return f"{{{pairs}}}" if len(asked) > 1 else f'"{task.example_input}"'


def _as_base(knowledge: Knowledge) -> str:
    """How other tasks start from a model that learnt from text alone."""
    if knowledge.task.text_source is None:
        return ""
    return "\nEvery task can start from it: `burnish fit RECIPE.yaml --base path/to/this/folder`.\n"


def _own_runtime(knowledge: Knowledge) -> str:
    return (
        f"`transformers` cannot load it: `model/` holds what `{knowledge.runtime.part_name}` computes. For other\n"
        "tools export the bundle that it was made from: `burnish export BUNDLE --format onnx --out FOLDER`."
    )


def _other_tools(knowledge: Knowledge) -> str:
    head = knowledge.task.head_part.part_name
    prompt = f" Put `{knowledge.prompt}` before every text." if knowledge.prompt else ""
    if head in WRITERS:
        return (
            f'Without Burnish: `transformers.{WRITERS[head]}.from_pretrained("path/to/this/folder/model")` and its '
            f"tokenizer beside it; `recipe.yaml` says how text is written.{prompt}"
        )
    if head in LOADERS:
        calibrated = " (before calibration)" if knowledge.decision.is_tuned else ""
        return (
            f'Without Burnish: `transformers.{LOADERS[head]}.from_pretrained("path/to/this/folder/model")` gives the '
            f"same logits{calibrated}.{prompt}"
        )
    if knowledge.task.head_part.gives == "several":
        return (
            'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the trunk of '
            f"all tasks; their heads lie beside it in `model/head.safetensors`.{prompt}"
        )
    if knowledge.task.head_part.gives == "vectors":
        return (
            'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the encoder; '
            f"a text's vector is its last hidden states pooled as `recipe.yaml` says and brought to length 1.{prompt}"
        )
    if knowledge.task.head_part.gives in ("fused", "space"):
        return (
            "Without Burnish: `transformers.AutoModel.from_pretrained` of `model` and of `model/text` in here gives "
            f"the two encoders; the `{head}` head reads both and lies beside them in `model/head.safetensors`.{prompt}"
        )
    return (
        'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the encoder; the '
        f"`{head}` head lies beside it in `model/head.safetensors`.{prompt}"
    )
