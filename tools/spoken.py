"""Makes the recordings of samples/speech and their tables anew: `python tools/spoken.py`, with espeak-ng installed.

Four commands, and yes and no, each by twelve made-up voices, as mp3 files of 8 kHz.
"""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
RATE_HZ = 8_000
MARGIN = RATE_HZ // 20  # silence kept before and after: 50 ms
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-029")
VARIANTS = (("m1", 150, 45), ("f2", 135, 60), ("m3", 175, 35))
"""Of each accent: voice, words a minute, pitch."""

COMMANDS = {
    "light_on": "turn on the light",
    "music_stop": "stop the music",
    "call_home": "call home",
    "door_open": "open the door",
}
REPLIES = ("yes", "no")
QUESTIONS = {
    "Shall I turn on the light?": "light_on",
    "It is dark in here, would you like a lamp?": "light_on",
    "Shall I stop the music?": "music_stop",
    "Is the song too loud for you?": "music_stop",
    "Shall I call home?": "call_home",
    "Do you want me to ring your family?": "call_home",
}
NOTHING = "nothing"


def main() -> None:
    folder = SAMPLES / "speech"
    folder.mkdir(exist_ok=True)
    voices = [
        (f"{accent}_{voice}", accent, voice, speed, pitch) for accent in ACCENTS for voice, speed, pitch in VARIANTS
    ]
    commands, replies = [], []
    for name, *how in voices:
        for label, words in COMMANDS.items():
            commands.append((say(words, f"{label}_{name}", *how), words, label, name))
        for words in REPLIES:
            file = say(words, f"{words}_{name}", *how)
            for question, action in QUESTIONS.items():
                replies.append((file, question, action if words == "yes" else NOTHING, name))
    write("commands_en.csv", ("audio", "words", "command", "voice"), commands)
    write("replies_en.csv", ("audio", "question", "action", "voice"), replies)


def say(words: str, name: str, accent: str, voice: str, speed: int, pitch: int) -> str:
    """Write the recording; its path as the tables have it."""
    command = ["espeak-ng", "-v", f"{accent}+{voice}", "-s", str(speed), "-p", str(pitch), "--stdout", words]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603  # nothing of it is input
    samples, rate_hz = soundfile.read(io.BytesIO(spoken), dtype="float32")
    samples = soxr.resample(samples, rate_hz, RATE_HZ)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN]
    soundfile.write(SAMPLES / "speech" / f"{name}.mp3", samples, RATE_HZ)
    return f"speech/{name}.mp3"


def write(name: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with (SAMPLES / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
