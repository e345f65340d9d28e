"""What every sink does: hand an alert to people or programs outside."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from burnish.core.errors import BurnishError, UserError
from burnish.core.parts import Part
from burnish.store.records import Alert


class NotDelivered(BurnishError):
    """An alert did not arrive; sending it again later is safe."""


class Sink(Part, ABC):
    """One way out. Secrets are read from environment variables when it sends: a sink can be stored and shown."""

    @abstractmethod
    def send(self, alert: Alert) -> None:
        """Deliver an alert as it stands now: opened, acknowledged or resolved.

        Raises:
            UserError: what it was told cannot work (no secret, an address that is not allowed, a missing library).
            NotDelivered: it did not arrive, after all tries.
        """


def secret_of(variable: str, holds: str) -> str:
    """What an environment variable holds.

    Raises:
        UserError: it is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise UserError(f"the environment variable {variable} is not set; it must hold {holds}.")
    return value
