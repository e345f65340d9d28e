import pytest
import torch

from burnish.core.errors import UserError
from burnish.training import precision
from burnish.training.hardware import open_hardware
from burnish.training.precision import choose_precision, slowness

CPU = torch.device("cpu")


def with_instructions(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({}, "fp32"), ({"avx512_f": True}, "fp32"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16")],
)
def test_auto_takes_bf16_on_a_cpu_only_where_it_has_the_instructions(monkeypatch, capabilities, expected):
    with_instructions(monkeypatch, **capabilities)
    assert choose_precision("auto", CPU) == expected


def test_a_torch_that_cannot_tell_gets_fp32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert choose_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize(("is_new", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_on_a_gpu_that_does_not_emulate_it(monkeypatch, is_new, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: is_new and not including_emulation)
    assert choose_precision("auto", torch.device("cuda")) == expected


def test_auto_takes_fp32_on_a_device_that_nobody_measured():
    assert choose_precision("auto", torch.device("mps")) == "fp32"


def test_fp16_is_taken_on_cuda_and_refused_elsewhere(monkeypatch):
    assert choose_precision("fp16", torch.device("cuda")) == "fp16"
    with_instructions(monkeypatch)
    sentence = (
        r"^train\.precision: fp16 needs a CUDA device and this run is on 'cpu'; use auto, which takes fp32 here\.$"
    )
    with pytest.raises(UserError, match=sentence):
        choose_precision("fp16", CPU)


def test_bf16_is_done_but_warned_of_where_it_is_emulated(monkeypatch):
    with_instructions(monkeypatch)
    assert choose_precision("bf16", CPU) == "bf16"
    assert slowness("bf16", CPU) == (
        "train.precision: this 'cpu' device has no bf16 instructions, so bf16 is emulated and slower than fp32; "
        "auto would take fp32."
    )
    assert slowness("fp32", CPU) is None
    with_instructions(monkeypatch, avx512_bf16=True)
    assert slowness("bf16", CPU) is None


def test_the_hardware_of_a_lone_process_is_the_main_one_with_no_loss_scale():
    hardware = open_hardware("fp32")
    assert (hardware.is_main, hardware.n_processes, hardware.scaler) == (True, 1, None)
    assert precision.is_bf16_native(torch.device("mps")) is False
