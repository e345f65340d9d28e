"""What a bundle may not be on disk. Whatever is wrong is found before a parser reads one byte of the file."""

import json
import os

import pytest

from burnish.bundle.bundle import open_bundle
from burnish.core.errors import UserError
from burnish.core.manifest import verify_manifest, write_manifest


def refusal(folder):
    with pytest.raises(UserError) as caught:
        open_bundle(folder)
    return str(caught.value).replace(str(folder), "BUNDLE")


def change_manifest(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest["files"])
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_whole_bundle_passes(bundle):
    verify_manifest(bundle)


def test_the_manifest_lists_every_file_but_itself_with_its_hash_and_size(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["format"] == 1
    names = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file()}
    assert manifest["files"].keys() == names - {"manifest.json"}
    assert manifest["files"]["recipe.yaml"] == {
        "sha256": "35704ee57de28b68020a94830d23c6af8ee9d48a039fa853f5c26ec26e0bd6df",  # by sha256sum
        "size_bytes": 21,
    }


@pytest.mark.parametrize("name", ["model/model.safetensors", "burnish.json", "model/tokenizer.json", "recipe.yaml"])
@pytest.mark.parametrize("where", [0.0, 0.1, 0.37, 0.5, 0.9, 0.999])
def test_one_flipped_byte_anywhere_is_refused(bundle, name, where):
    content = bytearray((bundle / name).read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    (bundle / name).write_bytes(content)
    assert refusal(bundle) == (
        f"BUNDLE: the file {name} was changed or damaged (SHA-256 differs); copy the bundle again."
    )


@pytest.mark.parametrize("n_bytes", [0, 1, 1000])
def test_a_cut_file_is_refused(bundle, n_bytes):
    weights = bundle / "model/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:n_bytes])
    assert refusal(bundle) == (
        "BUNDLE: the file model/model.safetensors was changed or damaged (SHA-256 differs); copy the bundle again."
    )


def test_a_missing_file_is_named(bundle):
    (bundle / "burnish.json").unlink()
    assert refusal(bundle) == "BUNDLE: the file burnish.json is missing; copy the bundle again."


def test_an_added_file_is_named(bundle):
    (bundle / "model/evil.py").write_text("x")
    assert refusal(bundle) == "BUNDLE: the file model/evil.py is not part of the bundle; take it out."


def test_every_fault_is_named_at_once(bundle):
    (bundle / "burnish.json").unlink()
    (bundle / "notes.txt").write_text("x")
    (bundle / "recipe.yaml").write_text("x")
    assert [line.split(": ")[1] for line in refusal(bundle).splitlines()] == [
        "the file burnish.json is missing; copy the bundle again.",
        "the file notes.txt is not part of the bundle; take it out.",
        "the file recipe.yaml was changed or damaged (SHA-256 differs); copy the bundle again.",
    ]


def test_a_link_is_refused_even_to_the_very_file(bundle, tmp_path):
    (bundle / "burnish.json").rename(tmp_path / "elsewhere.json")
    (bundle / "burnish.json").symlink_to(tmp_path / "elsewhere.json")
    assert refusal(bundle) == "BUNDLE: burnish.json is a link or no file; a bundle holds plain files only."


def test_a_pipe_is_refused_and_not_waited_for(bundle):
    (bundle / "burnish.json").unlink()
    os.mkfifo(bundle / "burnish.json")
    assert refusal(bundle) == "BUNDLE: burnish.json is a link or no file; a bundle holds plain files only."


def test_a_linked_folder_is_refused(bundle, tmp_path):
    (bundle / "model").rename(tmp_path / "elsewhere")
    (bundle / "model").symlink_to(tmp_path / "elsewhere")
    assert "BUNDLE: the file model is not part of the bundle; take it out." in refusal(bundle)


@pytest.mark.parametrize("name", ["../outside.txt", "model/../../outside.txt", "{tmp_path}/outside.txt"])
def test_a_path_that_leaves_the_folder_is_never_followed(bundle, tmp_path, name):
    (tmp_path / "outside.txt").write_text("x")
    name = name.replace("{tmp_path}", str(tmp_path))
    change_manifest(bundle, lambda files: files.update({name: {"sha256": "0" * 64}}))
    assert refusal(bundle) == f"BUNDLE: the file {name} is missing; copy the bundle again."


@pytest.mark.parametrize(
    "content", ["[]", "3", '{"format": 1}', '{"format": 1, "files": 3}', '{"format": 1, "files": {"a": 3}}']
)
def test_a_damaged_manifest_is_refused(bundle, content):
    (bundle / "manifest.json").write_text(content)
    assert refusal(bundle) == "BUNDLE: its manifest.json is damaged; copy the bundle again."


def test_a_manifest_that_is_not_json_is_refused(bundle):
    (bundle / "manifest.json").write_text('{"format": 1')
    assert refusal(bundle).startswith("BUNDLE/manifest.json: cannot be read as JSON (")


def test_a_bundle_of_a_newer_format_is_refused(bundle):
    (bundle / "manifest.json").write_text('{"format": 2, "files": {}}')
    assert refusal(bundle) == "BUNDLE: is of bundle format 2; this Burnish reads format 1. Update Burnish."


def test_a_folder_without_manifest_is_no_bundle(bundle):
    (bundle / "manifest.json").unlink()
    assert refusal(bundle) == "BUNDLE: is not a bundle: it has no manifest.json."


def test_a_bundle_that_is_not_there_is_told(tmp_path):
    assert refusal(tmp_path / "nothing") == (
        "BUNDLE: there is no such bundle; give the folder that `burnish fit` wrote."
    )


def test_a_file_of_the_folder_that_is_called_like_the_manifest_is_listed_below(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/manifest.json").write_text("{}")
    write_manifest(tmp_path)
    assert list(json.loads((tmp_path / "manifest.json").read_text())["files"]) == ["report/manifest.json"]
