"""Ranking: the catalogue, rows and their faults, candidates and the loss by hand, the second stage, what is cold."""

from math import exp, log

import numpy as np
import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.models.preference import Design, PreferenceReadout, Shape, score
from burnish.tasks._catalogue import Catalogue, open_catalogue, traits_of
from burnish.tasks._contract import Answered
from burnish.tasks._corpus import read_corpus
from burnish.tasks._histories import ids_of
from burnish.tasks._preferences import batch_of, preference_loss, row_feature, with_drawn
from burnish.tasks._recommending import TRAITS, Asked, Stages, fitted, gain, open_vectors

USER = np.array([[1, 0, 0]], np.float32)
ITEMS = {"id": ["a", "b", "c", "d"], "text": ["red", "blue", "green", "grey"], "kind": ["x|y", "x", "", None]}


def build(**settings):
    return Shelf("tasks").build({"name": "ranking", "items": ITEMS, **settings})


def opened(**settings):
    task = build(**settings)
    return task.opened(lambda name: getattr(task, name), None)


def catalogue(rows=ITEMS):
    return Catalogue.of(read_corpus(rows, {}, {}, "task.items"))


# the catalogue


def refusal(do):
    with pytest.raises(UserError) as caught:
        do()
    return str(caught.value)


def test_a_task_without_a_catalogue_is_refused():
    assert refusal(lambda: build(items=None).opened(lambda name: None, None)) == (
        "task.items is missing: the file with what is recommended, e.g. task: {name: ranking, items: films.csv}."
    )


def test_a_catalogue_of_one_item_is_refused():
    assert refusal(lambda: opened(items={"id": ["a"], "text": ["red"]})) == (
        "task.items: has one item only, so there is nothing to choose; give two or more."
    )


def test_an_item_without_a_text_is_refused():
    said = refusal(lambda: opened(items={"id": ["a", "b"], "text": ["red", " "]}))
    assert said == "rows given from Python:2: 'text' is empty; give it a text or take the row out."


def test_doubled_ids_are_refused():
    said = refusal(lambda: opened(items={"id": ["a", "a"], "text": ["red", "blue"]}))
    assert "the id 'a' stands at rows given from Python:1 already; give each row an id of its own." in said


def test_a_missing_column_of_the_catalogue_names_the_setting():
    said = refusal(lambda: opened(items={"id": ["a", "b"], "title": ["red", "blue"]}))
    assert "Set task.items_columns: {text: <one of them>}." in said


def test_a_feature_that_no_item_has_is_refused():
    assert refusal(lambda: opened(categories=["kinds"])) == (
        "task.categories: no item has a column 'kinds'. Did you mean 'kind'? They have: kind."
    )


def test_a_number_that_is_none_is_refused():
    assert refusal(lambda: opened(numbers=["kind"])).startswith(
        "task.numbers: the item 'a' has 'x|y' in 'kind', which is no number; correct it, leave it empty, or name the "
    )


def test_categories_are_numbered_and_numbers_brought_to_one_scale():
    rows = {"id": [1, 2, 3], "text": [*"abc"], "kind": ["x|y", ["y"], None], "year": [1, None, "3"]}
    found = traits_of(catalogue(rows), ["kind"], ["year"])
    assert list(found.names) == ["kind=x", "kind=y"]
    assert found.categories.tolist() == [[1, 2], [2, 0], [0, 0]]
    assert found.numbers[:, 0].tolist() == pytest.approx([-1, 0, 1])  # mean 2, deviation 1; 0 where it is missing


def test_likes_are_counted_and_new_ones_weigh_more(tmp_path):
    """Times 0 … 10; half a life is a fifth of that, so a like at 8 counts 1/2, one at 0 counts 1/32."""
    found = catalogue().counted([([0], 0.0), ([1, 0], 8.0), ([1], 10.0)], 0.2)
    assert found.likes.tolist() == [2, 2, 0, 0]
    assert found.recent.tolist() == pytest.approx([1 / 32 + 1 / 2, 1 / 2 + 1, 0, 0])
    found.save(tmp_path)
    again = open_catalogue(tmp_path)
    assert (list(again.ids), again.likes.tolist()) == (["a", "b", "c", "d"], [2, 2, 0, 0])
    assert again.payload(0) == {"kind": "x|y"}


def test_rows_without_times_are_all_alike():
    assert catalogue().counted([([0], None), ([0], None)], 0.2).recent.tolist() == [2, 0, 0, 0]


# rows


@pytest.mark.parametrize(
    "cell",
    [["a", "c"], ("a", "c"), np.array(["a", "c"]), '["a", "c"]', "a, c", "a|c", "a c", "[a, c]", "a，c"],
)
def test_ids_come_as_lists_or_texts(cell):
    assert ids_of(cell, "history") == ["a", "c"]


def test_an_empty_cell_holds_no_id():
    assert [ids_of(cell, "history") for cell in (None, "", " ", [], float("nan"), "[]")] == [[]] * 6
    assert ids_of([1, 2.0], "history") == ["1", "2"]


def test_what_is_no_id_is_told():
    with pytest.raises(ValueError, match=r"^'history' must be an id or a list of ids; got 1\.5\.$"):
        ids_of([1.5], "history")


def test_a_row_is_read_as_numbers_with_the_last_texts():
    row = opened().read({"history": "a b", "item": "c", "negatives": ["d"], "time": "1970-01-02", "user": 7}, True)
    assert (row["history"], row["items"], row["negatives"]) == ([0, 1], [2], [3])
    assert (row["text"], row["time"]) == ("red; blue", 86400.0)


def test_the_same_like_of_another_user_or_time_is_no_copy():
    rows = [{"item": "a", "time": time, "user": user} for time, user in ((1, "u"), (1, "v"), (2, "u"), (1, "u"))]
    contents = [opened().read(row, True)["content"] for row in rows]
    assert len(set(contents)) == 3
    assert contents[0] == contents[3]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"history": "a, bb", "item": "c"}, "the item 'bb' is not in the catalogue. Did you mean 'b'? It has 4 items."),
        ({"history": "a", "item": ""}, "'item' is empty; give the id of what was liked, or take the row out."),
        ({"item": "zzz"}, "the item 'zzz' is not in the catalogue. It has 4 items."),
        ({"item": "c", "negatives": "d c"}, "the item 'c' is among the 'negatives' too; take it out there."),
        (
            {"history": "c", "item": "c"},
            "the item 'c' is in the 'history' too, which is not recommended again; take the row out.",
        ),
        ({"item": "c", "among": "a d"}, "the item 'c' is not 'among' what may be recommended."),
        ({"item": "c", "time": "soon"}, "'time' 'soon' is not a time; write ISO dates such as 2024-01-31 or"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_in_one_sentence(values, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace(".", r"\.").replace("?", r"\?")):
        opened().read(values, True)


def test_an_unknown_id_of_a_history_is_told_in_the_answer():
    row = opened().read({"history": "a, zz, b"}, False)
    assert (row["history"], row["unknown"]) == ([0, 1], ["zz"])


# candidates and the loss


def test_all_liked_items_and_the_rows_own_are_candidates():
    """Nobody liked c and d; d is the gold of a row."""
    features = [row_feature([0], 5, [1], []), row_feature([], 5, [3], [])]
    batch = batch_of(features, 0, np.array([5.0, 2.0, 0.0, 0.0])).to("cpu")
    assert batch.inputs["candidates"].tolist() == [0, 1, 3]
    assert batch.inputs["history"].tolist() == [[0], [-1]]
    assert batch.targets["gold"].tolist() == [[1], [2]]
    assert batch.targets["seen"].tolist() == [[0], [3]]  # 3: no column
    scores = torch.tensor([[9.0, 1.0, 9.0], [1.0, 2.0, 3.0]])
    # the first row has liked a already and d is another row's own: only its gold is left
    expected = (0 + log(exp(1) + exp(2) + exp(3)) - 3) / 2
    assert preference_loss(scores, batch.targets, 0.0).item() == pytest.approx(expected, abs=1e-5)


def test_a_drawn_item_stands_for_those_that_were_not():
    """Two rows draw one each, with weights 1:1: an item is among the two with a chance of 3/4."""
    features = [{**row_feature([], 5, [2], []), "drawn": np.array([1], np.int32)} for _ in range(2)]
    batch = batch_of(features, 0, np.array([1.0, 1.0, 0.0, 0.0])).to("cpu")
    assert batch.inputs["candidates"].tolist() == [1, 2]
    assert batch.targets["offsets"][0].item() == pytest.approx(log(4 / 3))
    scores = torch.tensor([[0.5, 0.0], [0.5, 0.0]])
    assert preference_loss(scores, batch.targets, 0.0).item() == pytest.approx(log(1 + exp(0.5) * 4 / 3), abs=1e-6)


def test_popular_items_are_drawn_more_often_unless_all_alike():
    rows = [{"items": [0], "time": None}] * 16 + [{"items": [1], "time": None}]
    features = [row_feature([], 5, [2], [])] * 500
    for kind, share in (("likes", 16**0.75 / (16**0.75 + 1)), ("even", 0.5)):
        task = opened(negatives=4, negatives_by=kind)
        task = task._with(task.catalogue.counted([(row["items"], None) for row in rows], 0.1), None, None)
        drawn = np.concatenate([one["drawn"] for one in task.varied(features, np.random.default_rng(1))])
        assert len(drawn) == 2000
        assert set(drawn.tolist()) == {0, 1}
        assert np.mean(drawn == 0) == pytest.approx(share, abs=0.03)


def test_a_small_catalogue_is_compared_whole_unless_a_number_is_said():
    features = [row_feature([], 5, [2], [])]
    assert opened().varied(features, np.random.default_rng(1)) is features


def test_an_item_without_a_weight_is_never_drawn():
    drawn = with_drawn([row_feature([], 5, [0], [])], 100, np.array([0.0, 1.0, 0.0]), np.random.default_rng(0))
    assert set(drawn[0]["drawn"].tolist()) == {1}


def test_what_was_shown_and_not_chosen_counts_as_much_as_all_others():
    features = [row_feature([], 5, [0], [1])]
    batch = batch_of(features, 0, np.array([1.0, 1.0, 1.0, 0.0])).to("cpu")
    among_all, among_shown = log(exp(1) + exp(2) + exp(3)) - 1, log(exp(1) + exp(2)) - 1
    scores = torch.tensor([[1.0, 2.0, 3.0]])
    expected = (among_all + among_shown) / 2
    assert preference_loss(scores, batch.targets, 0.0).item() == pytest.approx(expected, abs=1e-6)


def test_several_gold_items_share_the_loss_and_smoothing_spreads_over_the_allowed():
    features = [row_feature([3], 5, [0, 1], [])]
    batch = batch_of(features, 0, np.array([1.0, 1.0, 1.0, 1.0])).to("cpu")
    scores = torch.tensor([[1.0, 2.0, 3.0, 50.0]])
    total = log(exp(1) + exp(2) + exp(3))
    plain = total - (1 + 2) / 2
    assert preference_loss(scores, batch.targets, 0.0).item() == pytest.approx(plain, abs=1e-5)
    smooth = 0.9 * plain + 0.1 * (total - 2)
    assert preference_loss(scores, batch.targets, 0.1).item() == pytest.approx(smooth, abs=1e-5)


# the network


def readout(users="mean", id_dropout=0.0, history=3):
    torch.manual_seed(3)
    made = PreferenceReadout(6, Shape(4, 2, 2, 1), Design(8, users, history, 0.0, id_dropout))
    texts = torch.nn.functional.normalize(torch.randn(4, 6), dim=1)
    categories = torch.tensor([[1, 2], [2, 0], [0, 0], [1, 0]])
    made.fill(texts, categories, torch.randn(4, 1), torch.tensor([3.0, 1.0, 0.0, 2.0]))
    return made


@pytest.mark.parametrize("users", ["mean", "attention", "transformer"])
def test_scores_are_the_products_of_users_and_items(users):
    made = readout(users).eval()
    history = torch.tensor([[-1, -1, -1], [-1, 0, 2], [2, 3, 1]])
    scores = made(None, {"history": history, "candidates": torch.arange(4)})
    products = score(made(None, {"history": history}), made(None, {"items": torch.arange(4)}), made.texts)
    assert torch.allclose(scores, products, atol=1e-5)
    assert torch.isfinite(scores).all()


def test_a_score_adds_what_was_learned_popularity_and_likeness():
    users = np.array([[2.0, 3.0, 1.0, 0.6, 0.8]])  # two numbers, 1, a text
    items = np.array([[1.0, -1.0, 0.5, 10.0], [0.0, 1.0, 0.0, 0.0]])
    assert score(users, items, np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == [[2 - 3 + 0.5 + 10 * 0.6, 3.0]]


@pytest.mark.parametrize("users", ["mean", "attention", "transformer"])
def test_room_before_a_history_changes_nothing(users):
    made = readout(users).eval()
    short, long = torch.tensor([[0, 2]]), torch.tensor([[-1, 0, 2]])
    assert torch.allclose(made(None, {"history": short}), made(None, {"history": long}), atol=1e-6)


def test_order_matters_to_all_but_the_mean():
    one, other = torch.tensor([[0, 1, 3]]), torch.tensor([[3, 1, 0]])
    for users, is_same in (("mean", True), ("attention", False), ("transformer", False)):
        made = readout(users).eval()
        assert torch.allclose(made(None, {"history": one}), made(None, {"history": other}), atol=1e-6) is is_same


def test_an_item_that_nobody_liked_has_no_vector_of_its_own():
    made = readout().eval()
    before = made(None, {"items": torch.arange(4)})
    with torch.no_grad():
        made.item.id.weight.add_(1.0 * torch.randn_like(made.item.id.weight))
        made.item.own_bias.weight.add_(1.0)
    after = made(None, {"items": torch.arange(4)})
    assert torch.allclose(before[2], after[2])
    assert not torch.allclose(before[0], after[0])


def test_training_hides_ids_as_often_as_it_is_told():
    made = readout(id_dropout=1.0)
    hidden = made(None, {"items": torch.arange(4)})
    with torch.no_grad():
        made.item.id.weight.add_(1.0)
    assert torch.allclose(made(None, {"items": torch.arange(4)}), hidden)


# rankings and the second stage


@pytest.fixture
def stages():
    """Scores of a user: 4, 3, 2, 1, as likeness does not count; texts: the first two alike, the last two alike."""
    texts = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    vectors = np.array([[4, 0], [3, 0], [2, 0], [1, 0]], np.float32)
    categories = np.array([[1], [1], [2], [2]], np.int32)
    return Stages(vectors, texts, categories, np.array([1.0, 1, 1, 1]), np.array([1.0, 1, 1, 1]))


def test_a_history_is_not_recommended_and_places_are_told(stages):
    (found,) = stages.ranked(Asked(USER, [[0]], [[3, 1]], [[]]))
    assert (found.items.tolist(), found.scores.tolist(), found.n) == ([1, 2, 3], [3, 2, 1], 3)
    assert found.places.tolist() == [2, 0]


def test_a_history_of_everything_leaves_nothing(stages):
    (found,) = stages.ranked(Asked(USER, [[0, 1, 2, 3]], [[]], [[]]))
    assert (found.items.tolist(), found.n) == ([], 0)


def test_only_what_may_be_recommended_is_ranked(stages):
    (found,) = stages.ranked(Asked(USER, [[0]], [[3]], [[0, 2, 3]]))
    assert (found.items.tolist(), found.places.tolist(), found.n) == ([2, 3], [1], 2)


def test_weights_mix_the_score_with_other_traits(stages):
    weights = np.zeros(len(TRAITS))
    weights[TRAITS.index("text likeness")] = 1.0
    mixed = Stages(stages.vectors, stages.texts, stages.categories, stages.likes, stages.recent, weights)
    (found,) = mixed.ranked(Asked(USER, [[3]], [[2]], [[]]))
    assert found.items.tolist() == [2, 0, 1]
    assert found.places.tolist() == [0]


def test_traits_by_hand(stages):
    found = dict(zip(TRAITS, stages.traits(np.arange(4.0), np.array([0, 2]), [1, 2, 3]).T.tolist(), strict=True))
    assert found["score"] == [0, 2]
    assert found["text likeness"] == pytest.approx([1 / 3, 2 / 3])
    assert found["text likeness to the newest"] == [0, 1]
    assert found["shared categories"] == pytest.approx([1 / 5**0.5, 2 / 5**0.5])  # the history has 1 and 2 of each
    assert found["likes"] == pytest.approx([log(2)] * 2)
    assert found["recent likes without a history"] == [0, 0]


def dev_rows(n, is_helpful):
    """Users who want what is like their history in text, or, not `is_helpful`, what the score says already."""
    draw = np.random.default_rng(0)
    history = [[int(draw.integers(4))] for _ in range(n)]
    twin = {0: 1, 1: 0, 2: 3, 3: 2}
    wanted = [[twin[past[0]] if is_helpful else min({0, 1} - {past[0]})] for past in history]
    return Asked(np.repeat(USER, n, axis=0), history, wanted, [[]] * n)


def test_the_second_stage_is_kept_where_it_helps_and_comes_back_from_disk(stages, tmp_path):
    asked = dev_rows(400, True)
    tuned = stages.tuned(asked)
    assert tuned.weights is not None
    assert gain(list(tuned.ranked(asked))) > 0.99 > gain(list(stages.ranked(asked)))
    tuned.save(tmp_path)
    vectors, texts, weights = open_vectors(tmp_path)
    assert weights.tolist() == pytest.approx(tuned.weights.tolist())
    assert np.array_equal(vectors, stages.vectors)
    assert np.array_equal(texts, stages.texts)


def test_the_second_stage_is_left_out_where_it_cannot_help_or_be_tried(stages):
    assert stages.tuned(dev_rows(400, False)).weights is None
    assert stages.tuned(dev_rows(100, True)).weights is None


def test_the_second_stage_can_be_turned_off(stages):
    asked = dev_rows(400, True)
    task = opened(second_stage="off")._with(catalogue(), None, stages)
    rows = [
        Answered({"history": past, "items": want, "among": []}, [], [user])
        for user, past, want in zip(asked.users, asked.histories, asked.wanted, strict=True)
    ]
    assert task.tuned(rows)._stages.weights is None
    assert opened()._with(catalogue(), None, stages).tuned(rows)._stages.weights is not None


def test_weights_of_rows_that_never_find_what_is_wanted_leave_the_score_alone():
    assert fitted([(np.ones((2, len(TRAITS))), np.zeros(2, bool))]).tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_damaged_vectors_are_refused(tmp_path):
    (tmp_path / "vectors.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match=r": does not hold the vectors of a catalogue \(.*\); copy the bundle again\.$"):
        open_vectors(tmp_path)
