"""Draws the pictures of samples/pictures and writes what is on them: one of every shape, colour, size and place.

python tools/pictures.py samples
"""

from __future__ import annotations

import csv
import sys
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"red": (205, 45, 45), "blue": (45, 85, 200), "green": (40, 150, 70), "yellow": (235, 200, 40)}
SHAPES = ("circle", "square", "triangle")
SIZES = {"small": 9, "large": 16}
PLACES = {"left": 18, "middle": 32, "right": 46}
SIDE, FINER = 64, 4  # drawn four times as large, then brought down, so that edges are smooth
QUESTIONS = {
    "colour": ("what colour is it?", "which colour has the shape?", "its colour?"),
    "shape": ("what shape is it?", "which shape do you see?", "its shape?"),
}


def main(folder: Path) -> None:
    (folder / "pictures").mkdir(exist_ok=True)
    draw = np.random.default_rng(7)
    pictures, questions = [], []
    for shape, colour, size, place in product(SHAPES, COLOURS, SIZES, PLACES):
        name = f"pictures/{colour}-{shape}-{size}-{place}.png"
        drawn(shape, COLOURS[colour], SIZES[size], PLACES[place], draw).save(folder / name, optimize=True)
        caption = f"a {size} {colour} {shape} {'in the middle' if place == 'middle' else f'on the {place}'}"
        pictures.append((name, shape, colour, caption))
        told = {"colour": colour, "shape": shape}
        questions += [(name, str(draw.choice(asked)), told[about]) for about, asked in QUESTIONS.items()]
    write(folder / "pictures_en.csv", ("image", "shape", "colour", "caption"), pictures)
    write(folder / "picture_questions_en.csv", ("image", "question", "answer"), questions)


def drawn(shape: str, colour: tuple[int, int, int], size: int, x: int, draw: np.random.Generator) -> Image.Image:
    """A shape on pale ground, its place, size and shade a little different every time."""
    ground = tuple(int(value) for value in draw.integers(225, 256, 3))
    ink = tuple(int(value) for value in np.clip(np.array(colour) + draw.integers(-18, 19, 3), 0, 255))
    across, down = x + draw.uniform(-3, 3), SIDE / 2 + draw.uniform(-8, 8)
    reach = size + draw.uniform(-1.5, 1.5)
    picture = Image.new("RGB", (SIDE * FINER, SIDE * FINER), ground)
    pen = ImageDraw.Draw(picture)
    box = [FINER * value for value in (across - reach, down - reach, across + reach, down + reach)]
    if shape == "circle":
        pen.ellipse(box, fill=ink)
    elif shape == "square":
        pen.rectangle(box, fill=ink)
    else:
        pen.polygon([(box[0], box[3]), (box[2], box[3]), ((box[0] + box[2]) / 2, box[1])], fill=ink)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
