import errno
import os
import shutil
from pathlib import Path

import orjson
import pytest

from burnish.core.errors import UserError
from burnish.training.checkpoint import Checkpoints


def fill(text):
    """A checkpoint of two files that both hold `text`, so that a mixture of two would show."""

    def write(folder):
        (folder / "weights.safetensors").write_text(text)
        (folder / "state.json").write_text(text)

    return write


def read(path):
    texts = {(path / name).read_text() for name in ("weights.safetensors", "state.json")}
    assert len(texts) == 1
    return texts.pop()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path, "the-key")


def test_a_checkpoint_is_found_again(checkpoints):
    saved = checkpoints.save(3, fill("three"))
    assert checkpoints.newest() == (saved, [])
    assert read(saved) == "three"


def test_the_manifest_tells_step_format_key_and_each_file(checkpoints):
    manifest = orjson.loads((checkpoints.save(3, fill("three")) / "manifest.json").read_bytes())
    assert (manifest["step"], manifest["format"], manifest["key"]) == (3, 1, "the-key")
    # printf three | sha256sum
    sha256 = "8b5b9db0c13db24256c829aa364aa90c6d2eba318b9232a4ab9313b954d3555f"
    assert manifest["files"]["state.json"] == {"size_bytes": 5, "sha256": sha256}


def test_without_checkpoints_nothing_is_found(checkpoints):
    assert checkpoints.newest() == (None, [])
    assert Checkpoints(checkpoints.folder / "absent", "the-key").newest() == (None, [])


def test_the_two_newest_are_kept_by_number_and_not_by_name(checkpoints):
    for step in (8, 9, 10, 11):
        checkpoints.save(step, fill(str(step)))
    assert names(checkpoints.folder) == ["step-10", "step-11"]
    assert checkpoints.newest()[0].name == "step-11"


def test_a_complete_checkpoint_of_the_same_step_is_left_as_it_is(checkpoints):
    checkpoints.save(3, fill("three"))
    assert read(checkpoints.save(3, fill("again"))) == "three"


def test_a_damaged_checkpoint_of_the_same_step_is_replaced(checkpoints):
    (checkpoints.save(3, fill("three")) / "state.json").write_text("thre")
    assert read(checkpoints.save(3, fill("three"))) == "three"


def test_drafts_of_a_crash_are_swept(checkpoints):
    checkpoints.save(3, fill("three"))
    draft = checkpoints.folder / "step-4.tmp-0123"
    draft.mkdir()
    (draft / "state.json").write_text("half")
    assert checkpoints.newest()[0].name == "step-3"
    checkpoints.sweep()
    assert names(checkpoints.folder) == ["step-3"]


def test_clearing_deletes_every_checkpoint(checkpoints):
    checkpoints.save(3, fill("three"))
    checkpoints.clear()
    assert names(checkpoints.folder) == []


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["weights.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", [cut, zero, flip, Path.unlink])
def test_a_damaged_newest_checkpoint_is_passed_over(checkpoints, name, damage):
    checkpoints.save(3, fill("three"))
    newest = checkpoints.save(4, fill("four"))
    damage(newest / name)
    found, damaged = checkpoints.newest()
    assert read(found) == "three"
    assert damaged == [newest]


def test_every_flipped_byte_of_a_manifest_is_noticed(checkpoints):
    path = checkpoints.save(3, fill("three")) / "manifest.json"
    content = path.read_bytes()
    body = orjson.loads(content)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :])
        try:
            is_same = orjson.loads(path.read_bytes()) == body  # e.g. one kind of white space for another
        except orjson.JSONDecodeError:
            is_same = False
        assert (checkpoints.newest()[0] is not None) == is_same


def test_a_renamed_checkpoint_is_not_taken_for_another_step(checkpoints):
    checkpoints.save(3, fill("three")).rename(checkpoints.folder / "step-9")
    assert checkpoints.newest()[0] is None


def test_a_manifest_that_is_json_of_another_kind_is_damage(checkpoints):
    path = checkpoints.save(3, fill("three")) / "manifest.json"
    for content in (b"[]", b"{}", b"null", b'{"sha256": 3}', b'"text"'):
        path.write_bytes(content)
        assert checkpoints.newest()[0] is None


def test_the_checkpoint_of_another_recipe_is_refused(checkpoints):
    saved = checkpoints.save(3, fill("three"))
    sentence = (
        f"^{saved}: the checkpoint belongs to another recipe or other data; "
        r"go back to what it was made with, or run without --resume to start anew\.$"
    )
    with pytest.raises(UserError, match=sentence):
        Checkpoints(checkpoints.folder, "another-key").newest()


def test_the_checkpoint_of_another_format_is_refused(checkpoints, monkeypatch):
    saved = checkpoints.save(3, fill("three"))
    monkeypatch.setattr("burnish.training.checkpoint.FORMAT", 2)
    sentence = (
        f"^{saved}: the checkpoint has format 1 and this Burnish reads format 2; "
        r"resume with the Burnish that wrote it, or run without --resume\.$"
    )
    with pytest.raises(UserError, match=sentence):
        checkpoints.newest()


def test_a_full_disk_is_told_in_a_sentence_and_leaves_the_old_checkpoint_alone(checkpoints):
    checkpoints.save(3, fill("three"))

    def run_out(folder):
        fill("four")(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    sentence = (
        f"^{checkpoints.folder}: cannot be written: the disk is full; free some space and run the same command again"
    )
    with pytest.raises(UserError, match=sentence):
        checkpoints.save(4, run_out)
    assert names(checkpoints.folder) == ["step-3"]
    assert read(checkpoints.newest()[0]) == "three"


def test_a_disk_that_does_not_give_back_what_was_written_is_told_and_nothing_older_is_deleted(checkpoints, monkeypatch):
    checkpoints.save(2, fill("two"))
    checkpoints.save(3, fill("three"))
    rename = Path.rename

    def rename_and_lose(self, target):
        rename(self, target)
        cut(Path(target) / "state.json")

    monkeypatch.setattr(Path, "rename", rename_and_lose)
    sentence = r"step-4: what was written cannot be read back; check the disk, then use --resume\.$"
    with pytest.raises(UserError, match=sentence):
        checkpoints.save(4, fill("four"))
    assert read(checkpoints.newest()[0]) == "three"
    assert "step-2" in names(checkpoints.folder)


class Crash(BaseException):
    """The process is gone: no handler of ours may catch it, and nothing after it happens."""


class CrashAt:
    """Lets the first `n` durable operations through; from the next on the process is dead and no operation happens.

    `is_after` crashes just after the operation instead of just before it.
    """

    OPERATIONS = (
        (os, "fsync"),
        (os, "link"),
        (os, "unlink"),
        (os, "rmdir"),
        (os, "mkdir"),
        (Path, "mkdir"),
        (Path, "rename"),
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "write_text"),
        (Path, "write_bytes"),
        (shutil, "rmtree"),
    )

    def __init__(self, monkeypatch, n, is_after):
        self.n_left, self.is_after = n, is_after
        for owner, name in self.OPERATIONS:
            monkeypatch.setattr(owner, name, self.guard(getattr(owner, name)))

    def guard(self, operation):
        def run(*arguments, **options):
            if self.n_left < 0:
                raise Crash
            if self.n_left == 0 and not self.is_after:
                self.n_left = -1
                raise Crash
            # operations made of others (rmtree) count once each
            self.n_left -= 1
            is_last, n_left = self.n_left < 0, self.n_left
            self.n_left = 10**6
            try:
                result = operation(*arguments, **options)
            finally:
                self.n_left = n_left
            if is_last:
                raise Crash
            return result

        return run


@pytest.mark.parametrize("is_after", [False, True])
def test_a_crash_before_or_after_any_operation_of_a_save_leaves_the_old_or_the_new_state(tmp_path, is_after):
    n_crashes, is_done = 0, False
    seen = set()
    while not is_done:
        folder = tmp_path / str(n_crashes)
        checkpoints = Checkpoints(folder, "the-key")
        checkpoints.save(2, fill("two"))
        checkpoints.save(3, fill("three"))
        with pytest.MonkeyPatch.context() as monkeypatch:
            CrashAt(monkeypatch, n_crashes, is_after)
            try:
                checkpoints.save(4, fill("four"))
                is_done = True
            except Crash:
                n_crashes += 1
        checkpoints.sweep()
        seen.add(read(checkpoints.newest()[0]))
        assert checkpoints.save(5, fill("five")).name == "step-5"
        assert names(folder)[-1] == "step-5"
        assert len(names(folder)) == 2
    assert seen == {"three", "four"}
    assert n_crashes >= 10  # mkdir ×2, two files, their fsyncs, the manifest, the renames, the deletion


def test_a_crash_in_the_very_first_save_leaves_nothing_or_the_new_state(tmp_path):
    for n_crashes in range(40):
        folder = tmp_path / str(n_crashes)
        checkpoints = Checkpoints(folder, "the-key")
        with pytest.MonkeyPatch.context() as monkeypatch:
            CrashAt(monkeypatch, n_crashes, is_after=False)
            try:
                checkpoints.save(4, fill("four"))
            except Crash:
                pass
            else:
                return
        found, damaged = checkpoints.newest()
        assert damaged == []
        assert found is None or read(found) == "four"
    pytest.fail("the save never got through")
