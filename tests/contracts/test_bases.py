"""Every base names a head that pools a text as it was tuned to."""

import pytest

from burnish.core.shelves import Shelf


@pytest.mark.parametrize("name", Shelf("bases").names())
def test_a_base_names_a_pooling_head_that_there_is(name):
    assert Shelf("heads").get(Shelf("bases").get(name).pooling).gives in {"rows", "pictures"}
