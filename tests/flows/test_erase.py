"""`erase`: who asked or what was asked is forgotten, wherever it waits."""

from pathlib import Path

import pytest
from tests.flows.conftest import ask, correct
from tests.store.conftest import prediction, release

from burnish.core.errors import NotFound, UserError
from burnish.core.settings import settings
from burnish.flows.erase import erase, erase_input
from burnish.flows.recording import digest_of

CANARY = "canary-4711"


def texts_kept(home):
    return sorted(one.input["text"] for one in home.predictions.of_period("intent"))


def test_what_a_key_asked_goes_with_the_feedback_on_it(home):
    key, _ = home.keys.create("ann", ["predict"], "user bob")
    own = ask(home, ["good day", "我的好"], key=key.id)
    others = ask(home, ["so bad"], key="key_2")
    correct(home, [*own, *others], ["bad", "bad", "bad"])
    assert erase(key=key.id) == 2
    assert texts_kept(home) == ["so bad"]
    assert [one.prediction for one in home.corrections.of_period("intent")] == [others[0].id]


def test_what_was_answered_to_a_text_goes_whoever_asked_and_nothing_else(home):
    ask(home, ["good day", "good day ", "GOOD DAY"], key="key_1")
    ask(home, ["good day"], key="key_2", keep="hashed")
    assert erase(text="good day") == 2
    assert texts_kept(home) == ["GOOD DAY", "good day "]


def test_a_row_is_erased_by_all_of_its_columns(home):
    row = {"text": "a", "text_pair": "b"}
    home.predictions.add([prediction("p_1", input_digest=digest_of(home, row))])
    assert erase_input(home, {"text": "a"}, "user ann") == 0
    assert erase_input(home, row, "user ann") == 1


def test_a_text_is_read_as_every_task_that_was_ever_released_reads_it(new_home):
    """A model of which no version is in production any more still has answers."""
    new_home.releases.register(release("faq", task="retrieval"))
    column = "query"
    new_home.predictions.add([prediction("p_1", name="faq", input_digest=digest_of(new_home, {column: "我的钱?"}))])
    assert erase(text="我的钱?") == 1


def test_what_waits_in_a_journal_is_erased_too(home):
    journal = home.journal()
    [waiting] = ask(home, [CANARY])
    home.predictions.erase("user ann", key="key_1")
    [waiting] = ask(home, [f"{CANARY} again"], key="key_3")
    home.predictions.erase("user ann", key="key_3")
    journal.add(
        [prediction("p_9", key="key_4", input={"text": CANARY}, input_digest=digest_of(home, {"text": CANARY}))]
    )
    assert erase(text=CANARY) == 1
    journal.close()
    assert list(home.predictions.of_period("intent")) == []
    database = Path(str(home.store.engine.url.database))
    assert not any(CANARY.encode() in file.read_bytes() for file in database.parent.glob("burnish.db*"))
    assert not any(CANARY.encode() in file.read_bytes() for file in (home.folder / "journal").iterdir())
    assert waiting.id not in str(list(home.audit.entries()))


def test_the_audit_log_says_that_and_not_what_was_erased(home):
    ask(home, [CANARY])
    erase(text=CANARY)
    last = list(home.audit.entries())[-1]
    assert (last.what, last.about, last.detail) == ("erased", "one input", {"predictions": 1})
    assert CANARY not in str(list(home.audit.entries()))


def test_an_unknown_key_is_told(home):
    with pytest.raises(NotFound, match="key_9"):
        erase(key="key_9")


def test_a_text_that_nobody_asked_erases_nothing(home):
    assert erase(text="nobody asked") == 0


def test_what_a_subject_of_the_issuer_asked_goes_by_its_name_there(home, monkeypatch):
    issuer = "https://login.example.com"
    monkeypatch.setenv("BURNISH_OIDC_ISSUER", issuer)
    settings.cache_clear()
    ask(home, ["good day"], key=home.subject_of(issuer, "ann"))
    ask(home, ["so bad"], key=home.subject_of(issuer, "ben"))
    assert erase(subject="ann") == 1
    assert texts_kept(home) == ["so bad"]


def test_a_subject_is_one_of_an_issuer(home):
    with pytest.raises(UserError, match=r"^a subject is one of an issuer; say of which by BURNISH_OIDC_ISSUER, as the"):
        erase(subject="ann")
