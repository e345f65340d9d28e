"""What a checkpoint holds of a run: all that is needed to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from burnish.core.files import read_json
from burnish.models.weights import write_weights
from burnish.training import tensors
from burnish.training.determinism import machine
from burnish.training.health import Health
from burnish.training.loop import Plan
from burnish.training.state import State

WEIGHTS, OPTIMIZER, STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


def write_snapshot(folder: Path, plan: Plan, state: State, health: Health) -> None:
    """Weights and optimiser as safetensors, everything else as JSON.

    The schedule and the order of rows are pure functions of the position, and dropout is seeded by it, so there is
    no generator to save.
    """
    moments, rest = tensors.optimizer_state(plan.optimizer, plan.network)
    write_weights(tensors.weights_of(plan.network), folder / WEIGHTS)
    write_weights(moments, folder / OPTIMIZER)
    scaler = plan.hardware.scaler
    content = {
        "run": state.to_json(),
        "health": asdict(health),
        "optimizer": rest,
        "loss_scale": None if scaler is None else scaler.state_dict(),
        "machine": machine(plan.hardware),
    }
    (folder / STATE).write_bytes(orjson.dumps(content))


def read_snapshot(folder: Path, plan: Plan) -> tuple[State, Health, list[str]]:
    """Put weights, optimiser and loss scale back; returns state, health, and how this machine differs from that one."""
    saved: dict[str, Any] = read_json(folder / STATE)
    tensors.load_weights(plan.network, folder / WEIGHTS)
    tensors.load_optimizer(plan.optimizer, plan.network, folder / OPTIMIZER, saved["optimizer"])
    if plan.hardware.scaler is not None and saved["loss_scale"]:
        plan.hardware.scaler.load_state_dict(saved["loss_scale"])
    here = machine(plan.hardware)
    changed = [f"{name} {was} → {here[name]}" for name, was in saved["machine"].items() if here.get(name) != was]
    return State.from_json(saved["run"]), Health(**saved["health"]), changed
