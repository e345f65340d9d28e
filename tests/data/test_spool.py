import numpy as np
import pytest

from burnish.data.spool import TextSpool, pieces, pread


def test_texts_come_back_by_number_near_or_far(tmp_path):
    texts = ["", "héllo", "文本 😀", "x" * 3_000_000, "half \ud83d", "end"]
    with TextSpool(tmp_path / "work") as spool:
        for text in texts:
            spool.add(text)
        assert spool.read(np.arange(6)) == texts
        assert spool.read(np.array([1, 5])) == ["héllo", "end"]
        assert spool.read(np.array([], np.int64)) == []
        assert spool.sizes(np.array([0, 1])).tolist() == [0, 6]
    assert list((tmp_path / "work").iterdir()) == []


def test_pieces_hold_about_a_megabyte_and_miss_nothing():
    sizes = np.array([10, 2_000_000, 10, 10, 900_000, 900_000])
    cuts = list(pieces(sizes))
    assert [at for begin, end in cuts for at in range(begin, end)] == list(range(6))
    assert len(cuts) == 4
    assert list(pieces(np.array([], np.int64))) == []


def test_reading_past_the_end_is_an_error(tmp_path):
    path = tmp_path / "short"
    path.write_bytes(b"abc")
    with path.open("rb") as file, pytest.raises(EOFError, match="ends 2 bytes early"):
        pread(file.fileno(), 5, 0)
