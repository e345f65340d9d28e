"""Vectors on disk: found again by content, safe with other processes, remade when damaged, bounded, private."""

import hashlib
import multiprocessing
import os
import stat
import struct
import time

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.data.vectors import VectorCache, VectorFile, digests_of, store_vectors

MB = 1 << 20


def names(*numbers):
    return digests_of(b"%d" % number for number in numbers)


def rows(*numbers, width=3):
    return np.asarray([[number + column / 8 for column in range(width)] for number in numbers], np.float32)


def cache(root, kind="kind", width=3, limit_bytes=MB):
    return VectorCache(root, kind, width, limit_bytes)


def filled(root, *numbers, **settings):
    made = cache(root, **settings)
    made.add(names(*numbers), rows(*numbers))
    return made


def found(made, *numbers):
    is_known, vectors = made.find(names(*numbers))
    for number, known, vector in zip(numbers, is_known, vectors, strict=True):
        assert not known or vector.tolist() == rows(number)[0].tolist()
    return is_known.tolist()


def files(root):
    return sorted(root.rglob("*.vectors"))


def test_a_digest_is_the_sha256_of_its_content():
    assert digests_of([b"a", b"b"]).tobytes() == hashlib.sha256(b"a").digest() + hashlib.sha256(b"b").digest()
    assert len(digests_of([])) == 0


def test_what_was_added_is_found_by_its_digest_in_any_order(tmp_path):
    made = filled(tmp_path / "root", *range(40))
    made.add(names(50, 41), rows(50, 41))
    assert found(made, 41, 7, 60, 0, 50, 39) == [True, True, False, True, True, True]
    assert found(cache(tmp_path / "root"), 41, 7, 60, 7) == [True, True, False, True]  # in another run, and twice


def test_digests_that_end_in_zeros_are_told_apart(tmp_path):
    made = cache(tmp_path / "root")
    digests = np.frombuffer(b"\1" * 31 + b"\0" + b"\1" * 30 + b"\0\0", "S32")
    made.add(digests, rows(1, 2))
    is_known, vectors = made.find(digests)
    assert (is_known.tolist(), vectors.tolist()) == ([True, True], rows(1, 2).tolist())


def test_kinds_are_never_mixed(tmp_path):
    filled(tmp_path / "root", 1)
    assert found(cache(tmp_path / "root", kind="other"), 1) == [False]


def test_an_empty_cache_knows_nothing_and_makes_no_folder(tmp_path):
    assert found(cache(tmp_path / "root"), 1, 2) == [False, False]
    assert found(filled(tmp_path / "root", 1)) == []
    assert not (tmp_path / "other").exists()


def cut(content):
    return content[:-1]


def changed(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def with_other_digests(content):
    return content[:50] + bytes([content[50] ^ 1]) + content[51:]


def with_huge_count(content):
    return content[:32] + struct.pack("<2q", 1 << 61, 3) + content[48:]


def with_negative_count(content):
    return content[:32] + struct.pack("<2q", -1, 3) + content[48:]


@pytest.mark.parametrize(
    "damage",
    [cut, changed, with_other_digests, with_huge_count, with_negative_count, lambda _: b"", lambda _: b"short"],
)
def test_a_damaged_file_is_deleted_and_its_vectors_are_made_again(tmp_path, damage):
    filled(tmp_path / "root", 1, 2)
    [file] = files(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    made = cache(tmp_path / "root")
    assert found(made, 1, 2) == [False, False]
    assert not files(tmp_path)
    made.add(names(1, 2), rows(1, 2))
    assert found(made, 1, 2) == [True, True]


def test_vectors_of_another_width_are_deleted(tmp_path):
    filled(tmp_path / "root", 1)
    is_known, vectors = cache(tmp_path / "root", width=5).find(names(1))
    assert (is_known.tolist(), vectors.shape) == ([False], (1, 5))
    assert not files(tmp_path)


def test_a_file_that_another_process_deletes_is_no_fault(tmp_path):
    made = filled(tmp_path / "root", 1)
    unread = cache(tmp_path / "root")
    assert found(made, 1) == [True]
    files(tmp_path)[0].unlink()
    assert (found(made, 1), found(unread, 1)) == ([False], [False])


def test_the_least_recently_used_goes_where_there_is_no_room(tmp_path):
    size = 48 + 32 + 12  # one vector
    for number in (1, 2, 3):
        filled(tmp_path / "root", number, kind=str(number), limit_bytes=3 * size)
        os.utime(files(tmp_path / "root" / str(number))[0], (number, number))
    assert found(cache(tmp_path / "root", kind="1"), 1) == [True]  # used just now
    filled(tmp_path / "root", 4, kind="4", limit_bytes=3 * size)
    assert [found(cache(tmp_path / "root", kind=str(n)), n) for n in (1, 2, 3, 4)] == [[True], [False], [True], [True]]


def test_what_is_larger_than_all_room_is_not_kept(tmp_path):
    made = filled(tmp_path / "root", *range(40), limit_bytes=1000)
    assert not files(tmp_path)
    assert found(made, 1) == [False]


def test_what_a_crash_left_behind_is_deleted_after_a_day(tmp_path):
    folder = filled(tmp_path / "root", 1).folder
    old, young = folder / ".a.vectors.tmp-1", folder / ".b.vectors.tmp-2"
    for file, age_s in ((old, 25 * 3600), (young, 60)):
        file.touch()
        os.utime(file, (time.time() - age_s,) * 2)
    filled(tmp_path / "root", 2)
    assert (old.exists(), young.exists()) == (False, True)


def test_only_the_owner_may_read(tmp_path):
    (tmp_path / "root" / "kind").mkdir(parents=True, mode=0o755)
    filled(tmp_path / "root", 1)
    for path, mode in ((tmp_path / "root", 0o700), (tmp_path / "root" / "kind", 0o700), (files(tmp_path)[0], 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_disk_that_refuses_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("burnish.core.files.os.fsync", refuse)
    with pytest.raises(UserError, match="cannot be written: the disk is full"):
        filled(tmp_path / "root", 1)
    assert not list((tmp_path / "root").rglob("*.vectors*"))


def test_a_cache_that_may_only_be_read_is_of_use(tmp_path, monkeypatch):
    filled(tmp_path / "root", 1)

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("burnish.data.vectors.os.utime", refuse)
    assert found(cache(tmp_path / "root"), 1) == [True]


def test_a_folder_that_cannot_be_listed_holds_nothing(tmp_path, monkeypatch):
    filled(tmp_path / "root", 1)

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.glob", refuse)
    assert found(cache(tmp_path / "root"), 1) == [False]


def work(root, start):
    for number in range(start, start + 12):
        made = cache(root, limit_bytes=8 * 92)
        made.find(names(*range(40)))
        made.add(names(number), rows(number))
        found(made, *range(40))


def test_processes_may_write_read_and_delete_at_once(tmp_path):
    processes = multiprocessing.get_context("fork")
    several = [processes.Process(target=work, args=(tmp_path / "root", start)) for start in (0, 6, 12)]
    for one in several:
        one.start()
    for one in several:
        one.join(60)
    assert [one.exitcode for one in several] == [0, 0, 0]
    assert 1 <= len(files(tmp_path)) <= 8
    assert sum(found(cache(tmp_path / "root"), *range(40))) >= 1


def test_a_file_of_one_run_is_read_by_index(tmp_path):
    file = store_vectors(tmp_path / "v", [rows(0, 1), rows(2), np.zeros((0, 3), np.float32)], 3)
    assert file.read([2, 0]).tolist() == rows(2, 0).tolist()
    assert VectorFile(tmp_path / "v", 3).read([1]).tolist() == rows(1).tolist()


def test_a_file_that_ends_too_early_is_refused(tmp_path):
    file = store_vectors(tmp_path / "v", [rows(0, 1)], 3)
    os.truncate(tmp_path / "v", 20)
    with pytest.raises(UserError, match="was cut while it was read; run again to rebuild it"):
        file.read([1])
