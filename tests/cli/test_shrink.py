"""`shrink` and `export` on the command line: what is passed on, what is printed, how they end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.compression.test_frontier import candidate, frontier

from burnish.core.errors import UserError
from burnish.core.events import Message

CHOSEN = frontier(candidate("int8_static", 1234.5), candidate("static", 9999, most_drop=3), chosen="int8_static",
                  refused={"static": ["may lose 3.00 points; 0.5 are allowed"]})  # fmt: skip
MISSED = SimpleNamespace(name="accuracy", condition=">= 0.9", value=0.85, is_passed=False)
USUAL = {"max_drop": 0.5, "target_ms": None, "target_mb": None, "keep": {}}


def result(found=CHOSEN, gates=()):
    report = SimpleNamespace(scores={"accuracy": 0.85}, gates=list(gates))
    is_written = found.chosen is not None
    return SimpleNamespace(
        frontier=found, bundle=Path("runs/x-small") if is_written else None, report=report if is_written else None
    )


def test_shrink_prints_what_was_tried_then_the_scores_and_where_the_bundle_is(burnish, flow):
    calls = flow("shrink", lambda *a, **k: result())
    ended = burnish("shrink", "runs/x")
    assert calls == [((Path("runs/x"), ()), {"out": None, "ways": (), **USUAL})]
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "   way           score   drop  at most  texts/s    ms  p99 ms    MB  same answers",
        "   as judged    0.9000  +0.00    +0.00       10  2.00    3.00  20.0",
        "→  int8_static  0.9000  +0.20    +0.40    1,234  2.00    3.00  20.0",
        "✗  static       0.9000  +0.20    +3.00    9,999  2.00    3.00  20.0",
        "accuracy  0.8500",
    ]
    assert ended.err == "The bundle is in runs/x-small. What was tried: runs/x-small/report/shrink.html\n"


def test_every_option_reaches_the_verb(burnish, flow):
    calls = flow("shrink", lambda *a, **k: result())
    burnish(
        *("shrink", "runs/x", "data.train=rows.csv", "--out", "small", "--try", "vocabulary, int8_static"),
        *("--try", "thorough", "--max-drop", "1", "--target-ms", "2.5", "--target-mb", "20"),
        *("--keep", "refund>=0.9", "--keep", "other label >= .5"),
    )
    [(args, options)] = calls
    assert args == (Path("runs/x"), ("data.train=rows.csv",))
    assert options == {
        "out": Path("small"),
        "ways": ["vocabulary, int8_static", "thorough"],
        "max_drop": 1.0,
        "target_ms": 2.5,
        "target_mb": 20.0,
        "keep": {"refund": 0.9, "other label": 0.5},
    }


def test_where_nothing_fits_the_table_is_printed_and_the_exit_code_is_3(burnish, flow):
    flow("shrink", lambda *a, **k: result(frontier(candidate("static"), refused={"static": ["x"]})))
    ended = burnish("shrink", "runs/x")
    assert ended.code == 3
    assert "✗  static" in ended.out
    assert ended.err == "nothing keeps to the budget; allow a larger --max-drop, or try other ways with --try.\n"


def test_where_dev_rows_are_too_few_to_tell_that_is_said(burnish, flow):
    small = candidate("static", drop=0.1, most_drop=3.9)
    flow("shrink", lambda *a, **k: result(frontier(small, refused={"static": ["x"]})))
    assert burnish("shrink", "runs/x").err == (
        "nothing keeps to the budget: 1,234 dev rows cannot tell so small a drop from chance; give more of them, or "
        "allow a larger --max-drop.\n"
    )


def test_a_gate_that_the_small_model_misses_ends_with_3(burnish, flow):
    flow("shrink", lambda *a, **k: result(gates=[MISSED]))
    ended = burnish("shrink", "runs/x")
    assert ended.code == 3
    assert ended.err.endswith("The result misses a gate: accuracy is 0.8500, wanted >= 0.9.\n")


@pytest.mark.parametrize("said", ["refund", "refund>0.9", "refund>=", "refund>=much", "refund>=0.9.1", "refund>=²"])
def test_a_keep_that_cannot_be_read_ends_with_2(said, burnish, flow):
    calls = flow("shrink", lambda *a, **k: result())
    ended = burnish("shrink", "runs/x", "--keep", said)
    assert (ended.code, ended.out, calls) == (2, "", [])
    assert ended.err == f"--keep '{said}': must read like 'refund>=0.9', a label and the least F1 of it.\n"


def test_what_the_verb_refuses_ends_with_2_and_no_traceback(burnish, flow):
    def refuse(*_, **__):
        raise UserError("runs/x: was shrunk before; shrink the bundle that it was made from.")

    flow("shrink", refuse)
    ended = burnish("shrink", "runs/x")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "runs/x: was shrunk before; shrink the bundle that it was made from.\n"


def test_ctrl_c_says_how_to_start_again(burnish, flow):
    def stop(*_, **__):
        raise KeyboardInterrupt

    flow("shrink", stop)
    ended = burnish("shrink", "runs/x", "--max-drop", "1")
    assert ended.code == 130
    said = "Stopped; nothing half-written is left. Start again with: burnish shrink runs/x --max-drop 1"
    assert ended.err.strip().removeprefix("warning: ") == said


def exported(difference=3e-6):
    parity = None if difference is None else SimpleNamespace(n_edge=200, largest_difference=difference)
    return SimpleNamespace(folder=Path("out"), parity=parity)


def test_export_tells_how_it_was_checked_and_where_it_is(burnish, flow):
    calls = flow("export", lambda *a, **k: exported())
    ended = burnish("export", "runs/x", "--format", "openvino", "--out", "out")
    assert calls == [((Path("runs/x"), "openvino"), {"out": Path("out")})]
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == (
        "It answers 200 texts as the judged model does; no number differs by more than 3e-06.\nThe export is in out.\n"
    )


def test_a_format_takes_settings_and_one_that_nothing_here_runs_is_told(burnish, flow):
    calls = flow("export", lambda *a, **k: exported(None))
    ended = burnish("export", "runs/x", "--format", "{name: gguf, converter: c.py}", "-o", "out")
    assert calls[0][0][1] == {"name": "gguf", "converter": "c.py"}
    assert "Nothing here runs this format, so it was not held against the judged model." in ended.err


def test_a_format_that_cannot_be_read_ends_with_2(burnish, flow):
    calls = flow("export", lambda *a, **k: exported())
    ended = burnish("export", "runs/x", "--format", "{name: gguf", "-o", "out")
    assert (ended.code, calls) == (2, [])
    assert ended.err.startswith("--format '{name: gguf': cannot be read (")


def test_a_message_of_the_search_is_told_while_it_goes_on(burnish, flow):
    def tell(*_, listen, **__):
        listen(Message("int8_static …"))
        return result()

    flow("shrink", tell)
    assert burnish("shrink", "runs/x").err.startswith("int8_static …\n")
