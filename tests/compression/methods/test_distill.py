import shutil

import pytest
import torch
from tests.compression.methods.conftest import (
    SIZES,
    build_material,
    build_subject,
    logits_of,
    save_tiny,
)

from burnish.compression.methods._blocks import stack_of
from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.core.shelves import Shelf


def method(**settings):
    return Shelf("methods").build({"name": "distill", "layers": 1, "epochs": 2, "learning_rate": 0.01, **settings})


def apart(small, subject):
    """Mean KL of the student's answers to the teacher's."""
    given, wanted = (logits_of(one).log_softmax(-1) for one in (small, subject))
    return float(torch.nn.functional.kl_div(given, wanted, log_target=True, reduction="batchmean"))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))


def test_the_student_starts_as_layers_of_the_teacher(subject, material):
    small = method(label_weight=0, logit_weight=0, learning_rate=1e-9).apply(subject, material)
    [own], [first, _] = (stack_of(one.network).blocks for one in (small, subject))
    assert small.network.trunk.config.num_hidden_layers == 1
    for name, weight in own.named_parameters():
        torch.testing.assert_close(weight, first.get_parameter(name), atol=1e-6, rtol=0)


def test_the_student_comes_to_answer_as_its_teacher(tiny_base, tmp_path):
    subject = build_subject(tiny_base, "mean")
    material = build_material(subject, tmp_path)
    material.learn(subject.network, material.loss, epochs=20, learning_rate=3e-3)  # a teacher that is sure
    far = apart(method(epochs=1, label_weight=0, learning_rate=1e-9).apply(subject, material), subject)
    near = apart(method(epochs=20, label_weight=0, learning_rate=3e-3).apply(subject, material), subject)
    assert near < far / 10


def test_epochs_and_rate_are_those_that_were_asked_for(subject, material):
    method(epochs=1, learning_rate=0.003).apply(subject, material)
    method(learning_rate=None).apply(subject, material)
    assert material.learn.calls == [(1, 0.003), (2, None)]


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 8.0},
        {"label_weight": 0.0},
        {"logit_weight": 0.0},
        {"hidden_weight": 1.0},
        {"relation_weight": 1.0},
    ],
    ids=str,
)
def test_every_weight_and_the_temperature_change_what_is_learned(subject, material, settings):
    plain = method().apply(subject, material)
    assert same(plain, method().apply(subject, material)), "the same lesson, the same student"
    assert not same(plain, method(**settings).apply(subject, material))


def test_relation_heads_change_what_is_learned(subject, material):
    def learned(n_heads):
        return method(relation_weight=1.0, relation_heads=n_heads).apply(subject, material)

    assert not same(learned(1), learned(8))
    assert same(learned(None), learned(2)), "as many as the student has"


def test_hidden_states_come_nearer_where_they_weigh(subject, material):
    def distance(**settings):
        small = method(epochs=20, learning_rate=3e-3, **settings).apply(subject, material)
        inputs = next(material.batches()).inputs
        with torch.no_grad():
            ends = [one.network.eval().body(**inputs).last_hidden_state for one in (small, subject)]
        return float((ends[0] - ends[1])[inputs["attention_mask"].bool()].square().mean())

    assert distance(hidden_weight=5.0) < distance() / 2


def test_texts_without_labels_teach_too(tiny_base, tmp_path):
    subject = build_subject(tiny_base)
    material = build_material(subject, tmp_path, is_labelled=False)
    assert not next(material.batches()).targets
    with_labels, without = (method(label_weight=w).apply(subject, material) for w in (5.0, 0.0))
    assert same(with_labels, without)


@pytest.fixture
def narrow_base(tiny_base, tmp_path):
    """A base of one layer × 16 that reads as the tiny BERT does."""
    from transformers import BertConfig, BertModel

    folder = tmp_path / "narrow"
    folder.mkdir()
    shutil.copy(tiny_base / "tokenizer.json", folder)
    sizes = SIZES | {"hidden_size": 16, "num_hidden_layers": 1}
    n_tokens = read_json(tiny_base / "config.json")["vocab_size"]
    return save_tiny(folder, BertModel, BertConfig(vocab_size=n_tokens, max_position_embeddings=64, **sizes))


def test_another_base_can_be_the_student(subject, material, narrow_base):
    small = method(student=str(narrow_base), relation_weight=1.0).apply(subject, material)
    assert small.network.trunk.config.hidden_size == 16
    assert logits_of(small).shape == logits_of(subject).shape
    assert method(student=str(narrow_base)).refusal(subject) is None
    assert same(small, method(student=str(narrow_base), relation_weight=1.0).apply(subject, material))


def test_a_student_of_another_width_is_refused_where_states_are_compared(subject, material, narrow_base):
    with pytest.raises(UserError, match=r"^distill.hidden_weight: states of width 16 and 32 cannot be compared"):
        method(student=str(narrow_base), hidden_weight=1.0).apply(subject, material)


def test_relation_heads_must_divide_both_widths(subject, material):
    with pytest.raises(UserError, match=r"^distill.relation_heads: 3 heads do not divide the widths 32 and 32\.$"):
        method(relation_weight=1.0, relation_heads=3).apply(subject, material)


def test_a_student_that_reads_other_tokens_is_refused(subject, material, tiny_xlmr):
    with pytest.raises(UserError, match=r"^distill.student: '.*' reads other tokens than the teacher; take a"):
        method(student=str(tiny_xlmr)).apply(subject, material)


def test_a_student_that_takes_shorter_texts_is_refused(subject, material, narrow_base):
    write_json(narrow_base / "tokenizer_config.json", {"model_max_length": 16})
    with pytest.raises(UserError, match=r"^distill.student: '.*' takes 16 tokens; texts have up to 64\.$"):
        method(student=str(narrow_base)).apply(subject, material)


def test_a_student_without_blocks_learns_from_answers_only(subject, material, tiny_base, tmp_path):
    from transformers import AlbertConfig, AlbertModel

    folder = tmp_path / "albert"
    folder.mkdir()
    shutil.copy(tiny_base / "tokenizer.json", folder)
    n_tokens = read_json(tiny_base / "config.json")["vocab_size"]
    config = AlbertConfig(vocab_size=n_tokens, embedding_size=8, max_position_embeddings=64, pad_token_id=0, **SIZES)
    save_tiny(folder, AlbertModel, config)
    assert logits_of(method(student=str(folder)).apply(subject, material)).shape == logits_of(subject).shape
    with pytest.raises(UserError, match=r"^distill.student: '.*' has no blocks that can be told apart; set hidden_w"):
        method(student=str(folder), hidden_weight=1.0).apply(subject, material)


def test_a_student_that_would_not_be_smaller_is_refused(subject):
    assert method(layers=2).refusal(subject) == ("the model has 2 layers, so a student with 2 would not be smaller.")
    assert method(layers=1).refusal(subject) is None


def test_answers_that_cannot_be_compared_are_refused(tiny_base, tmp_path):
    hidden = Shelf("tasks").build("masked_lm")
    network = hidden.head_part.attach(tiny_base, hidden.head_plan(()))
    subject = build_subject(tiny_base)
    masked = type(subject)(hidden, (), network, subject.reader, tiny_base)
    assert method().refusal(masked) == ("what the head 'masked' gives cannot be compared with a student's answers.")
