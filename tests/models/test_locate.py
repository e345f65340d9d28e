import shutil

import pytest

from burnish.core.errors import UserError
from burnish.core.manifest import write_manifest
from burnish.models.locate import Located, locate


def test_a_local_base_is_called_by_its_folder_and_not_by_the_path_to_it(tiny_base, tmp_path, monkeypatch):
    assert (locate(str(tiny_base)).name, locate(str(tiny_base)).folder) == (tiny_base.name, tiny_base)
    monkeypatch.chdir(tiny_base)
    assert locate(".").name == tiny_base.name


@pytest.mark.parametrize("base", ["minilm"])
def test_a_named_base_keeps_its_name(base):
    assert locate(base).name == base


def as_bundle(base, folder):
    shutil.copytree(base, folder / "model")
    write_manifest(folder)
    return folder


def test_a_bundle_is_a_base_by_its_own_name(tiny_base, tmp_path):
    bundle = as_bundle(tiny_base, tmp_path / "mine")
    assert locate(str(bundle)) == Located("mine", bundle / "model")


def test_a_damaged_bundle_is_refused_before_anything_of_it_is_read(tiny_base, tmp_path):
    bundle = as_bundle(tiny_base, tmp_path / "mine")
    (bundle / "model" / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"^base: .*mine: the file model/config\.json was changed or damaged \(SHA-256"):
        locate(str(bundle))


def test_a_bundle_without_a_model_is_refused(tmp_path):
    write_manifest(tmp_path)
    with pytest.raises(UserError, match=r"^base: .*model is not a model: it has no config\.json"):
        locate(str(tmp_path))
