import os
import shutil
import sys
import threading

import pytest

from burnish.core.errors import UserError
from burnish.core.files import sha256_of, write_json
from burnish.core.manifest import MANIFEST, write_manifest
from burnish.store.bundles import Bundles


@pytest.fixture
def bundle(tmp_path):
    """A folder that is a bundle as far as the store looks."""
    folder = tmp_path / "runs" / "a"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights").write_bytes(bytes(range(256)) * 40)
    (folder / "labels.json").write_text('["退款", "投诉"]', "utf-8")
    write_manifest(folder)
    return folder


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "home" / "bundles"


@pytest.fixture
def bundles(kept):
    return Bundles(kept)


@pytest.fixture(params=["file", "memory"])
def remote(request, tmp_path):
    """A place elsewhere: a folder by URL, or fsspec's memory, which is like an object store."""
    if request.param == "file":
        yield f"file://{tmp_path / 'elsewhere'}"
        return
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    yield "memory://bucket/burnish"
    MemoryFileSystem.store.clear()


def content(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(action):
    with pytest.raises(UserError) as caught:
        action()
    return str(caught.value)


def test_a_bundle_is_kept_by_the_digest_of_its_manifest(bundles, bundle, kept):
    digest = bundles.put(bundle)
    assert digest == sha256_of(bundle / MANIFEST)
    assert bundles.get(digest) == kept / digest
    assert content(kept / digest) == content(bundle)


def test_the_same_bundle_again_takes_no_more_room(bundles, bundle, kept):
    digest = bundles.put(bundle)
    before = (kept / digest / "labels.json").stat().st_ino
    assert bundles.put(bundle) == digest
    assert (kept / digest / "labels.json").stat().st_ino == before
    assert [one.name for one in kept.iterdir() if not one.name.startswith(".")] == [digest]


def test_what_becomes_of_the_given_folder_does_not_matter(bundles, bundle):
    digest = bundles.put(bundle)
    shutil.rmtree(bundle)
    assert bundles.get(digest).is_dir()


def test_a_damaged_bundle_is_not_kept(bundles, bundle, kept):
    (bundle / "labels.json").write_text("[]")
    assert "the file labels.json was changed or damaged" in refused(lambda: bundles.put(bundle))
    assert not kept.exists()


def test_a_bundle_that_changes_while_it_is_copied_is_not_kept(bundles, bundle, kept, monkeypatch):
    copy = shutil.copyfile

    def copy_and_change(source, target):
        copy(source, target)
        if target.name == "weights":
            target.write_bytes(b"half")

    monkeypatch.setattr("burnish.store.bundles.shutil.copyfile", copy_and_change)
    assert "model/weights was changed or damaged" in refused(lambda: bundles.put(bundle))
    assert [one.name for one in kept.iterdir()] == [".lock"]


def test_a_missing_bundle_is_told(bundles, bundle, kept):
    digest = bundles.put(bundle)
    shutil.rmtree(kept / digest)
    told = f"{kept / digest}: the bundle of a release is missing; restore the folder from a backup."
    assert refused(lambda: bundles.get(digest)) == told


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "add", "link", "manifest", "no manifest"])
def test_a_bundle_that_was_damaged_where_it_lies_is_refused_and_mended_by_putting_it_again(
    bundles, bundle, kept, damage
):
    digest = bundles.put(bundle)
    folder, file = kept / digest, kept / digest / "model" / "weights"
    if damage == "flip":
        file.write_bytes(b"\x01" + file.read_bytes()[1:])
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif damage == "remove":
        file.unlink()
    elif damage == "add":
        (folder / "more").write_text("x")
    elif damage == "link":
        file.unlink()
        file.symlink_to(bundle / "model" / "weights")
    elif damage == "manifest":
        (folder / "more").write_text("x")
        write_manifest(folder)
    else:
        (folder / MANIFEST).unlink()
    told = refused(lambda: bundles.get(digest))
    if "manifest" in damage:
        assert told == f"{folder}: its {MANIFEST} is missing or was changed; restore the folder from a backup."
    else:
        assert told.startswith(f"{folder}: ")
    assert bundles.put(bundle) == digest
    assert content(bundles.get(digest)) == content(bundle)


@pytest.mark.parametrize(
    "digest", ["", "..", "../x", "/etc", "ab", "AB" * 32, "g" * 64, "a" * 65, "a" * 63 + "\n", "a\0"]
)
def test_what_is_no_digest_names_no_folder(bundles, digest):
    assert refused(lambda: bundles.get(digest)) == f"{digest!r} is no digest of a bundle: it has 64 of 0-9 a-f."


def test_many_that_put_the_same_bundle_at_once_all_get_it(bundles, bundle):
    meet = threading.Barrier(4, timeout=30)
    made, faults = [], []

    def put():
        meet.wait()
        try:
            made.append(bundles.put(bundle))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(set(made)) == 1
    assert bundles.get(made[0]).is_dir()


def test_a_folder_that_cannot_be_written_is_told(bundle, tmp_path, monkeypatch):
    def refuse(self, *arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    place = tmp_path / "closed"
    assert refused(lambda: Bundles(place).put(bundle)) == (
        f"{place}: cannot be written: permission denied; choose a folder that you may write."
    )


def test_a_bundle_is_sent_elsewhere_and_fetched_where_it_is_not(bundle, kept, remote, tmp_path):
    digest = Bundles(kept, remote).put(bundle)
    elsewhere = Bundles(tmp_path / "other machine", remote)
    assert content(elsewhere.get(digest)) == content(bundle)
    shutil.rmtree(kept)
    assert Bundles(kept, remote).put(bundle) == digest


def opened(remote, digest):
    import fsspec

    files, place = fsspec.core.url_to_fs(remote)
    return files, f"{place}/{digest}"


def test_what_was_sent_in_part_is_sent_again(bundle, kept, remote, tmp_path, monkeypatch):
    bundles = Bundles(kept, remote)
    files, place = opened(remote, sha256_of(bundle / MANIFEST))
    send, n_sent = type(files).put_file, []

    def lose_the_third(self, source, target, **settings):
        n_sent.append(1)
        if len(n_sent) == 3:
            raise TimeoutError("no answer\nmore")
        send(self, source, target, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(type(files), "put_file", lose_the_third)
        told = refused(lambda: bundles.put(bundle))
    assert told == f"{remote}: cannot be used now (TimeoutError: no answer)."
    assert not files.exists(f"{place}/{MANIFEST}")
    digest = bundles.put(bundle)
    assert content(Bundles(tmp_path / "other", remote).get(digest)) == content(bundle)


def test_what_is_damaged_elsewhere_is_refused_and_not_kept_here(bundle, kept, remote, tmp_path):
    digest = Bundles(kept, remote).put(bundle)
    files, place = opened(remote, digest)
    other = tmp_path / "other"
    files.pipe_file(f"{place}/labels.json", b"[]")
    told = refused(lambda: Bundles(other, remote).get(digest))
    assert told.startswith(f"{other / digest}: the file labels.json was changed or damaged (SHA-256 differs)")
    files.rm_file(f"{place}/labels.json")
    assert refused(lambda: Bundles(other, remote).get(digest)).startswith(f"{remote}: cannot be used now (FileNotFound")
    files.pipe_file(f"{place}/{MANIFEST}", b"{}")
    assert refused(lambda: Bundles(other, remote).get(digest)) == (
        f"{remote}: the {MANIFEST} of the bundle {digest[:12]}… was changed there."
    )
    files.rm_file(f"{place}/{MANIFEST}")
    assert refused(lambda: Bundles(other, remote).get(digest)) == (
        f"{remote}: holds no bundle {digest[:12]}…; was it removed there?"
    )
    assert not (other / digest).exists()


def test_what_else_lies_elsewhere_is_not_fetched(bundle, kept, remote, tmp_path):
    digest = Bundles(kept, remote).put(bundle)
    files, place = opened(remote, digest)
    files.pipe_file(f"{place}/more", b"x")
    assert content(Bundles(tmp_path / "other", remote).get(digest)) == content(bundle)


@pytest.mark.parametrize("name", ["../../planted", "/planted", "a/../../planted", "..\\planted"])
def test_a_manifest_elsewhere_leads_nowhere_out_of_the_bundle(bundle, kept, remote, tmp_path, name):
    """Somebody who can write both to the database and to the remote place."""
    write_json(bundle / MANIFEST, {"format": 1, "files": {name: {"sha256": "0" * 64, "size_bytes": 1}}})
    digest = sha256_of(bundle / MANIFEST)
    files, place = opened(remote, digest)
    files.makedirs(place, exist_ok=True)
    files.put_file(str(bundle / MANIFEST), f"{place}/{MANIFEST}")
    told = refused(lambda: Bundles(kept, remote).get(digest))
    assert told.endswith(f"the {MANIFEST} lists {name!r}, which lies outside of the bundle.")
    assert not [file for file in tmp_path.rglob("*planted*") if "elsewhere" not in str(file)]
    assert not os.path.exists("/planted")


def test_a_place_that_is_of_no_known_kind_is_told(bundle, kept):
    told = refused(lambda: Bundles(kept, "ipfsx://a/b").put(bundle))
    assert told.startswith("ipfsx://a/b: cannot be used now (ValueError: Protocol not known: ipfsx")


def test_without_fsspec_the_pip_line_is_told(bundle, kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert refused(lambda: Bundles(kept, "s3://bucket/burnish").put(bundle)).startswith(
        "this needs the library 'fsspec': pip install 'burnish[remote]'."
    )
