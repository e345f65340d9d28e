"""Tags of a base's own head, in whatever scheme, as IOB2."""

import numpy as np
import pytest

from burnish.tasks._decoding import best_path, tag_names
from burnish.tasks._schemes import read_scheme


def tags(outputs, said):
    """The IOB2 tags read when a head is nearly sure of the tags `said`."""
    found = read_scheme(outputs)
    logits = np.full((len(said), len(outputs)), -5.0, np.float32)
    for word, name in enumerate(said):
        logits[word, outputs.index(name)] = 5.0
    converted = found.convert(logits).astype(float)
    shares = np.exp(converted) / np.exp(converted).sum(1, keepdims=True)
    names = tag_names(found.labels)
    return [names[i] for i in best_path(np.log(shares))]


@pytest.mark.parametrize(
    ("outputs", "said", "read"),
    [
        (("O", "B-a", "I-a"), ["B-a", "I-a", "O", "B-a", "B-a"], ["B-a", "I-a", "O", "B-a", "B-a"]),
        (("O", "B-a", "I-a"), ["I-a", "I-a", "O", "I-a", "B-a"], ["B-a", "I-a", "O", "B-a", "B-a"]),  # IOB1
        (("a", "O", "b"), ["a", "a", "b", "O"], ["B-a", "I-a", "B-b", "O"]),  # IO
        (
            ("B-a", "I-a", "E-a", "S-a", "O"),  # BIOES
            ["B-a", "I-a", "E-a", "S-a", "O"],
            ["B-a", "I-a", "I-a", "B-a", "O"],
        ),
        (("O", "B_a", "M_a", "E_a", "S_a"), ["B_a", "M_a", "E_a", "S_a"], ["B-a", "I-a", "I-a", "B-a"]),  # BMES
        (("O", "U-a", "B-a", "L-a", "I-a"), ["U-a", "B-a", "L-a"], ["B-a", "B-a", "I-a"]),  # BILOU
    ],
)
def test_every_scheme_is_read_as_iob2(outputs, said, read):
    assert tags(outputs, said) == read


def test_labels_are_sorted_and_their_own_hyphens_stay():
    assert read_scheme(("O", "B-to-do", "I-to-do", "B-a", "I-a")).labels == ("a", "to-do")


@pytest.mark.parametrize("outputs", [("LABEL_0", "LABEL_1"), ("O",), ("pos", "neg")])
def test_outputs_that_are_no_tags_are_not_read(outputs):
    assert read_scheme(outputs) is None
