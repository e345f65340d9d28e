from __future__ import annotations

import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import SHELVES, Shelf
from burnish.flows.parts import PartCard, described_type, list_parts, settings_of
from burnish.recipe.schema import DataSection, TrainSection


def test_every_part_of_every_shelf_is_listed_with_its_sentence():
    cards = list_parts()
    assert {(card.shelf, card.name) for card in cards} == {(s, n) for s in SHELVES for n in Shelf(s).names()}
    assert PartCard("schedules", "linear", Shelf("schedules").summary("linear")) in list_parts("schedules")
    assert {card.shelf for card in list_parts("heads")} == {"heads"}


def test_settings_come_with_type_default_and_meaning():
    [warmup] = settings_of("schedules", "linear")
    assert (warmup.name, warmup.type) == ("warmup", "float >= 0, < 1")
    assert warmup.meaning
    path = next(one for one in settings_of("sources", "csv") if one.name == "path")
    assert path.default == "needed"
    head = next(one for one in settings_of("tasks", "multilabel") if one.name == "head")
    assert (head.type, head.default) == ("a part of heads", "cls")


def test_settings_of_a_section_of_a_part_are_named_by_their_path():
    beams = next(one for one in settings_of("tasks", "seq2seq") if one.name == "decoding.num_beams")
    assert (beams.type, beams.default) == ("int >= 1, <= 32", "1")


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        (TrainSection, "epochs", "int >= 0"),
        (TrainSection, "precision", "auto | fp32 | bf16 | fp16"),
        (TrainSection, "patience", "int >= 1 | null"),
        (TrainSection, "gradient_checkpointing", "bool"),
        (DataSection, "columns", "dict[str, str]"),
        (TrainSection, "observers", "list of parts of observers"),
    ],
)
def test_types_are_written_as_a_recipes_author_thinks_of_them(section, name, words):
    assert described_type(section.model_fields[name]) == words


def test_a_shelf_that_is_not_there_gets_a_hint():
    with pytest.raises(
        UserError, match=r"^there is no shelf 'head'. Did you mean 'heads'\? The shelves are: sources, "
    ):
        list_parts("head")
    with pytest.raises(UserError, match=r"^there is no part 'clss' on the shelf 'heads'. Did you mean 'cls'\?"):
        settings_of("heads", "clss")
