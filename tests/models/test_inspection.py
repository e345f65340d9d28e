"""What a base folder may not be. Every sentence is matched whole: it is the product."""

import json
import shutil

import pytest

from burnish.core.errors import UserError
from burnish.models.inspection import inspect_base, inspect_safetensors, read_config, weight_files
from burnish.models.locate import locate


@pytest.fixture
def base(tiny_base, tmp_path):
    return shutil.copytree(tiny_base, tmp_path / "base")


def refusal(check, *arguments):
    with pytest.raises(UserError) as caught:
        check(*arguments)
    return str(caught.value)


def test_a_whole_base_passes(base):
    inspect_base(base)


def test_a_folder_without_config_is_no_model(tmp_path):
    assert refusal(inspect_base, tmp_path) == (
        f"base: {tmp_path} is not a model: it has no config.json. Give a folder in Hugging Face layout."
    )


def test_a_config_that_is_not_json_is_refused(base):
    (base / "config.json").write_text("{")
    assert refusal(read_config, base).startswith(f"base: {base}/config.json is not valid JSON (")


def test_a_config_without_model_type_is_refused(base):
    (base / "config.json").write_text("{}")
    assert refusal(read_config, base) == (
        f"base: {base}/config.json names no model_type, so it is not a transformers model."
    )


@pytest.mark.parametrize("key", ["auto_map", "_attn_implementation_internal", "_target_", "custom_pipelines"])
def test_a_config_that_asks_for_code_is_refused(base, key):
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, key: {"AutoModel": "evil.py"}}))
    assert refusal(inspect_base, base) == (
        f"base: {base}/config.json has '{key}', which asks to run code; Burnish never runs code of a model."
    )


def test_a_base_without_weights_is_refused(base):
    (base / "model.safetensors").unlink()
    assert refusal(inspect_base, base) == f"base: {base} has a config.json but no model.safetensors."


def test_a_base_with_pickled_weights_only_is_refused(base):
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    assert refusal(inspect_base, base) == (
        f"base: {base} holds its weights as pytorch_model.bin, a format that can run code; Burnish reads safetensors "
        "only. Get a safetensors version of the model, or convert it with the model's own library."
    )


def test_a_missing_shard_is_named(base):
    (base / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}})
    )
    assert refusal(weight_files, base) == (
        f"base: {base} lacks model-00001-of-00002.safetensors, a weight file that its index names; fetch it again."
    )


def test_an_index_that_is_not_json_is_refused(base):
    (base / "model.safetensors.index.json").write_text("[")
    assert refusal(weight_files, base) == (
        f"base: {base}/model.safetensors.index.json is damaged; fetch the model again."
    )


@pytest.mark.parametrize("start", [b"\x80\x02}q\x00", b"\x80\x04\x95", b"PK\x03\x04 zip"])
def test_a_pickle_or_archive_under_the_name_of_safetensors_is_refused(tmp_path, start):
    file = tmp_path / "model.safetensors"
    file.write_bytes(start + b"x" * 100)
    assert refusal(inspect_safetensors, file) == (
        f"{file}: is a pickle or archive under the name of safetensors; it is refused."
    )


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 40, (200).to_bytes(8, "little") + b"{}"])
def test_a_file_that_is_no_safetensors_is_refused(tmp_path, content):
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    assert refusal(inspect_safetensors, file) == f"{file}: is not a safetensors file, or is cut; fetch it again."


def test_a_damaged_header_is_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes((4).to_bytes(8, "little") + b"{[}]")
    assert refusal(inspect_safetensors, file) == f"{file}: its safetensors header is damaged; fetch it again."


def test_cut_weights_are_refused_with_both_sizes(base):
    file = base / "model.safetensors"
    size = file.stat().st_size
    with file.open("rb+") as handle:
        handle.truncate(size - 10)
    assert refusal(inspect_base, base) == (
        f"{file}: should have {size:,} bytes by its header, but has {size - 10:,}; fetch it again."
    )


def test_a_base_that_is_not_there_gets_a_hint():
    assert refusal(locate, "minilmm") == (
        "base: 'minilmm' is neither a named base nor a folder. Did you mean 'minilm'? Named bases: efficientnet_lite0, "
        "minilm. For a model of a hub write hub:minilmm."
    )


def test_a_file_as_base_is_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"")
    assert refusal(locate, str(file)) == (
        f"base: '{file}' is a file; give the folder that holds config.json and model.safetensors."
    )


def test_a_hub_base_that_is_not_cached_is_refused_when_offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    sentence = refusal(locate, "hub:nobody/nothing")
    assert sentence.startswith("base: 'hub:nobody/nothing' is not in the local cache and Burnish is offline (")
    assert sentence.endswith("Check the name and the network, set HF_ENDPOINT to a mirror, or give a local folder.")
