import pytest

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow
from burnish.data.sources.flickr import Flickr

LINES = "a.jpg#0\tA dog runs .\na.jpg#1\tA brown dog\n\nb.jpg#0\tTwo men\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text(LINES)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "b.jpg").write_bytes(b"x")
    return path


def test_a_row_is_a_picture_with_all_its_captions(file):
    rows = list(Flickr(path=file).rows())
    assert [row.line for row in rows] == [1, 4]
    assert rows[0].values == {"image": "images/a.jpg", "text": ["A dog runs .", "A brown dog"]}
    assert Flickr(path=file).folder() == file.parent
    assert "encoding" in Flickr(path=file).facts()


def test_pictures_that_are_not_there_may_be_skipped_and_are_counted(file):
    source = Flickr(path=file, absent="skip")
    assert [row.values["image"] for row in source.rows()] == ["images/b.jpg"]
    assert source.facts()["pictures that are not there"] == "1 of 2, skipped"
    with pytest.raises(UserError, match=r"has no captions of pictures in .*elsewhere\.$"):
        list(Flickr(path=file, absent="skip", pictures="elsewhere").rows())


def test_a_line_of_another_form_is_told(file):
    file.write_text(LINES + "no caption\nlast#1\t\n\x00\n")
    bad = [row for row in Flickr(path=file).rows() if isinstance(row, BadRow)]
    assert [row.line for row in bad] == [5, 6, 7]
    assert bad[0].problem == "'no caption' is not a picture's name, #, a number, a tab and a caption."
    assert "NUL" in bad[2].problem
