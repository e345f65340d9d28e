"""Weight files: others may read them, and what the disk refuses is an OSError with its number."""

import errno
import os

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from burnish.models.weights import open_to_readers, write_arrays, write_weights


def test_arrays_come_back_and_their_file_has_the_mode_of_other_new_files(tmp_path):
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    before = os.umask(0o027)
    try:
        write_arrays({"table": table.T}, tmp_path / "vectors.safetensors")
    finally:
        os.umask(before)
    assert np.array_equal(load_file(tmp_path / "vectors.safetensors")["table"], table.T)
    assert (tmp_path / "vectors.safetensors").stat().st_mode & 0o777 == 0o640


def test_every_weight_file_below_a_folder_is_opened(tmp_path):
    (tmp_path / "below").mkdir()
    write_weights({"weight": torch.zeros(2)}, tmp_path / "below" / "model.safetensors")
    before = os.umask(0o022)
    try:
        open_to_readers(tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "below" / "model.safetensors").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_arrays({"table": np.zeros(2, np.float32)}, path),
        lambda path: write_weights({"table": torch.zeros(2)}, path),
    ],
)
def test_what_the_system_refuses_has_its_number(write, tmp_path):
    with pytest.raises(OSError, match=r"os error 2") as caught:
        write(tmp_path / "absent" / "vectors.safetensors")
    assert caught.value.errno == errno.ENOENT
