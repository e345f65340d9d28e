"""A path that is not a readable file gets one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.data.paths import led_from, require_file


def message_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        require_file(path)
    return str(caught.value)


def test_a_readable_file_passes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    require_file(tmp_path / "a.csv")


def test_a_missing_file_is_named_with_its_near_neighbour(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x")
    path = tmp_path / "trian.csv"
    assert message_of(path) == f"{path}: there is no such file in '{tmp_path}'. Did you mean 'train.csv'?"


def test_a_missing_folder_is_named_with_its_near_neighbour(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "dota" / "train.csv"
    assert message_of(path) == f"{path}: there is no folder '{path.parent}'. Did you mean 'data'?"
    deep = tmp_path / "no" / "such" / "train.csv"
    assert message_of(deep) == f"{deep}: there is no folder '{deep.parent}'."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert message_of(tmp_path) == f"{tmp_path}: is a folder; name a file in it."


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    assert message_of(path) == f"{path}: the file is empty (0 bytes)."


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert message_of(path) == (
        f"{path}: is neither a file nor a folder (a pipe or a device?); data is read twice, so save it."
    )


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may read everything
    assert message_of(path) == (
        f"{path}: may not be read (permission denied); change its permissions, or name another file."
    )


def test_paths_in_a_row_are_led_from_the_folder_of_its_file(tmp_path):
    row = {"image": "a/b.png", "label": "a/b.png", "bytes": b"x", "none": None, "far": "https://example.org/a.png"}
    led = led_from(tmp_path, row, ("image", "bytes", "none", "far", "absent"))
    assert led == {**row, "image": str(tmp_path / "a" / "b.png")}
    absolute = str(tmp_path / "c.png")
    assert led_from(tmp_path / "elsewhere", {"image": absolute}, ("image",)) == {"image": absolute}
    assert led_from(tmp_path, {"image": Path("c.png")}, ("image",)) == {"image": absolute}
