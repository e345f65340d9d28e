"""Predictions and feedback for tests."""

from burnish.store.records import Feedback, Prediction

LABELS = ("refund", "billing", "退款")


def predicted(answer, row=None, **more):
    """A prediction of `answer`, to the row that was asked; None: it was not kept."""
    given = {"id": "p1", "at": 100.0, "name": "intent", "version": 1, "key": "ann", "input_digest": "d1"}
    return Prediction(**{**given, "input": row, "answer": answer, **more})


def said(kind, value, **more):
    given = {"id": "f1", "at": 100.0, "prediction": "p1", "name": "intent", "version": 1, "key": "ann"}
    return Feedback(**{**given, "kind": kind, "value": value, **more})


def classified(label="refund", confidence=0.9, others=("billing",)):
    """What the task `classification` answers."""
    runners_up = [{"label": name, "confidence": (1 - confidence) / len(others)} for name in others]
    return {"label": label, "confidence": confidence, "abstained": False, "runners_up": runners_up}


def found(*spans):
    """What the task `tokens` answers."""
    more = {"text": "", "confidence": 0.9, "abstained": False}
    return {"spans": [{"start": start, "end": end, "label": label, **more} for start, end, label in spans]}
