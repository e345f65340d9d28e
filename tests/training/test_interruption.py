import os
import signal
import threading

import pytest

from burnish.training.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_only_asks_and_the_second_means_it(number):
    with Interruption() as interruption:
        assert not interruption.is_asked
        os.kill(os.getpid(), number)
        assert interruption.is_asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_where_the_state_is_whole_the_first_signal_counts():
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt), interruption.at_once():
        os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_came_before_counts_when_the_state_is_whole():
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interruption.at_once():
            pytest.fail("the work was begun")


def test_after_the_whole_part_a_signal_asks_again():
    with Interruption() as interruption:
        with interruption.at_once():
            pass
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.is_asked


def test_the_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_works_without_handlers():
    asked = []

    def work():
        with Interruption() as interruption:
            asked.append(interruption.is_asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [False]
