"""`shrink` of a model that writes: smaller, still its own texts, and proved by the beginnings of them."""

import shutil

import pytest
from tests.flows.test_generation import recipe

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.bundle.proof import N_BEGUN
from burnish.compression import measuring, parity
from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.core.manifest import verify_manifest, write_manifest
from burnish.flows.shrink import WRITING


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "SHORTEST_S", 0.0)
        patch.setattr(measuring, "LONGEST_S", 0.0)
        patch.setattr(measuring, "LEAST_SINGLE", 1)
        patch.setattr(parity, "LEAST_AGREEMENT", 0.0)
        yield


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, tiny_causal_base):
    folder = tmp_path_factory.mktemp("writing")
    return burnish.fit(recipe(folder, tiny_causal_base), out=folder / "bundle").bundle


@pytest.fixture(scope="module")
def small(bundle):
    return burnish.shrink(bundle, out=bundle.parent / "small", max_drop=100)


def test_both_ways_are_tried_and_the_drop_is_one_of_rouge(small):
    assert small.bundle is not None, small.frontier.refused
    assert [one.name for one in small.frontier.candidates[1:]] == list(WRITING)
    assert small.frontier.metric == "rouge_l"
    assert all(one.parity.kind == "quantised" for one in small.frontier.candidates[1:])


def test_the_bundle_is_smaller_and_writes_as_its_report_says(small, bundle):
    opened = open_bundle(small.bundle)
    verify_manifest(bundle)
    assert opened.knowledge.runtime.part_name == "openvino_causal"
    assert not list((small.bundle / "model").glob("*.safetensors"))
    weights = (small.bundle / "model" / "model.bin").stat().st_size
    assert weights < (bundle / "model" / "model.safetensors").stat().st_size / 2
    again = burnish.judge(small.bundle, str(bundle.parent / "test.jsonl")).report
    assert again.scores == pytest.approx(small.report.scores, abs=1e-4)


def test_it_streams_what_it_answers(small):
    predictor = burnish.load(small.bundle)
    said = "what is good"
    assert "".join(burnish.stream(predictor, said)) == predictor(said).text


def test_the_proof_holds_beginnings_and_another_beginning_is_refused(small, tmp_path):
    proof = read_json(small.bundle / "proof.json")
    predictor = burnish.load(small.bundle)
    vocabulary = predictor.reader.tokenizer.backend
    lengths = [len(vocabulary.encode(one["text"], add_special_tokens=False).ids) for one in proof["answers"]]
    assert max(lengths) <= N_BEGUN + 1, "text encoded anew may take a token more"
    other = shutil.copytree(small.bundle, tmp_path / "other")
    write_json(other / "proof.json", {**proof, "answers": [{**one, "text": "no"} for one in proof["answers"]]})
    write_manifest(other)
    with pytest.raises(UserError, match=r"texts otherwise on this machine than where it was shrunk"):
        burnish.load(other)


def test_no_format_carries_it_and_it_is_told_in_a_sentence(small, tmp_path):
    for name in ("gguf", "openvino"):
        with pytest.raises(UserError) as caught:
            burnish.export(small.bundle, name, out=tmp_path / "out")
        assert str(caught.value) == (
            f"{name}: {small.bundle} was shrunk to files for openvino_causal, which this format cannot carry; export "
            "the bundle that it was made from."
        )


def test_an_encoders_method_does_not_suit_and_is_told(bundle, tmp_path):
    result = burnish.shrink(bundle, out=tmp_path / "small", ways=["int8_static"], max_drop=100)
    assert result.bundle is None
    [reasons] = result.frontier.refused.values()
    assert reasons == ["int8_static: it is for encoders of text; the head 'causal' is none of them."]


def test_a_talk_is_shrunk_and_goes_on(tiny_causal_base, tmp_path):
    rows = tmp_path / "talks.jsonl"
    rows.write_text("".join(f'{{"turns": ["say good {n}", "good {n}"]}}\n' for n in range(12)))
    made = {
        "task": {"name": "dialogue", "decoding": {"max_new_tokens": 4}},
        "base": str(tiny_causal_base),
        "data": {"train": str(rows), "dev": "25%", "duplicates": "off"},
        "train": {"epochs": 0},
        "judge": {"n_bootstrap": 20},
    }
    fitted = burnish.fit(made, out=tmp_path / "bundle")
    small = burnish.shrink(fitted.bundle, out=tmp_path / "small", ways=["int8_weights"], max_drop=100)
    talk = burnish.converse(small.bundle)
    said = [talk("say good 1").text, talk("and 2").text]
    assert [one["content"] for one in talk.messages[1::2]] == said
