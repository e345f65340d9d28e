import pytest
from tests.monitoring.made import feedback, prediction

from burnish.monitoring.judging import is_right

SPAN = {"start": 0, "end": 2, "label": "城市"}
JOINT = prediction(
    label=None, answer={"mood": {"label": "good"}, "names": {"spans": [{**SPAN, "text": "上海", "confidence": 0.9}]}}
)
"""Of several tasks that share a model."""
TAGGED = prediction(label=None, answer={"spans": [{**SPAN, "text": "上海", "confidence": 0.9}]})
SEVERAL = prediction(label=None, answer={"labels": [{"label": "a", "confidence": 0.9}, {"label": "b"}]})


@pytest.mark.parametrize(
    ("kind", "value", "about", "wanted"),
    [
        ("accepted", True, None, True),
        ("accepted", False, prediction(), False),
        ("accepted", "yes", prediction(), None),
        ("label", "refund", prediction(), True),
        ("label", "退款", prediction(), False),
        ("label", ["refund"], prediction(), True),
        ("label", "refund", None, None),
        ("label", ["b", "a"], SEVERAL, True),
        ("label", ["a"], SEVERAL, False),
        ("spans", [SPAN], TAGGED, True),
        ("spans", [[SPAN["start"], SPAN["end"], SPAN["label"]]], TAGGED, True),
        ("spans", [[SPAN["start"], SPAN["end"] + 1, SPAN["label"]]], TAGGED, False),
        ("spans", {"names": [[SPAN["start"], SPAN["end"], SPAN["label"]]]}, JOINT, True),
        ("spans", {"names": []}, JOINT, False),
        ("label", {"mood": "good"}, JOINT, True),
        ("label", {"mood": "bad"}, JOINT, False),
        ("spans", [], TAGGED, False),
        ("spans", [{**SPAN, "end": 3}], TAGGED, False),
        ("spans", [SPAN], None, None),
        ("score", 3.0, prediction(answer={"score": 3.0}), None),
    ],
)
def test_feedback_confirms_or_corrects(kind, value, about, wanted):
    assert is_right(feedback(kind=kind, value=value), about) is wanted
