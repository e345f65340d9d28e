"""`burnish parts`: every shelf, every part, every setting."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def parts(
    shelf: Annotated[str | None, typer.Argument(help="Show this shelf only, e.g. schedules.")] = None,
    name: Annotated[str | None, typer.Argument(help="Show the settings of this part.")] = None,
) -> None:
    """List what a recipe can name: tasks, bases, optimizers, schedules, …"""
    from burnish.flows.parts import list_parts, settings_of

    if shelf is not None and name is not None:
        _print_settings(shelf, name, settings_of(shelf, name))
        return
    cards = list_parts(shelf)
    width = max((len(card.name) for card in cards), default=0)
    for previous, card in zip([None, *cards], cards, strict=False):
        if previous is None or previous.shelf != card.shelf:
            print(card.shelf if previous is None else f"\n{card.shelf}")
        print(f"  {card.name:<{width}}  {card.summary}")
    print("\nSettings of a part: burnish parts SHELF NAME")


def _print_settings(shelf: str, name: str, settings: list[Any]) -> None:
    print(f"{shelf}/{name}")
    if not settings:
        print("  has no settings")
    for setting in settings:
        print(f"  {setting.name}: {setting.type} = {setting.default}\n      {setting.meaning}")
