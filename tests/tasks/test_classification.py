from __future__ import annotations

import pytest
from tokenizers import processors

from burnish.core.shelves import Shelf
from burnish.data.features import FeatureStore, FeatureWriter
from burnish.models.tokenizer import load_tokenizer

TEXT, PAIR = {"text": "good day"}, {"text": "good day", "text_pair": "so bad"}


@pytest.fixture(params=["classification", "multilabel"])
def encode(request, tiny_base):
    """From rows to the feature of each, by either task that reads texts and pairs."""
    task, tokenizer = Shelf("tasks").build(request.param), load_tokenizer(tiny_base)

    def run(*rows):
        examples = [task.read(row, is_labelled=False) for row in rows]
        return [one.features[0] for one in task.encode(examples, tokenizer, ())]

    return run


def as_lists(features):
    return [{name: values.tolist() for name, values in feature.items()} for feature in features]


def test_the_second_text_of_a_pair_has_its_own_token_types(encode):
    [pair] = as_lists(encode(PAIR))
    assert pair["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1]  # [CLS] good day [SEP] so bad [SEP]


@pytest.mark.parametrize("rows", [(TEXT, PAIR), (PAIR, TEXT)])
def test_texts_and_pairs_side_by_side_are_encoded_as_each_alone(encode, rows):
    assert as_lists(encode(*rows)) == as_lists([*encode(rows[0]), *encode(rows[1])])


def test_texts_and_pairs_can_stand_in_one_store(encode, tmp_path):
    features = [*encode(TEXT), *encode(PAIR)]
    with FeatureWriter(tmp_path / "s") as writer:
        for row, feature in enumerate(features):
            writer.add(row, feature)
    assert as_lists(FeatureStore(tmp_path / "s").read([0, 1])) == as_lists(features)


def test_a_tokenizer_without_token_types_gives_none(tiny_base):
    task, tokenizer = Shelf("tasks").build("classification"), load_tokenizer(tiny_base)
    tokenizer.backend.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    examples = [task.read(row, is_labelled=False) for row in (TEXT, PAIR)]
    features = [one.features[0] for one in task.encode(examples, tokenizer, ())]
    assert [list(feature) for feature in features] == [["input_ids"], ["input_ids"]]
    batch = task.collate(features, tokenizer.pad_id, 2).to("cpu")
    assert batch.inputs.keys() == {"input_ids", "attention_mask"}
    assert batch.inputs["attention_mask"].sum(1).tolist() == [4, 8]  # <s> good day </s> </s> so bad </s>
