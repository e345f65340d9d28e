from __future__ import annotations

import os

import pytest

from burnish.core.errors import UserError
from burnish.core.settings import Settings, settings, usable_cores


@pytest.fixture(autouse=True)
def _read_afresh():
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("BURNISH_THREADS", "3")
    monkeypatch.setenv("BURNISH_OFFLINE", "1")
    assert (settings().n_threads, settings().offline) == (3, True)


def test_without_them_every_usable_core_is_taken(monkeypatch):
    for name in ("THREADS", "OFFLINE"):
        monkeypatch.delenv(f"BURNISH_{name}", raising=False)
    assert Settings().n_threads == len(os.sched_getaffinity(0))
    assert not Settings().offline


def test_cores_are_counted_where_the_system_knows_no_affinity(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == os.cpu_count()


def test_settings_are_read_once(monkeypatch):
    before = settings()
    monkeypatch.setenv("BURNISH_THREADS", "3")
    assert settings() is before


def test_a_wrong_variable_is_named(monkeypatch):
    monkeypatch.setenv("BURNISH_THREADS", "-2")
    with pytest.raises(UserError) as caught:
        settings()
    assert str(caught.value) == (
        "the environment variable BURNISH_THREADS: input should be greater than or equal to 0; got '-2'."
    )


def test_room_for_embeddings_is_bounded_and_may_be_none(monkeypatch):
    monkeypatch.delenv("BURNISH_EMBEDDINGS_MB", raising=False)
    assert Settings().embeddings_mb == 1024
    monkeypatch.setenv("BURNISH_EMBEDDINGS_MB", "0")
    assert Settings().embeddings_mb == 0
    monkeypatch.setenv("BURNISH_EMBEDDINGS_MB", "-1")
    with pytest.raises(UserError, match=r"^the environment variable BURNISH_EMBEDDINGS_MB: .* got '-1'\.$"):
        settings()
