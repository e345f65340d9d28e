"""What tasks with a base for texts beside their main one share: finding it, and the readers of both."""

from __future__ import annotations

from pathlib import Path

from burnish.core.errors import UserError
from burnish.models.locate import locate
from burnish.tasks._contract import Located

SETTING = "task.text_base"
TEXT = "text"
"""Name of the text's tower, and of its folder below the main one's."""


def located_text_base(located: Located) -> Path:
    """The folder of the base for texts, inspected.

    Raises:
        UserError: it is not there, cannot be used, or reads something else than texts.
    """
    from burnish.models.trunks import refuse_other

    try:
        folder = locate(str(located("text_base"))).folder
        refuse_other(folder, "input_ids")
    except UserError as error:
        raise UserError(*(fault.replace("base:", f"{SETTING}:", 1) for fault in error.faults)) from None
    return folder
