"""How an alert reads."""

from __future__ import annotations

from datetime import UTC, datetime

from burnish.store.records import Alert


def title_of(alert: Alert) -> str:
    """One line: how bad, which model, which rule."""
    state = "" if alert.state == "open" else f" ({alert.state})"
    return f"[{alert.severity}] {alert.name}: {rule_of(alert)}{state}"


def body_of(alert: Alert) -> str:
    """What was found, and when."""
    lines = [alert.sentence, f"Found at {_time(alert.at)}."]
    if alert.state != "open" and alert.changed_at is not None:
        who = f" by {alert.by}" if alert.by else ""
        lines.append(f"{alert.state.capitalize()}{who} at {_time(alert.changed_at)}.")
    return "\n".join(lines)


def rule_of(alert: Alert) -> str:
    """The rule's name, or its watch's where the alert does not tell."""
    numbers = alert.numbers if isinstance(alert.numbers, dict) else {}
    return str(numbers.get("rule") or alert.watch)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
