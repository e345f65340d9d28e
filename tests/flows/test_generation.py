"""The main job with written text, on tiny bases: fit, judge, predict, checkpoints of tied weights, other tools."""

import json

import pytest

import burnish
from burnish.core.errors import UserError

WORDS = {"good": "all good", "bad": "so bad", "北京": "上海好"}


def write_rows(path, n, names=("prompt", "response")):
    """What to say depends on one word, so that a tiny network learns it."""
    words = list(WORDS)
    rows = [{names[0]: f"{i} is {words[i % 3]}", names[1]: WORDS[words[i % 3]]} for i in range(n)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def recipe(folder, base, task="generation", names=("prompt", "response"), **train):
    data = {
        "train": str(write_rows(folder / "train.jsonl", 64, names)),
        "dev": "25%",
        "test": str(write_rows(folder / "test.jsonl", 8, names)),
        "duplicates": "off",
    }
    settings = {"epochs": 6, "learning_rate": 0.01, "precision": "fp32", "tokens_per_batch": 128, **train}
    return {
        "task": {"name": task, "decoding": {"max_new_tokens": 12}},
        "base": str(base),
        "data": data,
        "train": settings,
        "judge": {"n_bootstrap": 20},
    }


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, tiny_causal_base):
    folder = tmp_path_factory.mktemp("generation")
    return burnish.fit(recipe(folder, tiny_causal_base), out=folder / "bundle").bundle


def test_a_tied_base_learns_to_answer(bundle):
    model = burnish.load(bundle)
    assert [model(f"3 is {word}").text for word in WORDS] == list(WORDS.values())
    assert model("3 is good").is_finished


def test_the_report_shows_texts_and_no_section_about_labels_or_confidence(bundle):
    report = json.loads((bundle / "report" / "report.json").read_text())
    assert {"rouge_1", "rouge_2", "rouge_l", "bleu", "chrf", "perplexity"} == report["scores"].keys()
    assert report["calibration"] is report["selective"] is report["confusion"] is None
    page = (bundle / "report" / "report.md").read_text()
    assert "| ROUGE-L | 100.0 % |" in page
    assert "confidence" not in page.lower()
    assert "<h2>Confidence</h2>" not in (bundle / "report" / "report.html").read_text()
    assert "AutoModelForCausalLM" in (bundle / "README.md").read_text()


def test_plain_transformers_writes_the_same_from_the_bundle(bundle):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bundle / "model")
    model = AutoModelForCausalLM.from_pretrained(bundle / "model").eval()
    assert model.lm_head.weight is model.model.embed_tokens.weight
    chat = [{"role": "user", "content": "5 is bad"}]
    asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    written = model.generate(**asked, max_new_tokens=12)[0, asked["input_ids"].shape[1] :]
    assert tokenizer.decode(written, skip_special_tokens=True) == burnish.load(bundle)("5 is bad").text


def test_judging_with_several_texts_that_would_do_takes_the_best(bundle):
    rows = [{"prompt": "1 is good", "response": "no"}, {"prompt": "1 is bad", "response": ["no", "so bad"]}]
    scores = burnish.judge(bundle, rows).report.scores
    assert scores["rouge_l"] == pytest.approx(0.5)


def test_a_base_is_judged_as_it_is(tmp_path, tiny_causal_base):
    fitted = burnish.fit(recipe(tmp_path, tiny_causal_base, epochs=0), out=tmp_path / "bundle")
    assert fitted.report.scores["perplexity"] > 100


@pytest.mark.parametrize("settings", [{"packing": True}, {"template": "plain"}])
def test_packing_and_another_template_learn_too(settings, tmp_path, tiny_causal_base):
    given = recipe(tmp_path, tiny_causal_base)
    given["task"] |= settings
    fitted = burnish.fit(given, out=tmp_path / "bundle")
    assert fitted.report.scores["perplexity"] < 3


def test_a_tied_run_goes_on_from_its_checkpoint_bit_for_bit(tmp_path, tiny_causal_base):
    given = recipe(tmp_path, tiny_causal_base, epochs=2, checkpoint_every_s=1e-9, tokens_per_batch=256)
    whole = burnish.fit(given, out=tmp_path / "whole").bundle

    def stop(event):
        if getattr(event, "stage", "") == "train" and event.done == 5:
            raise RuntimeError("the machine is gone")

    with pytest.raises(RuntimeError):
        burnish.fit(given, out=tmp_path / "cut", listen=stop)
    resumed = burnish.fit(given, out=tmp_path / "cut", resume=True).bundle
    weights = [folder / "model" / "model.safetensors" for folder in (whole, resumed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_hostile_template_stops_everything_before_anything_is_trained(tmp_path, tiny_causal_base):
    given = recipe(tmp_path, tiny_causal_base)
    given["task"] |= {"template": "{{ messages.__class__ }}"}
    with pytest.raises(UserError, match=r"^base: its chat template is refused: access to attribute '__class__'"):
        burnish.fit(given, out=tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_one_text_is_turned_into_another(tmp_path, tiny_seq2seq_base):
    given = recipe(tmp_path, tiny_seq2seq_base, "seq2seq", ("text", "target"), epochs=12)
    given["task"]["decoding"] |= {"num_beams": 2}
    fitted = burnish.fit(given, out=tmp_path / "bundle")
    model = burnish.load(fitted.bundle)
    assert [model(f"3 is {word}").text for word in WORDS] == list(WORDS.values())
    assert "AutoModelForSeq2SeqLM" in (fitted.bundle / "README.md").read_text()


def test_the_command_line_prints_the_text(bundle, capsys):
    from burnish.cli.main import main

    with pytest.raises(SystemExit):
        main(["predict", str(bundle), "3 is good", "--json"])
    assert json.loads(capsys.readouterr().out) == {"text": "all good", "is_finished": True}
