"""hub: streamed through `datasets`, without a network in these tests."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from burnish.core import settings as settings_file
from burnish.core.errors import UserError
from burnish.data.sources._contract import Row
from burnish.data.sources.hub import Hub


class Stream(list[dict[str, Any]]):
    features: Any = None


def fake(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load))


def test_rows_are_streamed_with_names_for_class_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    stream = Stream([{"text": "a", "label": 1}, {"text": "b", "label": None}])
    stream.features = {"text": SimpleNamespace(), "label": SimpleNamespace(names=["no", "yes"])}

    def load(*names: Any, **options: Any) -> dict[str, Stream]:
        asked.append((names, options))
        return {"validation": stream}

    fake(monkeypatch, load)
    source = Hub(id="clinc/clinc_oos", split="validation", config="small", revision="abc")
    assert list(source.rows()) == [Row(1, {"text": "a", "label": "yes"}), Row(2, {"text": "b", "label": None})]
    assert asked == [(("clinc/clinc_oos",), {"name": "small", "revision": "abc", "streaming": True})]
    assert source.place() == "hub:clinc/clinc_oos:validation"
    assert source.facts() == {"hub": "clinc/clinc_oos", "split": "validation", "revision": "abc"}


def test_the_real_library_streams_with_names() -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"label": datasets.ClassLabel(names=["no", "yes"])})
    stream = datasets.Dataset.from_dict({"label": [1, 0]}, features=features).to_iterable_dataset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load_dataset", lambda *_, **__: {"train": stream})
        assert [row.values for row in Hub(id="x").rows() if isinstance(row, Row)] == [{"label": "yes"}, {"label": "no"}]


def test_no_network_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach 'clinc/clinc_oos' on the Hub.\nmore")

    fake(monkeypatch, load)
    with pytest.raises(UserError) as caught:
        list(Hub(id="clinc/clinc_oos").rows())
    assert str(caught.value) == (
        "hub:clinc/clinc_oos:train: cannot be read from the hub (ConnectionError: Couldn't reach 'clinc/clinc_oos' on "
        "the Hub); check the name and the network (HF_ENDPOINT names a mirror), "
        "or save the data set as a file and name that."
    )


def test_a_missing_split_is_hinted(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, lambda *_, **__: {"train": Stream(), "validation": Stream()})
    with pytest.raises(
        UserError, match=r"there is no split 'validatio'. Did you mean 'validation'\? It has: train, vali"
    ):
        list(Hub(id="x", split="validatio").rows())


def test_an_empty_split_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, lambda *_, **__: {"train": Stream()})
    with pytest.raises(UserError, match="hub:x:train: has no rows"):
        list(Hub(id="x").rows())


def test_offline_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("burnish.data.sources.hub.settings", lambda: settings_file.Settings(offline=True))
    with pytest.raises(UserError, match="BURNISH_OFFLINE is set; unset it, or save the data set as a file"):
        list(Hub(id="x").rows())


def test_without_the_library_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'burnish\[hub\]'"):
        list(Hub(id="x").rows())


@pytest.mark.parametrize("name", ["a/b/c", "../x", "http://x", "", "a b"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="reads like 'owner/name'"):
        Hub(id=name)
