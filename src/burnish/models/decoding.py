"""How text is written, token after token: settings of every task that writes. Greedy unless something else is asked."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Decoding(BaseModel):
    """One section of a task. The same row gets the same text alone and in company, drawn or not."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    max_new_tokens: int = Field(default=128, ge=1)
    """Most tokens of a text that is written; a chat leaves room for them behind its prompt."""

    num_beams: int = Field(default=1, ge=1, le=32)
    """Texts kept in view at each token (beam search); 1 always goes on with one."""

    length_penalty: float = 1.0
    """With beams: log-probability ÷ length to this power; above 1 favours long texts, below 1 short ones."""

    repetition_penalty: float = Field(default=1.0, gt=0)
    """Above 1, tokens that were written already become less likely (Keskar et al. 2019, arXiv 1909.05858, §4.1)."""

    no_repeat_ngram: int = Field(default=0, ge=0)
    """No run of so many tokens is written twice; 0 allows it. What stands in the prompt may always be written."""

    temperature: float = Field(default=0.0, ge=0)
    """0 always takes the likeliest token; above, tokens are drawn, the more freely the higher."""

    top_p: float = Field(default=1.0, gt=0, le=1)
    """Tokens are drawn from the likeliest that together have this probability (Holtzman et al. 2020, §3.1)."""

    seed: int = Field(default=7, ge=0)
    """Start of the draws; each prompt has draws of its own."""

    stop: tuple[str, ...] = ()
    """Texts at which writing ends; they and what follows are left out."""

    json_schema: dict[str, Any] | str | None = None
    """A JSON schema that every text must fit, or the file that holds it; needs the extra `generate`. What is cut off at
    `max_new_tokens` is told as not finished, and is no JSON."""

    @model_validator(mode="after")
    def _nothing_is_idle(self) -> Decoding:
        if self.temperature and self.num_beams > 1:
            raise ValueError("temperature draws tokens, which goes with num_beams: 1; take one of the two out")
        if self.top_p < 1 and not self.temperature:
            raise ValueError("top_p needs a temperature above 0, as nothing is drawn without")
        if self.length_penalty != 1 and self.num_beams == 1:
            raise ValueError("length_penalty compares beams; it needs num_beams above 1")
        if not all(self.stop):
            raise ValueError("stop holds an empty text, at which everything would end; take it out")
        if self.json_schema is not None and (self.no_repeat_ngram or self.stop):
            raise ValueError(
                "json_schema says where a text ends and what stands in it, which no_repeat_ngram and stop would break; "
                "take them out"
            )
        return self
