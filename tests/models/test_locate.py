import pytest

from burnish.models.locate import locate


def test_a_local_base_is_called_by_its_folder_and_not_by_the_path_to_it(tiny_base, tmp_path, monkeypatch):
    assert (locate(str(tiny_base)).name, locate(str(tiny_base)).folder) == (tiny_base.name, tiny_base)
    monkeypatch.chdir(tiny_base)
    assert locate(".").name == tiny_base.name


@pytest.mark.parametrize("base", ["minilm"])
def test_a_named_base_keeps_its_name(base):
    assert locate(base).name == base
