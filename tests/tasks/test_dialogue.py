"""Talks: what is read, what is remembered, and which facts are told."""

import pytest

import burnish
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.tasks._facts import filled, with_facts
from burnish.tasks._messages import turns_of
from burnish.tasks.retrieval import Hit


def dialogue(**settings):
    return Shelf("tasks").build({"name": "dialogue", **settings})


def turn(role, content):
    return {"role": role, "content": content}


TALK = [turn("system", "be good"), turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")]


def test_the_last_answer_is_the_gold_one_and_the_rest_is_the_talk():
    example = dialogue().read({"messages": TALK}, is_labelled=True)
    assert (turns_of(example), example["golds"]) == (TALK[:-1], ["d"])
    assert example["text"] == "user: a\nassistant: b\nuser: c"


def test_texts_alone_are_said_in_turn_the_users_first():
    example = dialogue(system="be good").read({"turns": ["a", "b", "c", "d"]}, is_labelled=True)
    assert (turns_of(example), example["golds"]) == (TALK[:-1], ["d"])


def test_turns_may_be_json_text():
    assert turns_of(dialogue().read({"turns": '["a", "b"]'}, is_labelled=True)) == [turn("user", "a")]


def test_a_talk_may_begin_with_the_assistant():
    talk = [turn("assistant", "hello"), turn("user", "a"), turn("assistant", "b")]
    assert turns_of(dialogue().read({"messages": talk}, is_labelled=True)) == talk[:-1]


def test_when_predicting_the_answer_that_is_to_be_written_is_left_out():
    example = dialogue().read({"messages": TALK}, is_labelled=False)
    assert (turns_of(example), example["golds"]) == (TALK[:-1], None)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "the row has no 'messages', 'turns' or 'prompt'; give one of them."),
        ({"messages": TALK, "turns": ["a"]}, "the row has both 'messages' and 'turns'; keep the one that holds the"),
        ({"prompt": "a"}, "'prompt' is what the user says, and nobody answers; give the whole talk as 'messages'."),
        ({"turns": "{"}, "'turns' is not valid JSON (Expecting property name enclosed in double quotes: line 1"),
        ({"turns": [1]}, '\'turns\' must be a list of texts, the user\'s first, such as ["Hello", "Good day!"].'),
        ({"turns": ["a"]}, "'messages' has no turn of the assistant, so there is nothing to learn; add the answer."),
        ({"messages": TALK[:4]}, "'messages' ends with a turn that nobody answers; add the answer or take the turn"),
        (
            {"messages": [turn("bot", "a")]},
            "turn 1 of 'messages' has the role 'bot'. Roles are: system, user, assistan",
        ),
        ({"messages": [turn("assistant", "a")]}, "'messages' has no turn of the user before the answer; nothing is as"),
        ({"turns": ["a", " "]}, "turn 2 of 'messages' (assistant) has no text; give it one or take the turn out."),
    ],
)
def test_a_row_that_is_no_talk_is_told(values, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        dialogue().read(values, is_labelled=True)
    assert str(caught.value).startswith(sentence)


# memory


def read(task, base, max_length, turns):
    reader = task.load_reader(base, max_length, "")
    example = task.read({"messages": turns}, is_labelled=False)
    return reader, task.encode([example], reader, ())[0]


def long_talk(n):
    said = [turn(role, f"{role} says {number}") for number in range(n) for role in ("user", "assistant")]
    return [turn("system", "be good"), *said, turn("user", "the last")]


def text_of(reader, encoded):
    return reader.tokenizer.backend.decode(encoded.features[0]["input_ids"].tolist(), skip_special_tokens=False)


def test_the_system_text_and_the_newest_turns_are_remembered_whole_turns_at_a_time(tiny_causal_base):
    task = dialogue(decoding={"max_new_tokens": 20})
    reader, whole = read(task, tiny_causal_base, 512, long_talk(5))
    reader, cut = read(task, tiny_causal_base, 200, long_talk(5))
    text = text_of(reader, cut)
    assert whole.n_cut == 0
    assert whole.notes == ()
    assert len(cut.features[0]["input_ids"]) <= 200 - 20
    assert cut.n_tokens == whole.n_tokens
    assert cut.n_cut == whole.n_tokens - len(cut.features[0]["input_ids"])
    assert text.startswith("<|im_start|>system\nbe good<|im_end|>\n<|im_start|>user\nuser says")
    assert text.endswith("<|im_start|>user\nthe last<|im_end|>\n<|im_start|>assistant\n")
    n_left = text.count("<|im_start|>") - 1
    assert cut.notes == (f"the oldest {12 - n_left} of 12 turns are left out, as they do not fit.",)
    assert n_left % 2 == 0  # system, pairs, and the last


# facts


def hit(**changes):
    return Hit(
        **{"id": "f1", "text": "open?", "score": 1.0, "similarity": 1.0, "payload": {"answer": "9 to 5"}, **changes}
    )


def test_facts_stand_before_the_system_text():
    told = with_facts(
        TALK[:2], [hit(), hit(text="cost?", payload={"answer": None})], "- {text} {answer}", "F:\n{facts}\n\n"
    )
    assert told == [turn("system", "F:\n- open? 9 to 5\n- cost? \n\nbe good"), TALK[1]]


def test_without_a_system_text_the_facts_are_it_and_without_facts_nothing_changes():
    assert with_facts([TALK[1]], [hit()], "{id}: {text}", "{facts}\n") == [turn("system", "f1: open?"), TALK[1]]
    assert with_facts(TALK, [], "{text}", "{facts}") == TALK


def test_braces_in_a_template_mean_names_alone():
    assert filled("{text} {text.__class__} {} {other}", {"text": "{id}"}) == "{id} {text.__class__} {} {other}"


def test_facts_need_a_place():
    with pytest.raises(ValueError, match=r"must hold \{facts\}, where they are put; got 'Facts:'"):
        dialogue(facts="Facts:")


@pytest.fixture(scope="module")
def retriever(tmp_path_factory, tiny_base):
    folder = tmp_path_factory.mktemp("retriever")
    rows = [("t1", "good day", "yes"), ("t2", "so bad", "no"), ("t3", "北京 上海", "maybe")]
    (folder / "faq.csv").write_text("\n".join(["id,text,answer", *(",".join(row) for row in rows)]))
    task = {"name": "retrieval", "corpus": str(folder / "faq.csv"), "vector_share": 0.0}
    return burnish.fit({"task": task, "base": str(tiny_base), "data": {"train": None}}, out=folder / "bundle").bundle


def opened(retriever, **settings):
    from burnish.bundle.predictor import load_predictor

    task = dialogue(retriever=str(retriever), decoding={"max_new_tokens": 20}, **settings)
    return task.opened(lambda name: getattr(task, name), load_predictor)


def test_the_best_hits_for_what_was_said_last_are_told_and_only_the_last_answer_is_learned(retriever, tiny_causal_base):
    task = opened(retriever, n_facts=1, fact="{text}: {answer}")
    reader = task.load_reader(tiny_causal_base, None, "")
    talk = [turn("user", "good day"), turn("assistant", "b"), turn("user", "so bad"), turn("assistant", "d")]
    [one] = task.encode([task.read({"messages": talk}, is_labelled=True)], reader, ())
    assert "Facts:\nso bad: no<|im_end|>" in text_of(reader, one)
    learned = one.features[0]["input_ids"][one.features[0]["is_learned"] == 1]
    assert reader.tokenizer.backend.decode(learned.tolist(), skip_special_tokens=False) == "d<|im_end|>"


def test_without_a_retriever_every_answer_is_learned(tiny_causal_base):
    task = dialogue(decoding={"max_new_tokens": 20})
    reader = task.load_reader(tiny_causal_base, None, "")
    [one] = task.encode([task.read({"messages": TALK}, is_labelled=True)], reader, ())
    learned = one.features[0]["input_ids"][one.features[0]["is_learned"] == 1]
    assert reader.tokenizer.backend.decode(learned.tolist(), skip_special_tokens=False) == "b<|im_end|>d<|im_end|>"


def test_a_column_that_the_corpus_lacks_is_told(retriever):
    with pytest.raises(UserError) as caught:
        opened(retriever, fact="{text} {anser}")
    assert str(caught.value) == (
        "task.fact: the corpus of the retriever has no column 'anser'. Did you mean 'answer'? It has: text, id, answer."
    )


def test_a_retriever_of_another_task_is_told(retriever, monkeypatch, tmp_path):
    task = dialogue(retriever=str(tmp_path))
    other = type("Other", (), {"task": Shelf("tasks").build("matching")})()
    with pytest.raises(UserError) as caught:
        task.opened(lambda name: getattr(task, name), lambda folder: other)
    assert str(caught.value) == (
        f"task.retriever: {tmp_path} does matching; a retriever is a bundle of the task retrieval."
    )
