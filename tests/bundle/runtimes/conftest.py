"""The cases of exports, for what computes them without torch."""

import pytest
from tests.compression.exports.conftest import case_of, thin_base

from burnish.bundle.runtimes import onnxruntime, openvino
from burnish.compression.tracing import to_onnx, to_openvino, traced

WRITERS = {"openvino": (to_openvino, openvino.MODEL_FILE), "onnxruntime": (to_onnx, onnxruntime.MODEL_FILE)}

__all__ = ["case_of", "thin_base"]


@pytest.fixture(scope="session")
def written(case_of, tmp_path_factory):
    """`written("tokens", "openvino")`: the folder of a case for a runtime, written once."""
    folders = {}

    def folder_of(case, runtime):
        if (case, runtime) not in folders:
            folders[case, runtime] = tmp_path_factory.mktemp(f"{case}-{runtime}")
            write, name = WRITERS[runtime]
            one = case_of(case)
            write(traced(one.subject, one.features), folders[case, runtime] / name)
        return folders[case, runtime]

    return folder_of
