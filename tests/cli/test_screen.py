from __future__ import annotations

import io

import pytest

from burnish.cli.answers import print_table
from burnish.cli.say import has_colour, is_terminal, say
from burnish.cli.screen import Bars, shortened, watching
from burnish.cli.stages import Lines, Stage, duration, fitting
from burnish.core.events import Message, Progress
from burnish.tasks._choices import Classified
from burnish.tasks._writing import Written
from burnish.tasks.tokens import Tagged


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(events: list[tuple[float, Progress | Message]]) -> list[str]:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    for at, event in events:
        clock.now = at
        lines(event)
    return stream.getvalue().splitlines()


def steps(done: int, total: int | None = 100, stage: str = "train", **numbers: str) -> Progress:
    return Progress(stage, done, total, "steps", numbers)


def test_a_short_stage_leaves_no_line():
    assert told([(0, steps(0)), (0.5, steps(50)), (1, steps(100))]) == []


def test_a_long_stage_tells_every_tenth_with_rate_time_left_and_numbers():
    lines = told([(0, steps(0)), (4, steps(20, loss="0.52")), (4.4, steps(22)), (20, steps(100))])
    assert lines == [
        "train  20 %  20/100 steps  5.0 steps/s  16 s left  loss 0.52",
        "train  100 %  100/100 steps  5.0 steps/s",
    ]


def test_a_slow_stage_tells_every_five_seconds():
    lines = told([(at, steps(at, total=10_000)) for at in range(12)])
    assert [line.split("  ")[2] for line in lines] == ["5/10,000 steps", "10/10,000 steps"]


def test_a_stage_of_unknown_length_tells_its_count_and_rate():
    assert told([(0, steps(0, None)), (6, steps(1_200, None))]) == ["train  1,200 steps  200 steps/s"]


def test_the_rate_of_a_resumed_stage_counts_from_where_it_began():
    stage = Stage(steps(90), now=0.0)
    assert stage.rate(steps(100), now=5.0) == pytest.approx(2.0)
    assert stage.rate(steps(90), now=0.0) == 0.0


def test_another_stage_is_counted_anew():
    lines = told([(0, steps(0)), (10, steps(0, stage="judge")), (11, steps(50, stage="judge"))])
    assert lines == []


def test_messages_are_lines_and_warnings_say_so():
    assert told([(0, Message("read")), (0, Message("2 leaks", "warning"))]) == ["read", "warning: 2 leaks"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7_620, "2 h 07 min")],
)
def test_durations_are_words(seconds, words):
    assert duration(seconds) == words


def test_colour_is_for_terminals_and_obeys_no_color(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert has_colour(Terminal())
    assert not has_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour(Terminal())
    assert is_terminal(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_terminal(Terminal())


def test_a_coloured_message_ends_its_colour(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    say("bad", "error", stream)
    assert stream.getvalue() == "\x1b[31mbad\x1b[0m\n"


def test_a_terminal_gets_a_bar_and_keeps_a_line_of_a_long_stage(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    stream, clock = Terminal(), Clock()
    bars = Bars(stream, clock)
    bars(steps(0))
    bars(Message("[bold]2 leaks[/bold]", "warning"))
    clock.now = 10.0
    bars(steps(50, loss="0.5"))
    bars.display.refresh()
    clock.now = 20.0
    bars(steps(100))
    bars(Progress("judge", 0, None, "rows"))
    bars.close()
    shown = stream.getvalue()
    assert "50/100 steps  5.0 steps/s  10 s left  loss 0.5" in shown
    assert "train  100 steps in 20 s" in shown
    assert "warning: [bold]2 leaks[/bold]" in shown
    assert "judge  0 rows in" not in shown


@pytest.fixture
def narrow(monkeypatch):
    """A terminal of 80 columns without colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_on_80_columns_the_bar_keeps_its_width_and_the_last_numbers_give_way(narrow):
    clock = Clock()
    bars = Bars(narrow, clock)
    numbers = {"epoch": "1/2", "loss": "0.5213", "rate": "1.91e-04", "tokens/s": "12,808"}
    bars(steps(0, 1_200, **numbers))
    clock.now = 10.0
    bars(steps(600, 1_200, **numbers))
    bars.display.refresh()
    bars.close()
    half, rest = "━" * 10, " " * 10
    assert f" train {half}{rest} 600/1,200 steps  60.0 steps/s  10 s left  epoch 1/2" in narrow.getvalue()
    assert "…" not in narrow.getvalue()


def test_a_long_path_leaves_room_for_bar_and_count(narrow):
    bars = Bars(narrow)
    bars(Progress("read a/very/long/folder/of/数据/train.csv", 20_000, 20_000, "rows"))
    bars.display.refresh()
    bars.close()
    assert f"read a/very/lo…数据/train.csv {'━' * 20} 20,000/20,000 rows" in narrow.getvalue()


def test_nothing_is_drawn_after_the_sentence_that_the_work_is_done(narrow):
    bars = Bars(narrow)
    bars(Progress("judge", 0, 40, "rows"))
    bars(Progress("judge", 40, 40, "rows"))
    bars(Message("wrote runs/x", "good"))
    bars.close()
    assert narrow.getvalue().endswith("\x1b[2Kwrote runs/x\n")


def test_a_stage_that_begins_leaves_the_line_above_it_alone(narrow):
    clock = Clock()
    bars = Bars(narrow, clock)
    bars(steps(0))
    clock.now = 20.0
    bars(steps(100))
    bars(Progress("judge", 0, 40, "rows"))
    after = narrow.getvalue().partition("train  100 steps in 20 s\n")[2]
    bars.close()
    assert after
    assert "\x1b[1A" not in after


def test_words_that_do_not_fit_are_left_out_whole():
    assert fitting(["12 steps", "3 s left", "loss 0.5"], 18) == "12 steps  3 s left"
    assert fitting(["12 steps", "3 s left"], 17) == "12 steps"
    assert fitting(["12 steps"], 3) == ""


def test_a_long_name_keeps_both_ends():
    assert shortened("train", 10) == "train"
    assert shortened("read abcdefgh.csv", 11) == "read …h.csv"
    assert shortened("读取数据集一二三四", 9) == "读取…三四"


def test_watching_chooses_by_the_stream(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with watching(io.StringIO()) as listen:
        assert isinstance(listen, Lines)
    with watching(Terminal()) as listen:
        assert isinstance(listen, Bars)


def test_an_answer_is_told_line_by_line_as_it_is_written(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    unsure = Classified(label="[red]a", confidence=0.5, abstained=True, runners_up=())
    print_table(["x" * 100, {"text": "a", "text_pair": "b"}], [unsure, Tagged(spans=())])
    _, first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["x" * 59 + "…", "[red]a", "50.0", "%", "(unsure)"]
    assert second.split("  ")[0] == "a / b"
    assert second.split() == ["a", "/", "b", "nothing", "found"]


def test_answers_without_confidence_take_no_column_for_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    print_table(["hi"], [Written(text="good day", is_finished=True)])
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["text", "answer"]
    assert line.split() == ["hi", "good", "day"]
