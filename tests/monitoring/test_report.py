import dataclasses
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs
from tests.monitoring.made import HOUR, NOON, alert, drawn, past, prediction, reference, window

from burnish.monitoring.report import Period, report_page
from burnish.monitoring.rules import Rulebook

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
QUICK = Rulebook.of({"rules": ["confidence", "label_mix", "errors", "volume", "drift"]})


class Page(HTMLParser):
    """Every element of a page with its attributes, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else self.inside

    def handle_endtag(self, tag):
        self.inside = None if tag == self.inside else self.inside

    def handle_data(self, data):
        self.text += "" if self.inside else data


def period(**fields):
    windows = [window(drawn(200, n), start=NOON + n * HOUR, n_errors=2, n_judged=20, n_wrong=3) for n in range(3)]
    given = {"name": "support@production", "windows": windows, "reference": reference(300)}
    return Period(**{**given, "alerts": [alert(sentence="向量远离了。")], **fields})


def evil_period():
    rows = [dataclasses.replace(one, label=f"{EVIL}{one.label}") for one in drawn(100)]
    bad = alert(
        name=EVIL, watch=EVIL, sentence=EVIL, numbers={"rule": EVIL}, by=EVIL, state="resolved", changed_at=NOON
    )
    return period(name=EVIL, windows=[window(rows)], alerts=[bad])


def read(given, rulebook=QUICK):
    text = report_page(given, rulebook)
    return text, Page(text)


def test_no_text_of_others_becomes_markup():
    text, found = read(evil_period())
    assert [tag for tag, _ in found.elements].count("script") == 3  # figures, plotly, ours
    assert "img" not in {tag for tag, _ in found.elements}
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert "document.title='owned'" in found.text
    assert "<img src=x" not in text.replace(get_plotlyjs(), "")


def test_a_long_label_may_be_broken_after_an_underscore_and_stays_text():
    rows = [dataclasses.replace(one, label="<b>_direct_deposit") for one in drawn(100)]
    text, found = read(period(windows=[window(rows)]))
    assert '<td class="key">&lt;b&gt;_<wbr>direct_<wbr>deposit</td>' in text
    assert "<b>_direct_deposit" in found.text


def test_the_page_forbids_every_request_and_makes_none():
    _, found = read(period())
    policy = next(attributes["content"] for tag, attributes in found.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:")
    assert not any({"src", "href"} & set(attributes) for _, attributes in found.elements)


def test_every_plot_has_its_place():
    _, found = read(period())
    places = {attributes["id"] for tag, attributes in found.elements if tag == "div" and "id" in attributes}
    names = ("overview", "volume", "latency", "confidence", "unsure", "labels", "quality")
    assert places == {f"plot-{name}" for name in names}


def test_a_reader_without_javascript_finds_the_numbers():
    _, found = read(period())
    assert "2025-11-25 12:00 – 2025-11-25 15:00 UTC, 3 windows of 1 h · held against 300 test rows" in found.text
    assert re.search(r"Inputs\s*600\s*200 a window", found.text)
    assert re.search(r"Failed\s*0\.99 %\s*6 requests", found.text)
    assert re.search(r"Called right\s*85\.0 %\s*of 60 judged answers", found.text)
    assert "向量远离了。" in found.text
    assert "退款" in found.text
    assert "6 of 202 requests failed" not in found.text
    assert "2 of 202 requests failed (1.0 %)" in found.text


def test_one_is_told_as_one():
    _, found = read(period(windows=[window(drawn(200), n_errors=1, n_judged=1, n_wrong=0)]))
    assert re.search(r"Failed\s*0\.50 %\s*1 request\s", found.text)
    assert re.search(r"Called right\s*100\.0 %\s*of 1 judged answer\s", found.text)


@pytest.mark.parametrize(
    ("alerts", "kind", "sentence"),
    [
        ([], "good", "No alert in this period."),
        ([alert(state="resolved")], "good", "1 alert, all resolved."),
        ([alert(), alert(state="resolved", severity="critical")], "warn", "1 alert not resolved, of 2 in this period."),
        ([alert(severity="critical"), alert()], "bad", "2 alerts not resolved, of 2 in this period."),
    ],
)
def test_the_head_says_how_it_stands(alerts, kind, sentence):
    _, found = read(period(alerts=alerts, windows=[window(drawn(60))]))
    assert sentence in found.text
    assert ("div", {"class": f"verdict {kind}"}) in found.elements


def test_what_is_raised_comes_first_in_the_table_of_the_last_window():
    unsure = [window(drawn(200, 5, sharpness=0.3))]
    _, found = read(period(windows=unsure, alerts=[]))
    table = found.text[found.text.index("The last window") :]
    assert table.index("Mean confidence of 200 answers") < table.index("requests failed")
    assert "Too little to look at." in table  # volume, without a past


def test_what_came_before_the_period_is_what_is_usual():
    windows = [window(drawn(300), start=NOON)]
    _, found = read(period(windows=windows, history=past([300, 310, 290] * 8)))
    assert "what is usual for this hour (300 inputs" in found.text


def test_as_much_past_is_looked_at_as_the_rules_say():
    without = Rulebook.of({"rules": ["volume"], "n_history": 0})
    _, found = read(period(history=past([300, 310, 290] * 8)), without)
    assert "usual for this hour" not in found.text


def test_labels_that_moved_furthest_come_first():
    rows = [prediction(n, label="退款" if n % 2 else "new") for n in range(100)]
    _, found = read(period(windows=[window(rows)], alerts=[]))
    table = found.text[found.text.index("Share of the answers over time") :]
    assert table.index("new") < table.index("退款")
    assert "+50.0" in table


def test_without_a_reference_it_says_what_is_left_out():
    _, found = read(period(reference=None))
    assert "There is no reference for this release" in found.text
    assert "The reference" not in found.text


def test_a_period_without_a_window_has_a_page():
    _, found = read(period(windows=[], alerts=[]))
    assert "There is no window in this period." in found.text


def test_a_period_in_which_nothing_came_has_a_page():
    _, found = read(period(windows=[window()], alerts=[]))
    assert re.search(r"Inputs\s*0", found.text)
    assert "nan" not in found.text


def test_all_default_rules_are_in_the_table():
    _, found = read(period(), None)
    for rule in Rulebook.default().rules:
        assert rule.name.replace("_", " ") in found.text


@pytest.mark.browser
def test_a_real_browser_draws_the_plots_and_runs_no_text_of_others(tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    path = tmp_path / "report.html"
    path.write_text(report_page(evil_period(), QUICK), "utf-8")
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [browser, *quiet, profile, "--virtual-time-budget=8000", "--dump-dom", path.as_uri()]
    drawn_page = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert drawn_page.count('class="main-svg"') >= 5
    assert "<title>owned</title>" not in drawn_page
