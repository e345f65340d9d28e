"""The model card: README.md of a bundle, so that whoever finds the folder knows what it is."""

from __future__ import annotations

from typing import Any

from burnish.bundle.bundle import Knowledge

SCORES_SHOWN = (
    "accuracy",
    "macro_f1",
    "micro_f1",
    "f1",
    "entity_f1",
    "token_f1",
    "ece",
    "coverage_at_target",
    "recall_at_1",
    "recall_at_5",
    "mrr",
    "ndcg_at_10",
)


def model_card(knowledge: Knowledge, scores: dict[str, float], about: dict[str, Any]) -> str:
    """Markdown with the front matter that model hubs read."""
    task = knowledge.task.part_name
    return f"""---
library_name: transformers
tags: [burnish, {task}]
---

# {about["name"]}

A **{task}** model{_made(knowledge, about)}
with Burnish {about["version"]} on {about["created"]}.

## How good it is

{_judged(scores, about)}

## Use

```python
import burnish

model = burnish.load("path/to/this/folder")
print(model("your text"))
```

{_other_tools(knowledge)}

## Limits

{_limits(knowledge)}
Every file's SHA-256 is in `manifest.json` and is checked before anything is read.
"""


def _made(knowledge: Knowledge, about: dict[str, Any]) -> str:
    labels = f" with {len(knowledge.labels)} labels" if knowledge.labels else ""
    if not about["n_train"]:
        return f"{labels} on `{knowledge.base}` as it is, made"
    return f"{labels}, fine-tuned from `{knowledge.base}` on {about['n_train']:,} rows"


def _judged(scores: dict[str, float], about: dict[str, Any]) -> str:
    if not scores:
        return "It was not judged: its recipe names no rows for that. `burnish judge` does it on rows of yours."
    rows = "\n".join(f"| {name} | {scores[name]:.4f} |" for name in SCORES_SHOWN if name in scores)
    judged = f"Judged on {about['n_judged']:,} rows of {about['judged_on']} ([full report](report/report.md)):"
    return f"{judged}\n\n| score | value |\n|---|---|\n{rows}"


def _limits(knowledge: Knowledge) -> str:
    if not knowledge.labels:
        return (
            "It is as good as its base and its data ([data card](data_card.md)) fit the texts that it is asked about."
        )
    return (
        "It knows only the labels it was trained on, in the language and style of its training data\n"
        "([data card](data_card.md)). Confidences are calibrated on held-out rows of that data; on other text they "
        "promise\nnothing."
    )


def _other_tools(knowledge: Knowledge) -> str:
    head = knowledge.task.head_part.part_name
    prompt = f" Put `{knowledge.prompt}` before every text." if knowledge.prompt else ""
    loaders = {"cls": "AutoModelForSequenceClassification", "token": "AutoModelForTokenClassification"}
    if head in loaders:
        return (
            f'Without Burnish: `transformers.{loaders[head]}.from_pretrained("path/to/this/folder/model")` gives the '
            f"same logits (before calibration).{prompt}"
        )
    if knowledge.task.head_part.gives == "vectors":
        return (
            'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the encoder; '
            f"a text's vector is its last hidden states pooled as `recipe.yaml` says and brought to length 1.{prompt}"
        )
    return (
        'Without Burnish: `transformers.AutoModel.from_pretrained("path/to/this/folder/model")` gives the encoder; the '
        f"`{head}` head lies beside it in `model/head.safetensors`.{prompt}"
    )
