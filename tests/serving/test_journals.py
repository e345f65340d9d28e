"""How far back goes what waits in journals."""

import math

from tests.store.conftest import prediction

from burnish.serving.journals import waits_since
from burnish.store.journal import Journal


def test_the_oldest_first_line_of_all_files_tells_since_when_something_waits(tmp_path):
    assert waits_since(tmp_path / "none") == math.inf
    first, second = (Journal(tmp_path, lambda records: None) for _ in range(2))
    assert waits_since(tmp_path) == math.inf
    first.add([prediction("p_1", at=70.0), prediction("p_2", at=80.0)])
    assert waits_since(tmp_path) == 70.0
    second.add([prediction("p_3", at=60.0)])
    assert waits_since(tmp_path) == 60.0
    second.close()
    assert waits_since(tmp_path) == 70.0
    first.close()
    assert waits_since(tmp_path) == math.inf


def test_a_damaged_line_is_passed_over(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"at"\n[]\n{"id": "p"}\n{"at": 5.0}\n{"at": 7')
    (tmp_path / "b.jsonl").write_text('{"at"')
    assert waits_since(tmp_path) == 5.0
