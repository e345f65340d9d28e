"""Pictures to numbers: opened with care, brought to the size and range that a base was made with.

Size, crop and range are those of the base's preprocessor_config.json, or where it is a model of timm those in its
config.json, through transformers' own image processor on Pillow. Pixels stay bytes until a batch is made: `slope` and
`offset` then bring them to the base's range.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.core.shelves import need
from burnish.models.inspection import REFUSED_KEYS

if TYPE_CHECKING:
    from PIL.Image import Image

    from burnish.models.tokenizer import TextTokenizer

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What is opened: formats that Pillow reads by itself. Others may start programs (EPS) or are documents."""

MOST_PIXELS = 89_478_485
"""Pillow's own limit, a quarter of a GiB in colour: a file of a few kB can claim far more than fits in memory."""

UNIT_PIXELS = 16
"""A unit of cost is a square of so many pixels: a patch of ViT."""

SETTINGS = "preprocessor_config.json"
TIMM = "pretrained_cfg"
"""Entry of a config.json in which the library timm says how its models read pictures."""
RESAMPLE = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
"""timm's name of an interpolation → Pillow's number."""

Bytes = NDArray[np.uint8]


def open_picture(content: bytes, most_side: int | None = None) -> Image:
    """A picture in 8-bit RGB, the right way up (EXIF), what is transparent on white; of an animation the first frame.

    Args:
        content: a file's bytes.
        most_side: a JPEG may be read smaller than it is, down to about so many pixels: to see whether it is whole.

    Raises:
        ValueError: it is no picture of a known format, cut, damaged or too large; a sentence without its subject.
    """
    images = need("PIL.Image", "image")
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata and the like; what matters raises
            warnings.simplefilter("error", images.DecompressionBombWarning)
            opened: Image = images.open(io.BytesIO(content), formats=FORMATS)
            _refuse_large(*opened.size)
            if most_side is not None:
                opened.draft("RGB", (most_side, most_side))
            opened.load()
            return _as_rgb(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError:
        raise ValueError(f"is not a picture of a known format ({', '.join(FORMATS)}); convert it.") from None
    except (images.DecompressionBombWarning, images.DecompressionBombError):
        raise ValueError(f"has more than {MOST_PIXELS:,} pixels, the most that is read; make it smaller.") from None
    except (OSError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).split("\n")[0][:120]
        raise ValueError(f"is a damaged or cut picture ({reason}); get it again, or take the row out.") from None


def _refuse_large(width: int, height: int) -> None:
    """A library's user may have raised Pillow's own limit; ours stays."""
    if width * height > MOST_PIXELS:
        raise ValueError(
            f"has {width:,} × {height:,} pixels, and at most {MOST_PIXELS:,} in all are read; make it smaller."
        )


def _as_rgb(image: Image) -> Image:
    from PIL import Image as images

    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits a pixel: Pillow would cut, not scale
        return images.fromarray(_to_bytes(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = images.new("RGBA", image.size, "white")
        image = images.alpha_composite(ground, image)
    return image.convert("RGB")


def _to_bytes(values: NDArray[Any]) -> Bytes:
    """Grey values of more than 8 bits as 0 … 255: of 65,535 where they are whole, of their largest where not."""
    most = 65_535 if values.dtype.kind in "iu" else max(float(values.max(initial=0)), 1e-9)
    return np.clip(np.round(np.asarray(values, np.float64) * (255 / most)), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class PictureReader:
    """What reads a picture for a base, and a text beside it where there is one.

    pixel_values = bytes × `slope` + `offset`, for each of the three colours.
    """

    processor: Any
    height: int
    width: int
    slope: tuple[float, float, float]
    offset: tuple[float, float, float]
    text: TextTokenizer | None = None
    text_folder: Path | None = None
    """Where the text's tokenizer came from."""

    @property
    def pad_id(self) -> int:
        return 0 if self.text is None else self.text.pad_id

    @property
    def max_length(self) -> int:
        """Most tokens of a text; of a picture alone its units."""
        return self.n_units if self.text is None else self.text.max_length

    @property
    def prompt(self) -> str:
        return "" if self.text is None else self.text.prompt

    @property
    def n_units(self) -> int:
        """What a picture costs: squares of 16 × 16 pixels."""
        return -(-self.height // UNIT_PIXELS) * -(-self.width // UNIT_PIXELS)

    def pixels(self, image: Image) -> Bytes:
        """[height, width, 3] of an RGB picture: resized and cropped as the base wants it."""
        return _processed(self.processor, image, do_rescale=False, do_normalize=False)

    def save(self, folder: Path, source: Path) -> None:
        write_json(folder / SETTINGS, self.processor.to_dict())
        if self.text is not None and self.text_folder is not None:
            self.text.save(folder / "text", self.text_folder)


def _processed(processor: Any, image: Image, **how: bool) -> NDArray[Any]:
    """[height, width, 3] as a processor gives it."""
    found = np.asarray(processor(image, **how)["pixel_values"][0])
    return np.ascontiguousarray(np.moveaxis(found, 0, -1))


def load_pictures(folder: Path, text: TextTokenizer | None = None, text_folder: Path | None = None) -> PictureReader:
    """The reader of a base for pictures, with the tokenizer from `text_folder` for texts beside them.

    Raises:
        UserError: the base does not say how pictures are read, or gives them sizes of their own.
    """
    need("PIL.Image", "image")
    from PIL import Image as images

    from burnish.models.network import quiet_transformers
    from burnish.models.trunks import refuse_other

    refuse_other(folder, "pixel_values")
    _refuse_code(folder)
    try:
        with quiet_transformers():
            processor = _processor(folder)
            tall, wide = (
                _processed(processor, images.new("RGB", size), do_rescale=False, do_normalize=False)
                for size in ((40, 60), (60, 40))
            )
            black, white = (
                _processed(processor, images.new("RGB", (40, 40), colour))[0, 0].astype(np.float64)
                for colour in ("black", "white")
            )
    except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError, RuntimeError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        is_told = (folder / SETTINGS).is_file() or _told_by_timm(folder) is None
        file = folder / (SETTINGS if is_told else "config.json")
        raise UserError(f"base: {file} cannot be used to read pictures ({reason}).") from None
    if tall.shape != wide.shape or tall.ndim != 3 or tall.shape[-1] != 3 or tall.dtype != np.uint8:
        raise UserError(
            f"base: {folder / SETTINGS} does not bring every picture to one size in colour; set do_resize and size."
        )
    slope = (white - black) / 255
    height, width = tall.shape[:2]
    return PictureReader(processor, height, width, tuple(slope), tuple(black), text, text_folder)


def _processor(folder: Path) -> Any:
    from transformers import AutoImageProcessor, CLIPImageProcessorPil

    maker: Any = AutoImageProcessor
    if (told := _told_by_timm(folder)) is not None:
        maker = CLIPImageProcessorPil
        return maker(**(read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else timm_settings(told)))
    return maker.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)


def _told_by_timm(folder: Path) -> dict[str, Any] | None:
    """What the config of a model of timm says of pictures."""
    path = folder / "config.json"
    told = read_json(path).get(TIMM) if path.is_file() else None
    return told if isinstance(told, dict) else None


def timm_settings(told: dict[str, Any]) -> dict[str, Any]:
    """The settings of an image processor that reads pictures as timm does to judge (`timm.data.create_transform`): the
    shorter side is made a little longer than the model's, of which the middle is cut out; or both are made as long.
    """
    _, height, width = told["input_size"]
    is_cut = told.get("crop_mode", "center") != "squash"
    longer = math.floor(min(height, width) / (told.get("crop_pct") or 0.875))
    return {
        "size": {"shortest_edge": longer} if is_cut else {"height": height, "width": width},
        "resample": RESAMPLE[told.get("interpolation", "bicubic")],
        "do_center_crop": is_cut,
        "crop_size": {"height": height, "width": width},
        "image_mean": list(told["mean"]),
        "image_std": list(told["std"]),
    }


def _refuse_code(folder: Path) -> None:
    """Raise `UserError` where no file says how pictures are read, or one asks for code."""
    paths = [path for name in (SETTINGS, "processor_config.json") if (path := folder / name).is_file()]
    if not paths and _told_by_timm(folder) is None:
        raise UserError(
            f"base: {folder} has no {SETTINGS}, which says how pictures are read; name a base that reads pictures, or "
            "fetch it again."
        )
    for path in paths:
        said = read_json(path)
        for key in REFUSED_KEYS:
            if key in said:
                raise UserError(
                    f"base: {path} has '{key}', which asks to run code; Burnish never runs code of a model."
                )
