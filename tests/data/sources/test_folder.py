"""A folder's files as rows, their columns cut from their paths."""

import pytest

from burnish.core.errors import UserError
from burnish.data.opening import open_sources


@pytest.fixture
def folder(tmp_path):
    for name in ("cat/b.png", "cat/a.png", "dog/c.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def rows(folder, **settings):
    (source,) = open_sources({"name": "folder", "path": folder, **settings})
    return source, [row.values for row in source.rows()]


def test_each_file_is_a_row_with_its_folder_as_the_label(folder):
    source, found = rows(folder)
    assert found == [
        {"file": "cat/a.png", "label": "cat", "name": "a.png"},
        {"file": "cat/b.png", "label": "cat", "name": "b.png"},
        {"file": "dog/c.png", "label": "dog", "name": "c.png"},
    ]
    assert (source.place(), source.folder()) == (str(folder), folder)
    assert source.facts() == {"files": "3 like {label}/{name}"}


def test_the_parts_of_a_name_are_columns(tmp_path):
    (tmp_path / "7_theo_12.wav").write_bytes(b"x")
    (tmp_path / "7_theo_12.txt").write_bytes(b"x")
    _, found = rows(tmp_path, names="{label}_{speaker}_{take}.wav")
    assert found == [{"file": "7_theo_12.wav", "label": "7", "speaker": "theo", "take": "12"}]


def test_a_folder_without_such_files_is_told(folder):
    source, _ = rows(folder)
    source = source.model_copy(update={"names": "{label}.wav"})
    with pytest.raises(UserError, match=r"no file in it has a path like '\{label\}\.wav'\.$"):
        list(source.rows())


@pytest.mark.parametrize("names", ["all.wav", "{a}/{a}", "{file}.wav"])
def test_names_without_parts_of_their_own_are_refused(folder, names):
    with pytest.raises(
        UserError, match=r"must name its parts once each, none of them `file`, e\.g\. \{label\}/\{name\}"
    ):
        rows(folder, names=names)


def test_a_file_or_nothing_in_place_of_the_folder_is_told(folder):
    with pytest.raises(UserError, match=r"notes\.txt: is a file; name the folder that holds the files\."):
        rows(folder / "notes.txt")
    with pytest.raises(UserError, match=r"there is no such file"):
        rows(folder / "nowhere")
