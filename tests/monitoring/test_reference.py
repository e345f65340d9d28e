import json

from tests.monitoring.made import drawn

from burnish.monitoring.reference import Reference


def test_it_holds_the_answers_and_the_accuracy():
    found = Reference.of(drawn(60), accuracy=0.9)
    assert (found.answers.n_rows, found.accuracy) == (60, 0.9)


def test_json_gives_it_back():
    found = Reference.of(iter(drawn(60)), accuracy=None)
    assert Reference.of_dict(json.loads(json.dumps(found.to_dict()))).to_dict() == found.to_dict()


def test_however_many_rows_it_stays_small():
    assert len(json.dumps(Reference.of(drawn(3000)).to_dict())) < 60_000
