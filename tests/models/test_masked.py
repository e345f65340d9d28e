"""Heads over a vocabulary: which are new, and logits asked for at some places only."""

import pytest
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network, load_with_news

SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def test_a_head_that_the_base_lacks_is_new_and_one_that_it_has_is_not(tiny_base, tmp_path):
    head = Shelf("heads").build("masked")
    network = head.attach(tiny_base, HeadPlan(("token",)))
    assert set(network.head_modules()) >= {"trunk.cls.predictions.transform.dense"}
    network.save(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((tiny_base / "tokenizer.json").read_bytes())
    assert head.attach(tmp_path, HeadPlan(("token",))).head_modules() == ()


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (BertForMaskedLM, BertConfig(**SMALL)),
        (RobertaForMaskedLM, RobertaConfig(**SMALL)),
        (ElectraForMaskedLM, ElectraConfig(**SMALL, embedding_size=16)),
        (DistilBertForMaskedLM, DistilBertConfig(vocab_size=99, dim=32, n_layers=1, n_heads=2, hidden_dim=64)),
        (ModernBertForMaskedLM, ModernBertConfig(**SMALL, pad_token_id=0, cls_token_id=1, sep_token_id=2)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_logits_at_some_places_are_those_of_all_taken_there(kind, config):
    network = Network(kind(config)).eval()
    ids = torch.randint(5, 99, (2, 7), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        whole = network(**inputs)
        some = network(**inputs, places=torch.tensor([0, 8, 13]))
    assert some.shape == (1, 3, 99)
    torch.testing.assert_close(some[0], whole.flatten(0, 1)[[0, 8, 13]])


def test_a_head_of_another_size_is_new(tiny_base, tmp_path):
    shelf = Shelf("heads")
    shelf.build("cls").attach(tiny_base, HeadPlan(("a", "b", "c"))).save(tmp_path)
    network = shelf.build("cls").attach(tmp_path, HeadPlan(("a", "b")))
    assert network.trunk.classifier.out_features == 2
    _, new = load_with_news("AutoModelForSequenceClassification", tmp_path, {"num_labels": 2})
    assert new == {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("kind", ["AutoModel", "AutoModelForMaskedLM"])
def test_a_body_of_another_size_is_refused(tiny_base, tmp_path, kind):
    import shutil

    folder = shutil.copytree(tiny_base, tmp_path / "base")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"intermediate_size": 64', '"intermediate_size": 48'))
    with pytest.raises(
        UserError, match=r"the weights in .* do not fit its config\.json: .* has another size; fetch the m"
    ):
        load_with_news(kind, folder, {})
