"""LoRA from the recipe to the bundle: the base stays, the bundle is plain, and a stopped run ends like a whole one."""

import os
import signal

import pytest
import torch
from safetensors.torch import load_file

from burnish.bundle.predictor import load_predictor
from burnish.core.errors import UserError
from burnish.core.events import Progress, ignore
from burnish.core.files import sha256_of
from burnish.flows.fit import fit
from burnish.flows.ground import lay_ground
from burnish.flows.train import new_network
from burnish.recipe.load import load

LORA = ["train.peft=lora", "train.dropout=0.1", "train.checkpoint_every_s=0.000001"]


@pytest.fixture(scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_one_thread")
def test_a_bundle_tuned_by_lora_is_a_plain_model_with_the_same_logits(recipe, tmp_path, tiny_base):
    import transformers

    result = fit(recipe, LORA, out=tmp_path / "bundle")
    assert result.report.scores["accuracy"] > 0.8
    weights = load_file(tmp_path / "bundle" / "model" / "model.safetensors")
    assert not [name for name in weights if "lora" in name or "base_layer" in name]
    base = load_file(tiny_base / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    assert torch.equal(weights[f"bert.{name}"], base[name])  # what has no product beside it stays as it was
    plain = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "bundle" / "model").eval()
    predictor = load_predictor(tmp_path / "bundle")
    [answered] = predictor.answer([predictor.task.read({"text": "so good a day"}, is_labelled=False)])
    ids = torch.from_numpy(answered.features[0]["input_ids"]).long()[None]
    with torch.no_grad():
        logits = plain(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    torch.testing.assert_close(logits, torch.from_numpy(answered.outputs[0]), atol=1e-5, rtol=0)


@pytest.mark.usefixtures("_one_thread")
def test_a_run_with_lora_that_was_stopped_ends_like_one_that_was_not(recipe, tmp_path):
    fit(recipe, LORA, out=tmp_path / "whole")

    def stop(event):
        if isinstance(event, Progress) and event.stage == "train" and event.done == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(recipe, LORA, out=tmp_path / "torn", listen=stop)
    [checkpoint, *_] = sorted((tmp_path / ".torn.work" / "seed-7" / "checkpoints").glob("step-*"))
    saved = load_file(checkpoint / "weights.safetensors")
    assert any("lora_A" in name for name in saved)
    assert not any("word_embeddings" in name or "base_layer" in name for name in saved)  # the base has them
    fit(recipe, LORA, out=tmp_path / "torn", resume=True)
    whole, torn = (tmp_path / name / "model" / "model.safetensors" for name in ("whole", "torn"))
    assert sha256_of(whole) == sha256_of(torn)


def test_the_new_matrices_are_a_pure_function_of_the_seed(recipe, tmp_path):
    ground = lay_ground(load(recipe, LORA), tmp_path / "work", ignore)
    first, again, other = (new_network(ground, seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[name], again[name]) for name in first)
    differs = {name.rsplit(".", 3)[-3] for name in first if not torch.equal(first[name], other[name])}
    assert differs == {"lora_A", "trunk"}  # trunk.classifier.weight


def test_the_matrices_learn_when_activations_are_computed_anew(recipe, tmp_path):
    ground = lay_ground(load(recipe, [*LORA, "train.gradient_checkpointing=true"]), tmp_path / "work", ignore)
    network = new_network(ground, 7).train()
    ids = torch.ones(2, 4, dtype=torch.int64)
    network(input_ids=ids, attention_mask=ids).square().sum().backward()
    matrices = [p for name, p in network.named_parameters() if "lora_B" in name]
    assert all(p.grad is not None for p in matrices)
    assert sum(bool(p.grad.abs().sum() > 0) for p in matrices) > len(matrices) / 2


def test_freezing_beside_lora_is_refused_because_nothing_is_left_to_freeze(recipe):
    with pytest.raises(UserError) as caught:
        load(recipe, ["train.peft=lora", "train.freeze.layers=1"])
    assert str(caught.value) == (
        "override 'train.peft=lora': train.peft is 'lora', which trains no weight of the base, so there is nothing to "
        "freeze; take train.freeze out, or write full."
    )
