from __future__ import annotations

import signal
import subprocess
import sys

import pytest

import burnish as package
from burnish.cli.exits import how_to_go_on


def test_bare_burnish_and_help_show_what_to_type_next(burnish):
    for words in ([], ["--help"], ["-h"]):
        ended = burnish(*words)
        assert ended.code == 0
        assert "burnish init data.csv" in ended.out
        assert "burnish fit recipe.yaml" in ended.out
        assert "burnish predict runs/first" in ended.out


def test_every_command_has_help(burnish):
    for command in ("init", "check", "fit", "judge", "compare", "predict", "parts", "doctor"):
        ended = burnish(command, "--help")
        assert (ended.code, ended.err) == (0, "")
        assert f"burnish {command}" in ended.out


def test_the_version_is_told(burnish):
    assert burnish("--version").out == f"{package.__version__}\n"


def test_an_unknown_command_gets_the_nearest(burnish):
    ended = burnish("fitt")
    assert ended.code == 2
    assert "No such command 'fitt'. Did you mean 'fit'?" in ended.err


def test_an_unknown_option_gets_the_nearest(burnish):
    ended = burnish("fit", "--epoch", "3")
    assert ended.code == 2
    assert "No such option: --epoch" in ended.err
    assert "--epochs" in ended.err


def test_a_bug_says_so_and_keeps_the_traceback_in_a_file(burnish, flow, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail(*args, **options):
        raise IndexError("list index out of range")

    flow("fit", fail)
    ended = burnish("fit", "recipe.yaml")
    [file] = tmp_path.iterdir()
    assert ended.code == 1
    assert ended.err == (
        "This is a bug. Burnish stopped with IndexError: list index out of range. "
        f"Please report it with {file}, which holds the traceback (--debug shows it here).\n"
    )
    assert "in fail" in file.read_text()


@pytest.mark.parametrize("words", [["--debug", "fit", "r.yaml"], ["fit", "r.yaml", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(burnish, flow, words):
    def fail(*args, **options):
        raise IndexError("oh")

    flow("fit", fail)
    ended = burnish(*words)
    assert ended.code == 1
    assert "in fail" in ended.err
    assert ended.err.endswith("This is a bug. Burnish stopped with IndexError: oh.\n")


def test_debug_after_two_dashes_is_a_text(burnish, flow):
    calls = flow("predict", lambda bundle, inputs: iter([]))
    burnish("predict", "runs/x", "--", "--debug")
    assert calls[0][0][1] == ["--debug"]


def test_ctrl_c_says_how_to_go_on(burnish, flow):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    flow("fit", interrupt)
    ended = burnish("fit", "my recipe.yaml", "--out", "runs/x")
    assert ended.code == 130
    assert ended.err == (
        "warning: Stopped. Go on where it stopped with: burnish fit 'my recipe.yaml' --out runs/x --resume\n"
    )


def test_what_cannot_be_resumed_is_started_again():
    assert how_to_go_on("judge", ("judge", "runs/x")) == (
        "Stopped; nothing half-written is left. Start again with: burnish judge runs/x"
    )
    assert how_to_go_on("fit", ("fit", "--resume")).endswith("with: burnish fit --resume")


SLOW_FIT = """
import signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it starts in the background
module = types.ModuleType("burnish.flows.fit")
def fit(*args, **options):
    print("begun", flush=True)
    time.sleep(30)
module.fit = fit
sys.modules["burnish.flows.fit"] = module
from burnish.cli.main import main
main()
"""


def test_a_real_ctrl_c_ends_with_130_and_no_traceback(tmp_path):
    command = [sys.executable, "-c", SLOW_FIT, "fit", "recipe.yaml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "warning: Stopped. Go on where it stopped with: burnish fit recipe.yaml --resume\n"


LONG_PREDICT = """
import sys, types
from burnish.tasks._choices import Choice
module = types.ModuleType("burnish.flows.predict")
module.predict = lambda bundle, inputs: (Choice(label="x", confidence=1.0) for _ in range(200_000))
sys.modules["burnish.flows.predict"] = module
from burnish.cli.main import main
main()
"""


def test_a_reader_that_has_enough_is_no_fault():
    command = [sys.executable, "-c", LONG_PREDICT, "predict", "runs/x", "a"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=20), err) == (0, b"")


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "burnish", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{package.__version__}\n"


def test_the_verbs_are_found_in_the_package():
    assert set(package.__all__) <= set(dir(package))
    assert package.init.__module__ == "burnish.flows.init"
    with pytest.raises(AttributeError, match=r"^module 'burnish' has no attribute 'fitt'$"):
        _ = package.fitt
