"""Pictures as numbers: what is opened and what refused, and that a base sees what transformers would show it."""

import io
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor

from burnish.core.errors import UserError
from burnish.models import pictures
from burnish.models.pictures import load_pictures, open_picture, timm_settings
from burnish.tasks._pictures import picture_feature, read_picture, stack_pictures


def noise(height=50, width=70, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def saved(image, form="PNG", **how):
    stream = io.BytesIO()
    image.save(stream, form, **how)
    return stream.getvalue()


PROCESSORS = {
    "vit": {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}},
    "crop": {
        "image_processor_type": "CLIPImageProcessor",
        **{"size": {"shortest_edge": 40}, "crop_size": {"height": 24, "width": 24}},
    },
    "own means": {
        "image_processor_type": "ConvNextImageProcessor",
        **{"size": {"shortest_edge": 28}, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]},
    },
    "not normalised": {
        "image_processor_type": "ViTImageProcessor",
        **{"size": {"height": 16, "width": 20}, "do_normalize": False},
    },
}


def base_with(folder, tiny_towers, settings):
    shutil.copy(tiny_towers / "config.json", folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("settings", PROCESSORS.values(), ids=PROCESSORS)
def test_a_batch_holds_what_transformers_own_processor_gives(settings, tiny_towers, tmp_path):
    base = base_with(tmp_path, tiny_towers, settings)
    images = [noise(), noise(31, 90, seed=1)]
    reader = load_pictures(base)
    found = stack_pictures([picture_feature(read_picture(image), reader) for image in images])
    own = AutoImageProcessor.from_pretrained(base, backend="pil")
    expected = torch.from_numpy(np.stack([own(image)["pixel_values"][0] for image in images]))
    torch.testing.assert_close(torch.from_numpy(found), expected.float(), atol=1e-5, rtol=0)
    assert reader.n_units == -(-expected.shape[2] // 16) * -(-expected.shape[3] // 16)


def test_a_reader_comes_back_from_where_it_was_saved(tiny_towers, tmp_path):
    from burnish.tasks._pictures import load_readers

    reader = load_readers(tiny_towers, None, 12, "say ")
    shutil.copy(tiny_towers / "config.json", tmp_path)
    (tmp_path / "text").mkdir()
    shutil.copy(tiny_towers / "text" / "config.json", tmp_path / "text")
    reader.save(tmp_path, tiny_towers)
    again = load_readers(tmp_path, None, 12, "say ")
    assert (again.height, again.slope, again.offset) == (reader.height, reader.slope, reader.offset)
    assert (again.max_length, again.prompt, again.pad_id) == (12, "say ", 0)
    assert again.text.ids(["a day"])[0].ids == reader.text.ids(["a day"])[0].ids


GREY = np.linspace(0, 255, 64, dtype=np.uint8).reshape(8, 8)


def centre(content):
    return np.asarray(open_picture(content))[4, 4].tolist()


def test_colours_of_every_kind_become_rgb():
    red = Image.new("RGB", (8, 8), (200, 0, 0))
    assert centre(saved(red)) == [200, 0, 0]
    assert centre(saved(red.convert("P", palette=Image.Palette.ADAPTIVE))) == [200, 0, 0]
    assert centre(saved(Image.new("L", (8, 8), 77))) == [77, 77, 77]
    assert centre(saved(Image.new("1", (8, 8), 1))) == [255, 255, 255]
    assert centre(saved(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "TIFF")) == [0, 0, 0]
    assert centre(saved(Image.new("RGBA", (8, 8), (200, 0, 0, 0)))) == [255, 255, 255]
    assert centre(saved(Image.new("LA", (8, 8), (0, 128)))) == [127, 127, 127]
    assert centre(saved(Image.new("P", (8, 8), 0), transparency=0)) == [255, 255, 255]


def test_sixteen_bits_are_scaled_not_cut():
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert np.array_equal(np.asarray(open_picture(saved(deep)))[..., 0], GREY)
    floats = Image.fromarray(GREY.astype(np.float32) / 255)
    assert np.array_equal(np.asarray(open_picture(saved(floats, "TIFF")))[..., 0], GREY)


def test_a_picture_is_turned_the_right_way_up():
    image, exif = noise(20, 30), Image.Exif()
    exif[0x0112] = 6  # the camera was turned: a viewer turns it by 90° clockwise
    turned = open_picture(saved(image, exif=exif))
    assert np.array_equal(np.asarray(turned), np.rot90(np.asarray(image), -1))


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("blue", "red")]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert centre(content) == [0, 0, 255]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"just words", r"^is not a picture of a known format \(PNG, JPEG, WEBP, GIF, BMP, TIFF, PPM\); convert it\.$"),
        (b"", "^is not a picture of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "^is not a picture of a known format"),
        (saved(noise())[:2000], r"^is a damaged or cut picture \(.+\); get it again, or take the row out\.$"),
        (saved(noise(), "JPEG")[:900], r"^is a damaged or cut picture \(image file is truncated"),
    ],
)
@pytest.mark.parametrize("most_side", [None, 64])
def test_what_is_no_whole_picture_is_told_in_one_sentence(content, sentence, most_side):
    with pytest.raises(ValueError, match=sentence):
        open_picture(content, most_side)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(monkeypatch):
    content = saved(Image.new("1", (12_000, 12_000)))  # 18 kB that would take 430 MB in colour
    assert len(content) < 30_000
    with pytest.raises(
        ValueError, match=r"^has more than 89,478,485 pixels, the most that is read; make it smaller\.$"
    ):
        open_picture(content)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as a program may do for pictures of its own
    with pytest.raises(ValueError, match=r"^has 12,000 × 12,000 pixels, and at most 89,478,485 in all are read; make"):
        open_picture(content)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (None, r"has no preprocessor_config\.json, which says how pictures are read; name a base that reads pictures"),
        ({"auto_map": {"AutoImageProcessor": "own.py"}}, r"has 'auto_map', which asks to run code; Burnish never runs"),
        ({"image_processor_type": "NoSuchProcessor"}, r"cannot be used to read pictures \("),
        (
            {"image_processor_type": "ViTImageProcessor", "do_resize": False},
            r"does not bring every picture to one size in colour; set do_resize and size\.$",
        ),
    ],
)
def test_a_base_that_does_not_say_how_pictures_are_read_is_refused(settings, sentence, tiny_towers, tmp_path):
    base = base_with(tmp_path, tiny_towers, settings)
    if settings is None:
        (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match=sentence):
        load_pictures(base)


@pytest.mark.parametrize(("crop_mode", "n_black"), [("center", 3), ("squash", 4)])
def test_a_model_of_timm_says_in_its_config_how_pictures_are_read(crop_mode, n_black, tiny_towers, tmp_path):
    """Of 20 columns the first 9 are black. Made ⌊8 / 0.8⌋ = 10 wide by columns 1, 3, 5, 7, 9 … they are 4, of which the
    cut to the middle 8 takes one away; made 8 wide at once, by columns 1, 3, 6, 8, 11 …, they are 4.
    """
    base = base_with(tmp_path, tiny_towers, {})
    (base / "preprocessor_config.json").unlink()
    told = json.loads((base / "config.json").read_text())
    told["pretrained_cfg"] = {
        "input_size": [3, 8, 8], "crop_pct": 0.8, "crop_mode": crop_mode, "interpolation": "nearest",
        "mean": [0.5, 0.25, 0.0], "std": [0.5, 0.25, 1.0],
    }  # fmt: skip
    (base / "config.json").write_text(json.dumps(told))
    reader = load_pictures(base)
    columns = np.array([[0] * 9 + [255] * 11], np.uint8)
    picture = Image.fromarray(np.repeat(columns, 20, axis=0)).convert("RGB")
    assert reader.pixels(picture)[4, :, 0].tolist() == [0] * n_black + [255] * (8 - n_black)
    np.testing.assert_allclose(reader.slope, [2 / 255, 4 / 255, 1 / 255], atol=1e-7)
    np.testing.assert_allclose(reader.offset, [-1, -1, 0], atol=1e-7)
    reader.save(base, base)
    again = load_pictures(base)
    assert (base / "preprocessor_config.json").is_file(), "a bundle says it where all others do"
    assert again.pixels(picture).tolist() == reader.pixels(picture).tolist()
    assert (again.slope, again.offset) == (reader.slope, reader.offset)


def test_a_model_of_timm_that_says_too_little_is_refused_by_the_file_that_says_it(tiny_towers, tmp_path):
    base = base_with(tmp_path, tiny_towers, {})
    (base / "preprocessor_config.json").unlink()
    told = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**told, "pretrained_cfg": {"input_size": [3, 8, 8]}}))
    with pytest.raises(UserError, match=r"config\.json cannot be used to read pictures \('mean'\)\.$"):
        load_pictures(base)


def test_a_cut_and_a_squashed_picture_of_timm_have_other_sizes_before_the_crop():
    """⌊224 / 0.875⌋ = 256, timm's own default, against both sides as they are wanted."""
    told = {"input_size": [3, 224, 224], "mean": [0, 0, 0], "std": [1, 1, 1]}
    cut, squashed = timm_settings(told), timm_settings({**told, "crop_mode": "squash", "interpolation": "bilinear"})
    assert (cut["size"], cut["do_center_crop"], cut["resample"]) == ({"shortest_edge": 256}, True, 3)
    assert (squashed["size"], squashed["do_center_crop"]) == ({"height": 224, "width": 224}, False)
    assert squashed["resample"] == 2


def test_a_base_for_texts_is_refused(tiny_base):
    with pytest.raises(UserError, match=r"reads texts \(bert\), not pictures; name a base that does\.$"):
        load_pictures(tiny_base)


def test_without_pillow_the_pip_line_is_told(monkeypatch, tiny_towers):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    line = r"^this needs the library 'PIL\.Image': pip install 'burnish\[image\]'"
    with pytest.raises(UserError, match=line):
        open_picture(b"")
    with pytest.raises(UserError, match=line):
        load_pictures(tiny_towers)


def test_pillow_keeps_its_own_limit():
    assert Image.MAX_IMAGE_PIXELS == pictures.MOST_PIXELS
