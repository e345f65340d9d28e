"""Networks of several trunks: what goes where, how it lies on disk, what is read from both."""

import math

import pytest
import torch
from safetensors import safe_open

from burnish.core.errors import UserError
from burnish.models.freezing import freeze, with_dropout
from burnish.models.heads._contract import HeadPlan, TowerPlan
from burnish.models.heads.fusion import FusionHead
from burnish.models.heads.space import SpaceHead
from burnish.models.towers import LARGEST_SCALE, FusionReadout, SpaceReadout
from burnish.recipe.schema import FreezeSection

PLAN = HeadPlan(("a", "b"), towers=(TowerPlan("picture"), TowerPlan("text")))
PIXELS = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
TEXTS = {"text.input_ids": IDS, "text.attention_mask": (IDS > 0).long()}


def test_each_tower_reads_its_own_inputs_and_each_is_saved_as_automodel_reads_it(tiny_towers, tmp_path):
    from transformers import AutoModel

    network = FusionHead().attach(tiny_towers, PLAN).eval()
    vectors = network.trunk(**{"picture.pixel_values": PIXELS, **TEXTS})
    network.save(tmp_path)
    picture = AutoModel.from_pretrained(tmp_path).eval()(pixel_values=PIXELS).pooler_output
    states = AutoModel.from_pretrained(tmp_path / "text").eval()(IDS[1:, :3]).last_hidden_state
    torch.testing.assert_close(vectors["picture"], picture)
    torch.testing.assert_close(vectors["text"][1], states[0].mean(0), atol=1e-5, rtol=1e-4)
    assert (tmp_path / "text" / "model.safetensors").stat().st_mode & 0o044 == 0o044
    with safe_open(tmp_path / "head.safetensors", "pt") as head:
        assert all(key.startswith(("led", "linear")) for key in head.keys())  # noqa: SIM118


def test_a_tower_without_inputs_gives_nothing_and_others_may_have_more_rows(tiny_towers):
    network = SpaceHead(width=8).attach(tiny_towers, PLAN).eval()
    texts, one = network(**TEXTS), network(**{"picture.pixel_values": PIXELS[:1]})
    both = network(**{"picture.pixel_values": PIXELS[:1], **TEXTS})
    assert (texts.shape, one.shape) == ((2, 8), (1, 8))
    torch.testing.assert_close(both, torch.cat([one, texts]))


def test_products_in_the_space_are_cosines_times_the_scale():
    readout = SpaceReadout({"picture": 3, "text": 2}, 4, 0.0, 25.0)
    rows = readout({"picture": torch.randn(1, 3), "text": torch.randn(2, 2)}, {})
    torch.testing.assert_close(rows.norm(dim=1), torch.full((3,), 5.0))
    with torch.no_grad():
        readout.log_scale.fill_(math.log(1e6))
    assert readout({"text": torch.randn(1, 2)}, {}).norm().item() == pytest.approx(LARGEST_SCALE**0.5)


def test_fusion_reads_both_vectors_and_their_product():
    readout = FusionReadout({"picture": 2, "text": 2}, 2, 1, 0.0)
    for led in readout.led.values():
        torch.nn.init.eye_(led[1].weight)
        torch.nn.init.zeros_(led[1].bias)
    with torch.no_grad():
        readout.linear.weight.copy_(torch.tensor([[1.0, 0, 0, 0, 10.0, 0]]))
    rows = torch.tensor([[3.0, 1.0]]), torch.tensor([[2.0, 8.0]])  # normalised: [1, -1] and [-1, 1]
    # 1 × the picture's first value and 10 × the first product: 1 + 10 × (1 × -1)
    assert readout({"picture": rows[0], "text": rows[1]}, {}).item() == pytest.approx(-9.0, abs=1e-3)


@pytest.mark.parametrize(
    ("folders", "sentence"),
    [
        (("text", None), r"text reads texts \(bert\), not pictures; name a base that does\.$"),
        ((None, ""), r"reads pictures \(vit\), not texts; name a base that does\.$"),
    ],
)
def test_a_base_that_reads_something_else_is_refused(folders, sentence, tiny_towers):
    first, second = (None if name is None else tiny_towers / name for name in folders)
    plan = HeadPlan(("a",), towers=(TowerPlan("picture", first), TowerPlan("text", second)))
    with pytest.raises(UserError, match=sentence):
        FusionHead().attach(tiny_towers, plan)


def test_a_head_for_pictures_refuses_a_base_for_texts(tiny_base):
    from burnish.models.heads.picture import PictureHead

    with pytest.raises(UserError, match=r"reads texts \(bert\), not pictures"):
        PictureHead().attach(tiny_base, PLAN)


def test_dropout_is_set_in_every_tower(tiny_towers):
    plan = with_dropout(PLAN, tiny_towers, 0.37)
    network = SpaceHead().attach(tiny_towers, plan)
    rates = {trunk.config.hidden_dropout_prob for trunk in network.bodies()}
    assert rates == {0.37}
    assert with_dropout(PLAN, tiny_towers, None) is PLAN


def test_freezing_reaches_the_bottom_of_every_tower(tiny_towers):
    network = SpaceHead().attach(tiny_towers, PLAN)
    freeze(network, FreezeSection(layers=1))
    for body in network.bodies():
        assert not any(p.requires_grad for p in body.embeddings.parameters())
        trained = {name for name, p in body.named_parameters() if p.requires_grad}
        assert any("1" in name.split(".") for name in trained)
        assert not any("0" in name.split(".") for name in trained)
    freeze(network, FreezeSection(all_but_head=True))
    assert {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad} == {"readout"}
