"""All watches over one window, their p-values corrected together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from burnish.monitoring.multiple import benjamini_hochberg
from burnish.monitoring.reference import Reference
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.watches._contract import Finding
from burnish.monitoring.window import Window

Findings = Mapping[str, Finding | None]
"""Name of a rule → what its watch found; None where there was too little to look at."""


def look(rulebook: Rulebook, window: Window, reference: Reference | None, history: Sequence[Window]) -> Findings:
    """What every rule's watch finds in a window, raised only where it holds among all of them.

    `history` are earlier windows, oldest first. Where nothing has changed, any of the corrected watches is raised in at
    most `rulebook.false_alarm_rate` of the windows; those that state a rate of their own come on top.
    """
    found = {rule.name: rule.watch.look(window, reference, history) for rule in rulebook.rules}
    corrected = {rule.name for rule in rulebook.rules if not rule.watch.has_own_rate}
    return {
        **found,
        **_corrected({name: found[name] for name in found if name in corrected}, rulebook.false_alarm_rate),
    }


def _corrected(found: Findings, rate: float) -> Findings:
    tested = {name: one.p_value for name, one in found.items() if one is not None and one.p_value is not None}
    adjusted = dict(zip(tested, benjamini_hochberg(list(tested.values())), strict=True))
    return {
        name: replace(one, is_raised=one.is_raised and adjusted[name] <= rate) if one and name in adjusted else one
        for name, one in found.items()
    }
