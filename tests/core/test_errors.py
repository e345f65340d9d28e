from __future__ import annotations

import pytest

from burnish.core.errors import BurnishError, Faults, GateMissed, SickRun, UserError, hint, listed


def test_each_kind_of_error_has_its_exit_code():
    assert [kind.exit_code for kind in (BurnishError, UserError, GateMissed, SickRun)] == [1, 2, 3, 4]


def test_a_user_error_says_every_fault_on_a_line_of_its_own():
    error = UserError("a is wrong.", "b is wrong.")
    assert str(error) == "a is wrong.\nb is wrong."
    assert error.faults == ("a is wrong.", "b is wrong.")


def test_faults_are_raised_together_the_first_twenty_and_how_many_more():
    faults = Faults()
    for number in range(1_025):
        faults.add(f"row {number} is wrong.")
    with pytest.raises(
        UserError, match=r"(?s)^row 0 is wrong\..*row 19 is wrong\.\n… and 1,005 more like these\.$"
    ) as caught:
        faults.raise_if_any()
    assert len(caught.value.faults) == 20
    assert caught.value.n_more == 1_005


def test_no_faults_raise_nothing():
    faults = Faults()
    assert not faults
    faults.raise_if_any()


def test_a_hint_names_the_nearest_word_or_nothing():
    assert hint("epoch", ["epochs", "seed"]) == " Did you mean 'epochs'?"
    assert hint("zzz", ["epochs", "seed"]) == ""


def test_long_lists_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(25)) == ", ".join(map(str, range(20))) + " and 5 more"
