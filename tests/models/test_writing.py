"""Text written token after token: against transformers' own greedy search, and each setting by what it changes."""

import pytest
import torch

from burnish.models.decoding import Decoding
from burnish.models.heads._contract import HeadPlan
from burnish.models.heads.causal import CausalHead
from burnish.models.heads.seq2seq import Seq2SeqHead
from burnish.models.writing import padded, write

ENDS = [2, 0]


@pytest.fixture(scope="module")
def network(tiny_causal_base):
    """The tiny base with its weights spread, so that what it writes is not one token again and again."""
    made = CausalHead().attach(tiny_causal_base, HeadPlan(())).eval()
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(3)
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return made


@pytest.fixture(scope="module")
def prompts(network):
    return [torch.tensor(network.vocabulary.encode(text).ids) for text in ("good day", "so bad a day is", "北京")]


def texts(network, prompts, **settings):
    with torch.inference_mode():
        drafts = write(network, prompts, Decoding(**{"max_new_tokens": 24, **settings}), ENDS)
    return [draft.text for draft in drafts]


def by_hand(network, prompt, n, ends=ENDS):
    """Greedy search by whole forward passes."""
    ids = prompt.tolist()
    for _ in range(n):
        ids.append(int(network(input_ids=torch.tensor([ids]))[0, -1].argmax()))
        if ids[-1] in ends:
            break
    written = ids[len(prompt) :]
    return network.vocabulary.decode([token for token in written if token not in ends]).strip()


def test_greedy_text_is_the_likeliest_token_again_and_again_alone_and_in_company(network, prompts):
    expected = [by_hand(network, prompt, 24) for prompt in prompts]
    assert len(set(expected)) == 3
    assert texts(network, prompts) == expected
    assert [texts(network, [prompt])[0] for prompt in prompts] == expected


def test_writing_ends_at_an_end_or_at_the_most_tokens(network, prompts):
    whole = write(network, prompts[:1], Decoding(max_new_tokens=8), [299])[0]
    assert not whole.is_finished
    token = int(network(input_ids=prompts[0][None])[0, -1].argmax())
    ended = write(network, prompts[:1], Decoding(max_new_tokens=8), [299, token])[0]
    assert (ended.text, ended.is_finished) == ("", True)


def test_writing_stops_at_a_text_which_is_left_out(network, prompts):
    whole = texts(network, prompts)[0]
    stop = whole[5:8]
    how = Decoding(max_new_tokens=24, stop=[stop])
    (draft,) = write(network, prompts[:1], how, ENDS)
    assert draft.text == whole[: whole.find(stop)].strip()
    assert draft.is_finished


@pytest.mark.parametrize("settings", [{"no_repeat_ngram": 2}, {"repetition_penalty": 50.0}])
def test_what_was_written_can_be_held_back(settings, network, prompts):
    assert texts(network, prompts, max_new_tokens=60, **settings) != texts(network, prompts, max_new_tokens=60)


def test_penalties_do_not_look_at_the_prompt(network):
    """A model that would copy its prompt may: only what is written twice is held back."""
    prompt = torch.tensor(network.vocabulary.encode("good day").ids)
    (first,) = texts(network, [prompt], max_new_tokens=1)
    doubled = torch.cat([prompt, torch.tensor(network.vocabulary.encode(first).ids)])
    for settings in ({"no_repeat_ngram": 1}, {"repetition_penalty": 50.0}):
        assert texts(network, [doubled], max_new_tokens=1, **settings) == texts(network, [doubled], max_new_tokens=1)


def test_draws_depend_on_the_seed_and_the_prompt_and_not_on_company(network, prompts):
    drawn = texts(network, prompts, temperature=1.0)
    assert drawn != texts(network, prompts)
    assert drawn == [texts(network, [prompt], temperature=1.0)[0] for prompt in prompts]
    assert drawn != texts(network, prompts, temperature=1.0, seed=8)
    torch.manual_seed(5)
    assert drawn == texts(network, prompts, temperature=1.0)


def test_draws_follow_the_probabilities(network, prompts):
    with torch.no_grad():
        shares = network(input_ids=prompts[0][None])[0, -1].softmax(-1)
    top = int(shares.argmax())
    n = 100
    found = [
        write(network, prompts[:1], Decoding(max_new_tokens=1, temperature=1.0, seed=s), [299])[0] for s in range(n)
    ]
    word = network.vocabulary.decode([top]).strip()
    n_top = sum(draft.text == word for draft in found)
    share = float(sum(p for i, p in enumerate(shares) if network.vocabulary.decode([i]).strip() == word))
    assert abs(n_top - n * share) < 4 * (n * share * (1 - share)) ** 0.5 + 1
    assert texts(network, prompts, temperature=1.0, top_p=0.01) == texts(network, prompts)
    assert texts(network, prompts, temperature=0.001) == texts(network, prompts)


def test_beams_find_a_likelier_text_and_their_length_penalty_counts(network, prompts):
    def log_probability(text):
        ids = [*prompts[1].tolist(), *network.vocabulary.encode(text).ids]
        with torch.no_grad():
            logs = network(input_ids=torch.tensor([ids]))[0].log_softmax(-1)
        return sum(float(logs[place, ids[place + 1]]) for place in range(len(prompts[1]) - 1, len(ids) - 1))

    greedy = texts(network, prompts[1:2], max_new_tokens=6)[0]
    beams = texts(network, prompts[1:2], max_new_tokens=6, num_beams=8)[0]
    assert log_probability(beams) >= log_probability(greedy)
    ends = list(range(0, 300, 3))  # so many that texts of different lengths compete
    lengths = [
        len(write(network, prompts[1:2], Decoding(max_new_tokens=12, num_beams=8, length_penalty=p), ends)[0].text)
        for p in (-6.0, 6.0)
    ]
    assert lengths[0] < lengths[1]


def test_many_prompts_are_written_a_few_at_once(network, prompts, monkeypatch):
    expected = texts(network, prompts)
    monkeypatch.setattr("burnish.models.writing.TOKENS_AT_ONCE", 1)
    assert texts(network, prompts) == expected
    assert write(network, [], Decoding(), ENDS) == []


def test_padding_stands_on_the_left_of_what_is_continued_and_on_the_right_of_what_is_read():
    rows = [torch.tensor([5, 6]), torch.tensor([7])]
    assert padded(rows, 0, on_the_left=True)["input_ids"].tolist() == [[5, 6], [0, 7]]
    found = padded(rows, 0, on_the_left=False)
    assert (found["input_ids"].tolist(), found["attention_mask"].tolist()) == ([[5, 6], [7, 0]], [[1, 1], [1, 0]])


@pytest.mark.parametrize("kind", ["t5", "bart", "marian"])
def test_encoders_with_decoders_write_as_plain_generate_does(kind, make_tiny_seq2seq_base):
    from transformers import AutoModelForSeq2SeqLM

    base = make_tiny_seq2seq_base(kind)
    made = Seq2SeqHead().attach(base, HeadPlan(())).eval()
    prompts = [torch.tensor(made.vocabulary.encode(text).ids) for text in ("good day", "so bad a day is")]
    drafts = write(made, prompts, Decoding(max_new_tokens=12, num_beams=3), [1])
    plain = AutoModelForSeq2SeqLM.from_pretrained(base).eval()
    for prompt, draft in zip(prompts, drafts, strict=True):
        ids = plain.generate(input_ids=prompt[None], max_new_tokens=12, num_beams=3)[0].tolist()
        assert draft.text == made.vocabulary.decode(ids).strip()


def test_a_bases_own_settings_for_writing_do_not_add_to_the_recipes(tiny_causal_base, tmp_path):
    import json
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(tiny_causal_base, folder)
    own = {"do_sample": True, "temperature": 9.0, "num_beams": 4, "eos_token_id": 2, "repetition_penalty": 3.0}
    (folder / "generation_config.json").write_text(json.dumps(own))
    made = CausalHead().attach(folder, HeadPlan(()))
    assert made.trunk.generation_config.to_diff_dict().keys() <= {"eos_token_id", "transformers_version"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": 1.0, "num_beams": 2}, "temperature draws tokens, which goes with num_beams: 1"),
        ({"top_p": 0.5}, "top_p needs a temperature above 0, as nothing is drawn without"),
        ({"length_penalty": 2.0}, "length_penalty compares beams; it needs num_beams above 1"),
        ({"stop": ["a", ""]}, "stop holds an empty text, at which everything would end; take it out"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Decoding(**settings)
