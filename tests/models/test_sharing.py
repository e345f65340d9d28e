"""Several heads on one trunk give what each gives on a trunk of its own."""

import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.asked import asking
from burnish.models.heads._contract import HeadPlan
from burnish.models.heads._shared import SharedTrunk

PLAN = HeadPlan(("bad", "good", "so-so"))
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
INPUTS = {"input_ids": IDS, "attention_mask": (IDS > 0).long()}


def shared(folder, *heads, plan=PLAN):
    head = SharedTrunk(heads={name: Shelf("heads").build(name) for name in heads})
    return head.attach(folder, HeadPlan((), members=tuple((name, plan) for name in heads))).eval()


@pytest.mark.parametrize(("head", "auto_class"), [("cls", "SequenceClassification"), ("token", "TokenClassification")])
def test_an_architectures_own_head_gives_the_same_logits_on_a_shared_trunk(head, auto_class, tiny_base):
    import transformers

    network = shared(tiny_base, head, "mean")
    plain = getattr(transformers, f"AutoModelFor{auto_class}").from_pretrained(tiny_base, num_labels=3).eval()
    own = network.readout.head(head).model.state_dict()
    plain.load_state_dict({**plain.state_dict(), **own})
    plain.base_model.load_state_dict(network.trunk.state_dict(), strict=False)  # `token` has no pooler
    torch.testing.assert_close(network(**INPUTS, **asking([head])), plain(**INPUTS).logits)


@pytest.mark.parametrize("model_type", ["roberta", "distilbert", "electra", "deberta-v2"])
def test_other_architectures_bring_their_own_heads_too(model_type, tmp_path):
    from transformers import AutoConfig, AutoModel

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    sizes |= {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 32} if model_type == "distilbert" else {}
    config = AutoConfig.for_model(model_type, vocab_size=60, **sizes)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    network = shared(tmp_path, "cls", "token")
    assert network(**INPUTS, **asking(["cls"])).shape == (2, 3)
    assert network(**INPUTS, **asking(["token"])).shape == (2, 5, 3)


def test_only_heads_that_are_asked_compute_and_several_lie_side_by_side(tiny_base):
    network = shared(tiny_base, "cls", "token", "mean")
    row, tokens = (network(**INPUTS, **asking([name])) for name in ("cls", "token"))
    both = network(**INPUTS, **asking(["token", "cls"]))
    torch.testing.assert_close(both, torch.cat([row, tokens.flatten(1)], dim=1))
    network(**INPUTS, **asking(["mean"])).sum().backward()
    learned = {name for name, p in network.readout.named_parameters() if p.grad is not None}
    assert learned == {"head_mean.linear.weight", "head_mean.linear.bias"}


def test_a_shared_trunk_and_its_heads_come_back_from_disk(tiny_base, tmp_path):
    network = shared(tiny_base, "cls", "mean", "cosine")
    network.save(tmp_path)
    again = shared(tmp_path, "cls", "mean", "cosine")
    again.load_readout(tmp_path)
    given = {**INPUTS, **asking(["cls", "mean", "cosine"])}
    assert torch.equal(network(**given), again(**given))


def test_dropout_of_a_recipe_reaches_trunk_and_heads(tiny_base):
    changes = (("hidden_dropout_prob", 0.3), ("attention_probs_dropout_prob", 0.3))
    head = SharedTrunk(heads={"cls": Shelf("heads").build("cls")})
    network = head.attach(tiny_base, HeadPlan((), members=(("cls", PLAN),)).changed(changes))
    assert {module.p for module in network.modules() if isinstance(module, torch.nn.Dropout)} == {0.3}


def test_a_head_that_cannot_share_says_so(tiny_base):
    with pytest.raises(UserError, match=r"^the head 'span' cannot share a trunk with other heads\.$"):
        shared(tiny_base, "span")
