"""The model card: README.md of a bundle, so that whoever finds the folder knows what it is."""

from __future__ import annotations

from typing import Any

from burnish.bundle.bundle import Knowledge


def model_card(knowledge: Knowledge, scores: dict[str, float], about: dict[str, Any]) -> str:
    """Markdown with the front matter that model hubs read."""
    task = knowledge.task.part_name
    rows = "\n".join(f"| {name} | {scores[name]:.4f} |" for name in knowledge.task.judged_as.headline if name in scores)
    return f"""---
library_name: transformers
tags: [burnish, {task}]
---

# {about["name"]}

A **{task}** model with {len(knowledge.labels)} labels, fine-tuned from `{knowledge.base}` on {about["n_train"]:,} rows
with Burnish {about["version"]} on {about["created"]}.

## How good it is

Judged on {about["n_judged"]:,} rows of {about["judged_on"]} ([full report](report/report.md)):

| score | value |
|---|---|
{rows}

## Use

```python
import burnish

model = burnish.load("path/to/this/folder")
print(model({_said(knowledge)}))
```

{_other_tools(knowledge)}

## Limits

It knows only the labels it was trained on, in the language and style of its training data
([data card](data_card.md)). Confidences are calibrated on held-out rows of that data; on other text they promise
nothing.
Every file's SHA-256 is in `manifest.json` and is checked before anything is read.
"""


def _said(knowledge: Knowledge) -> str:
    """What a reader may ask: a text, or the texts without which the task cannot answer."""
    task = knowledge.task
    asked = [item.name for item in task.wanted if item.is_required and item.name in task.texts]
    pairs = ", ".join(f'"{name}": "…"' for name in asked)
    return f"{{{pairs}}}" if len(asked) > 1 else '"your text"'


def _other_tools(knowledge: Knowledge) -> str:
    head = knowledge.task.head_part.part_name
    prompt = f" Put `{knowledge.prompt}` before every text." if knowledge.prompt else ""
    loaders = {
        "cls": "AutoModelForSequenceClassification",
        "token": "AutoModelForTokenClassification",
        "span": "AutoModelForQuestionAnswering",
    }
    if head in loaders:
        return (
            f'Without Burnish: `transformers.{loaders[head]}.from_pretrained("path/to/this/folder/model")` gives the '
            f"same logits (before calibration).{prompt}"
        )
    return (
        'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the encoder; the '
        f"`{head}` head lies beside it in `model/head.safetensors`.{prompt}"
    )
