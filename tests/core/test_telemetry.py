"""Nothing is sent by libraries that would send."""

import subprocess
import sys

import pytest

from burnish.core.errors import UserError
from burnish.core.telemetry import need_silent

PROBE = """
import sys, types
class Telemetry:
    def __init__(self, *args, **settings): self.consent = True
    def send_event(self, *args, **settings): raise SystemExit("sent")
    start_session = end_session = send_event
one = Telemetry()
sent = types.ModuleType("openvino_telemetry")
if {was_loaded}:
    sent.Telemetry = lambda *args, **settings: one
    sys.modules["openvino_telemetry"] = sent
from burnish.core.telemetry import need_silent
openvino = need_silent("openvino", "openvino")
one.send_event("ov", "import", "") if {was_loaded} else None
print(type(openvino.tools.ovc.telemetry).__module__, one.consent)
"""


@pytest.mark.parametrize("was_loaded", [False, True])
def test_openvino_takes_its_own_stub_for_the_sender(was_loaded):
    pytest.importorskip("openvino")
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(was_loaded=was_loaded)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", str(not was_loaded)]


def test_a_missing_library_is_told_with_its_pip_line():
    with pytest.raises(UserError, match=r"^this needs the library 'no_such': pip install 'burnish\[openvino\]'\."):
        need_silent("no_such", "openvino")
