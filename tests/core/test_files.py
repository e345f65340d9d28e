from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.core.files import (
    disk_faults,
    new_folder,
    read_json,
    refuse_folder,
    refuse_occupied,
    sha256_of,
    write_bytes,
    write_json,
)


def test_a_file_is_replaced_whole_and_leaves_no_neighbour(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_neighbour(tmp_path, monkeypatch, call):
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")

    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "fsync":
        monkeypatch.setattr("os.fsync", fail)
    else:
        monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises((UserError, OSError)):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_json_takes_arrays_and_comes_back(tmp_path):
    write_json(tmp_path / "a.json", {"a": np.arange(3), "b": np.float32(0.5), 1: "中"})
    assert read_json(tmp_path / "a.json") == {"a": [0, 1, 2], "b": 0.5, "1": "中"}


@pytest.mark.parametrize("content", [b"{", b"\xff", None])
def test_damaged_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json: cannot be read as JSON \("):
        read_json(path)


def test_a_folder_appears_only_when_it_is_complete(tmp_path):
    with new_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("x")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "x"
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "out").mkdir()
    with new_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("x")
    assert (tmp_path / "out" / "a").exists()


def test_a_folder_whose_making_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="stop"), new_folder(tmp_path / "out"):
        raise ValueError("stop")
    assert os.listdir(tmp_path) == []


def test_a_file_of_a_new_folder_that_the_disk_refuses_is_named_where_it_would_have_been(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(UserError) as caught, new_folder(tmp_path / "out") as folder:
        write_bytes(folder / "report" / "a.json", b"x")
    assert str(caught.value) == (
        f"{tmp_path}/out/report/a.json: cannot be written: the disk is full; "
        "free some space and run the same command again."
    )
    assert os.listdir(tmp_path) == []


def test_a_parent_that_cannot_be_made_is_a_sentence(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(UserError) as caught:
        write_bytes(tmp_path / "deep" / "a", b"x")
    assert str(caught.value) == (
        f"{tmp_path}/deep/a: cannot be written: the file system is read-only; choose another folder."
    )


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(UserError, match=r": the folder is not empty; choose another, or remove it first\.$"):
        refuse_occupied(tmp_path)


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(UserError, match=r"a: is a file, not a folder; choose another place\.$"):
        refuse_occupied(tmp_path / "a")


def test_a_parent_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match=rf"out: the folder {tmp_path} cannot be written; choose another place\.$"):
        refuse_occupied(tmp_path / "out")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full; free some space and run the same command again"),
        (errno.EDQUOT, "the disk quota is used up; free some space and run the same command again"),
        (errno.EACCES, "permission denied; choose a folder that you may write"),
        (errno.EPERM, "permission denied; choose a folder that you may write"),
        (errno.EROFS, "the file system is read-only; choose another folder"),
    ],
)
def test_refusals_of_the_disk_become_a_sentence(tmp_path, number, reason):
    with pytest.raises(UserError) as caught, disk_faults(tmp_path):
        raise OSError(number, "x")
    assert str(caught.value) == f"{tmp_path}: cannot be written: {reason}."


@pytest.mark.parametrize(
    ("number", "file"), [(errno.EINTR, None), (errno.ENOENT, "a/missing"), (errno.ENOTDIR, "a"), (errno.EEXIST, "b")]
)
def test_other_errors_of_the_system_are_left_alone(tmp_path, number, file):
    with pytest.raises(OSError, match="x"), disk_faults(tmp_path / "folder"):
        raise OSError(number, "x", file)


def test_a_folder_in_the_place_of_a_file_is_a_sentence(tmp_path):
    with pytest.raises(UserError) as caught:
        write_bytes(tmp_path, b"x")
    assert str(caught.value) == f"{tmp_path}: cannot be written: it is a folder; name a file in it."
    with pytest.raises(UserError) as caught:
        refuse_folder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a folder; name a file in it."
    refuse_folder(tmp_path / "a")


@pytest.mark.parametrize("below", ["a", "deep/a"])
def test_a_path_below_a_file_is_a_sentence(tmp_path, below):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / below
    reason = f"a part of the path, {tmp_path}/file, is a file; choose another place."
    with pytest.raises(UserError) as caught:
        write_bytes(path, b"x")
    assert str(caught.value) == f"{path}: cannot be written: {reason}"
    with pytest.raises(UserError) as caught:
        refuse_occupied(path)
    assert str(caught.value) == f"{path}: {reason}"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a system without /proc")
@pytest.mark.parametrize("name", ["no-such-folder/a", "no-such-file"])
def test_a_place_where_nothing_can_be_made_is_a_sentence(name):
    with pytest.raises(UserError) as caught:
        write_bytes(Path("/proc") / name, b"x")
    assert str(caught.value) == f"/proc/{name}: cannot be written: nothing can be made there; choose another folder."


def test_the_hash_is_that_of_the_content(tmp_path):
    content = b"x" * 3_000_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("is_private", [True, False])
def test_a_private_file_is_its_owners_alone(tmp_path, is_private):
    before = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a", b"x", is_private=is_private)
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == (0o600 if is_private else 0o644)
