"""OpenVINO and NNCF without their telemetry: Burnish sends nothing about its users to anybody."""

from __future__ import annotations

import sys
from typing import Any

from burnish.core.shelves import need

SENDER = "openvino_telemetry"


def need_silent(module: str, extra: str) -> Any:
    """Import `openvino`, `nncf` or a module of theirs such that nothing is ever sent.

    OpenVINO tells Google Analytics that it was imported, converted a model and so on, unless a file in the home folder
    says no. Both libraries do without the package that sends where it cannot be imported. So for this process it is as
    if it were not installed; were they imported before, their one sender loses the user's consent.

    Raises:
        UserError: the library is missing.
    """
    silence()
    return need(module, extra)


def silence() -> None:
    """From now on nothing is sent in this process."""
    loaded = sys.modules.get(SENDER)
    if loaded is not None:
        _withdraw_consent(loaded)
    sys.modules[SENDER] = None  # type: ignore[assignment]  # Python's own way to say that there is no such module


def _withdraw_consent(loaded: Any) -> None:
    sender = loaded.Telemetry("burnish", "0", None, "ga4", enable_opt_in_dialog=False)
    sender.consent = False
    sender.send_event = sender.start_session = sender.end_session = _nothing  # some are sent without consent too


def _nothing(*_: Any, **__: Any) -> None:
    return None
