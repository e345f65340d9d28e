import threading

from burnish.store.states import put_state, read_state


def test_a_value_comes_back_and_is_replaced(store):
    with store.writing() as connection:
        assert read_state(connection, "a") is None
        put_state(connection, "a", {"中": [1, 2.5, None]})
        put_state(connection, "a", {"中": 2})
    with store.reading() as connection:
        assert read_state(connection, "a") == {"中": 2}
        assert read_state(connection, "b") is None


def test_two_that_put_the_same_new_value_at_once_are_both_served(store):
    meet = threading.Barrier(4, timeout=30)
    faults = []

    def put(number):
        meet.wait()
        try:
            with store.writing() as connection:
                put_state(connection, "a", number)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    with store.reading() as connection:
        assert read_state(connection, "a") in range(4)
