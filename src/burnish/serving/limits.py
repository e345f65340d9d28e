"""Bounds of what one request may cost."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from burnish.serving.problems import Problem


class Limits(BaseModel):
    """What is refused at the door, and how long anything may take. Sizes are counted as they arrive, not as a header
    says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    body_bytes: int = Field(default=1 << 20, ge=1)
    """Most bytes of a request's body; of a stream of lines, of each line."""

    json_depth: int = Field(default=16, ge=3)
    """Most objects and lists in each other."""

    inputs: int = Field(default=1000, ge=1)
    """Most inputs of one call; a stream of lines may have any number."""

    characters: int = Field(default=100_000, ge=1)
    """Most characters of one input."""

    header_s: float = Field(default=10, gt=0)
    """Seconds in which a request's head must have arrived."""

    body_s: float = Field(default=30, gt=0)
    """Seconds in which its body must have arrived; of a stream of lines, the next piece of it."""

    timeout_s: float = Field(default=30, gt=0)
    """Seconds after which a request is given up, unless it says less: `X-Request-Timeout`. A text that is written piece
    by piece must have begun by then."""

    waiting: int = Field(default=128, ge=1)
    """Most inputs that wait for a model; what comes then is told to come later."""

    batch: int = Field(default=64, ge=1)
    """Most inputs of several requests that a model is given at once; those of one request stay together."""

    cache: int = Field(default=0, ge=0)
    """Most answers that a version remembers, by exactly what its task reads of an input; they come without the model.
    What was asked longest ago goes first. 0: none."""

    drain_s: float = Field(default=0.5, ge=0, le=600)
    """Seconds between saying that the server is not ready and closing, so that a load balancer sends no more."""

    def refuse_deep(self, value: Any) -> None:
        """Raise `Problem` where JSON is nested too deep. Orjson itself stops at 1,024."""
        level, at = [value], 1
        while level:
            if at > self.json_depth:
                raise Problem(400, f"the body is nested deeper than {self.json_depth} levels; send it flatter.")
            level = [one for item in level for one in _inside(item) if isinstance(one, dict | list)]
            at += 1


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
