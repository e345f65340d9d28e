"""The feature store: integers on disk, read back by index."""

import errno

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data import features as features_module
from burnish.data.features import FeatureStore, FeatureWriter, cost_of


def written(folder, features):
    with FeatureWriter(folder) as writer:
        for row, feature in enumerate(features):
            writer.add(row * 10, feature)
    return FeatureStore(folder)


ints = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=6)
feature = ints.flatmap(
    lambda ids: st.fixed_dictionaries(
        {
            "input_ids": st.just(ids),
            "tags": st.lists(st.integers(0, 5), min_size=len(ids), max_size=len(ids)),
            "labels": st.lists(st.integers(0, 9), max_size=3),
            "label": st.lists(st.integers(0, 9), min_size=1, max_size=1),
        }
    )
)


@settings(max_examples=60, deadline=None)
@given(features=st.lists(feature, min_size=1, max_size=8), data=st.data())
def test_what_was_added_is_read_in_the_asked_order(tmp_path_factory, features, data):
    store = written(tmp_path_factory.mktemp("store"), features)
    chosen = data.draw(st.lists(st.integers(0, len(features) - 1), max_size=12))
    read = [{name: values.tolist() for name, values in one.items()} for one in store.read(chosen)]
    assert read == [features[at] for at in chosen]
    assert store.lengths.tolist() == [len(one["input_ids"]) for one in features]
    assert store.rows.tolist() == [10 * at for at in range(len(features))]
    assert len(store) == len(features)


def test_lengths_are_stored_only_where_they_say_something(tmp_path):
    features = [{"input_ids": [1] * n, "tags": [2] * n, "label": [3], "kinds": [4] * (n - 2)} for n in (3, 5, 4)]
    store = written(tmp_path / "s", features)
    assert {file.name for file in store.folder.glob("*.lengths.i32")} == {"input_ids.lengths.i32", "kinds.lengths.i32"}
    assert store.names == ["input_ids", "tags", "label", "kinds"]


def test_features_are_writable_int32_arrays(tmp_path):
    [one] = written(tmp_path / "s", [{"input_ids": np.array([5, 6], np.int64), "label": (1,)}]).read([0])
    assert one["input_ids"].dtype == np.int32
    one["input_ids"][0] = 9
    assert one["input_ids"].tolist() == [9, 6]


def test_an_empty_store_is_a_store(tmp_path):
    store = written(tmp_path / "s", [])
    assert (len(store), store.read([])) == (0, [])


def test_more_values_than_the_buffer_holds_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(features_module, "FLUSH_VALUES", 4)
    store = written(tmp_path / "s", [{"input_ids": range(n, n + 3)} for n in range(50)])
    assert [one["input_ids"].tolist() for one in store.read([0, 49])] == [[0, 1, 2], [49, 50, 51]]


def test_every_feature_has_the_same_fields(tmp_path):
    with FeatureWriter(tmp_path / "s") as writer:
        writer.add(0, {"input_ids": [1], "label": [0]})
        with pytest.raises(
            ValueError, match=r"a feature has the fields \['input_ids'\], expected \['input_ids', 'label'\]"
        ):
            writer.add(1, {"input_ids": [1]})


def test_a_feature_needs_input_ids(tmp_path):
    with FeatureWriter(tmp_path / "s") as writer, pytest.raises(ValueError, match="expected input_ids"):
        writer.add(0, {"label": [1]})


def test_an_unfinished_store_is_refused(tmp_path):
    def stop():
        yield {"input_ids": [1]}
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        written(tmp_path / "s", stop())
    with pytest.raises(UserError, match="the prepared data was not finished; remove the folder and run again"):
        FeatureStore(tmp_path / "s")


def test_starting_again_over_a_finished_store_makes_it_unfinished(tmp_path):
    written(tmp_path / "s", [{"input_ids": [1]}])
    with FeatureWriter(tmp_path / "s"), pytest.raises(UserError, match="was not finished"):
        FeatureStore(tmp_path / "s")


@pytest.mark.parametrize(("cut", "message"), [(True, "has 4 bytes, expected 12"), (False, "is missing, expected 12")])
def test_a_damaged_store_is_refused(tmp_path, cut, message):
    written(tmp_path / "s", [{"input_ids": [1, 2, 3]}])
    values = tmp_path / "s" / "values.i32"
    if cut:
        values.write_bytes(values.read_bytes()[:4])
    else:
        values.unlink()
    with pytest.raises(UserError, match=message):
        FeatureStore(tmp_path / "s")


def test_a_store_of_another_format_is_refused(tmp_path):
    written(tmp_path / "s", [{"input_ids": [1]}])
    index = tmp_path / "s" / "index.json"
    index.write_text(index.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(UserError, match="the prepared data has format 99, not 2"):
        FeatureStore(tmp_path / "s")


def test_a_store_cut_while_open_is_noticed(tmp_path):
    store = written(tmp_path / "s", [{"input_ids": [1, 2, 3]}])
    (tmp_path / "s" / "values.i32").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        store.read([0])
    assert str(caught.value) == (f"{tmp_path}/s: the prepared data was cut while it was read; run again to rebuild it.")


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def refuse(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(features_module._Int32File, "flush", refuse)
    with pytest.raises(UserError, match="the disk is full"):
        written(tmp_path / "s", [{"input_ids": [1]}])


def test_what_is_no_text_says_what_it_costs(tmp_path):
    features = [{"n_units": [4], "pixels": [1, 2, 3]}, {"n_units": [9], "pixels": [4, 5]}]
    with FeatureWriter(tmp_path) as writer:
        for row, feature in enumerate(features):
            writer.add(row, feature)
    store = FeatureStore(tmp_path)
    assert store.lengths.tolist() == [4, 9]
    assert [one["pixels"].tolist() for one in store.read([1, 0])] == [[4, 5], [1, 2, 3]]
    assert [cost_of(one) for one in features] == [4, 9]
    assert cost_of({"input_ids": [5, 6, 7]}) == 3


def test_features_of_several_kinds_have_fields_of_their_own(tmp_path):
    features = [
        {"input_ids": [1, 2], "kind": [1], "label": [3]},
        {"input_ids": [1], "kind": [2], "tags": [4]},
        {"input_ids": [5, 6, 7], "kind": [2], "tags": [4, 5, 6]},
        {"input_ids": [8], "kind": [1], "label": [9]},
    ]
    store = written(tmp_path / "s", features)
    read = [{name: values.tolist() for name, values in one.items()} for one in store.read([3, 2, 0, 1])]
    assert read == [features[3], features[2], features[0], features[1]]
    assert store.kinds.tolist() == [1, 2, 2, 1]


def test_features_of_one_kind_have_the_same_fields(tmp_path):
    with FeatureWriter(tmp_path / "s") as writer:
        writer.add(0, {"input_ids": [1], "kind": [1], "label": [0]})
        with pytest.raises(
            ValueError, match=r"has the fields \['input_ids', 'kind', 'tags'\], expected \['input_ids', 'k"
        ):
            writer.add(1, {"input_ids": [1], "kind": [1], "tags": [1]})


def test_features_of_no_kind_are_of_kind_0(tmp_path):
    assert written(tmp_path / "s", [{"input_ids": [1]}, {"input_ids": [2]}]).kinds.tolist() == [0, 0]
