import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from burnish.evaluation.formats.html import Html, _asset
from burnish.evaluation.formats.json import Json
from burnish.evaluation.formats.markdown import Markdown
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome

EVIL = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>|`x` **b** [l](http://x)"


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


@pytest.fixture
def page(tmp_path):
    def write(report):
        text = Html().write(report, tmp_path).read_text("utf-8")
        return text, Page(text)

    return write


@pytest.fixture
def evil_report(make_report, make_outcome):
    def make(kind):
        outcome = make_outcome(kind)
        if kind is SpanOutcome:
            gold, found = [[Span(0, 5, EVIL)]], [[Span(0, 9, EVIL, 0.9)]]
            outcome = SpanOutcome(gold, found, [[f"B-{EVIL}"]], [["O"]], [[0.5]], (EVIL,))
        else:
            outcome = type(outcome)(
                **{**vars(outcome), "labels": tuple(f"{EVIL}{i}" for i in range(len(outcome.labels)))}
            )
        n = len(outcome)
        fields = {
            "texts": lambda rows: [EVIL for _ in rows],
            "slices": {EVIL: [EVIL] * n},
            "about": {"name": EVIL, EVIL: EVIL},
        }
        return make_report(kind, outcome=outcome, raw=outcome, dev=None, n_tokens=np.full(n, 5), **fields)

    return make


@pytest.mark.parametrize("kind", [SingleOutcome, MultiOutcome, SpanOutcome])
def test_no_text_of_the_user_becomes_markup(kind, page, evil_report):
    text, found = page(evil_report(kind))
    assert [tag for tag, _ in found.elements].count("script") == 3  # figures, plotly, ours
    assert "img" not in {tag for tag, _ in found.elements}
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert "document.title='owned'" in found.text
    assert "<img src=x" not in text.replace(get_plotlyjs(), "")


def test_the_page_forbids_every_request_and_makes_none(page, make_report):
    _, found = page(make_report(SingleOutcome))
    policy = next(attributes["content"] for tag, attributes in found.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:")
    assert not any({"src", "href"} & set(attributes) for _, attributes in found.elements)


def test_the_plotting_library_is_in_the_page_once(page, make_report):
    text, _ = page(make_report(SingleOutcome))
    assert text.count(get_plotlyjs()) == 1


@pytest.mark.parametrize("kind", [SingleOutcome, MultiOutcome, SpanOutcome])
def test_every_plot_has_its_place(kind, page, make_report):
    _, found = page(make_report(kind))
    places = {attributes["id"] for tag, attributes in found.elements if tag == "div" and "id" in attributes}
    assert {"plot-reliability", "plot-coverage", "plot-classes", "plot-length", "plot-slice-0"} <= places
    assert ("plot-confusion" in places) is (kind is not MultiOutcome)


def test_a_reader_without_javascript_finds_the_numbers(page, make_report):
    report = make_report(SingleOutcome, gates={"accuracy": ">= 0.9"})
    _, found = page(report)
    assert f"{100 * report.scores['accuracy']:.1f} %" in found.text
    assert report.verdict in found.text
    assert "label 3" in found.text
    assert "text of row" in found.text


def test_span_errors_show_the_text_with_gold_and_answered_marks(page, make_report):
    outcome = SpanOutcome(
        [[Span(0, 2, "城市")]], [[Span(0, 3, "城市", 0.9)]], [["B-城市"]], [["O"]], [[0.5]], ("城市",)
    )
    fields = {"texts": lambda rows: ["上海银行"], "n_tokens": np.array([4]), "slices": {}, "dev": None}
    text, _ = page(make_report(SpanOutcome, outcome=outcome, raw=outcome, **fields))
    assert '<mark class="missed">上海<small>城市</small></mark>银行' in text
    assert '<mark class="invented">上海银<small>城市</small></mark>行' in text


def test_markdown_keeps_text_of_the_user_inside_its_cell(evil_report, tmp_path):
    text = Markdown().write(evil_report(SingleOutcome), tmp_path).read_text("utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"(?<!\\)\]\(http", text)
    tables = [line for line in text.splitlines() if line.startswith("|")]
    errors = [line for line in tables if "onerror" in line and re.match(r"\| \d", line)]
    assert errors
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in errors)


def test_markdown_leaves_plain_words_and_conditions_readable(make_report, tmp_path):
    text = Markdown().write(make_report(SingleOutcome, gates={"macro_f1": ">= 0.9"}), tmp_path).read_text("utf-8")
    assert "| macro_f1 | >= 0.9 |" in text
    assert text.startswith("# classification · minilm\n\n**The gate is missed: macro_f1 is ")


def test_markdown_is_short_when_labels_are_many(make_report, make_outcome, tmp_path):
    outcome = make_outcome(SingleOutcome, n_labels=400, n_rows=600)
    report = make_report(SingleOutcome, outcome=outcome, raw=outcome, dev=None, n_rows=600)
    assert len(Markdown().write(report, tmp_path).read_text("utf-8").splitlines()) < 150


def test_markdown_says_where_a_text_goes_on(make_report, tmp_path):
    long, shorter = "a" * 500, "b" * 120
    fields = {"texts": lambda rows: [long if number else shorter for number, _ in enumerate(rows)]}
    text = Markdown().write(make_report(SingleOutcome, **fields), tmp_path).read_text("utf-8")
    assert f"| {'a' * 120}… |" in text
    assert f"| {shorter} |" in text


def test_markdown_says_where_a_text_began_earlier(make_report, make_outcome, tmp_path):
    span = Span(1_000, 1_006, "LOC")
    outcome = SpanOutcome([[span]], [[]], [["B-LOC"]], [["O"]], [[0.5]], ("LOC",))
    fields = {"texts": lambda rows: ["x" * 2_000], "n_tokens": np.array([4]), "slices": {}, "dev": None}
    text = (
        Markdown().write(make_report(SpanOutcome, outcome=outcome, raw=outcome, **fields), tmp_path).read_text("utf-8")
    )
    assert f"| …{'x' * 120}… |" in text


def test_a_label_breaks_only_where_it_is_longer_than_any_column():
    style = re.search(r"^\.label \{(.*)\}", _asset("report.css"), re.MULTILINE)
    assert "overflow-wrap: break-word" in style[1]
    assert "word-break: keep-all" in style[1]


def test_json_holds_the_whole_report(make_report, tmp_path):
    report = make_report(SpanOutcome)
    path = Json().write(report, tmp_path)
    assert type(report).model_validate_json(path.read_bytes()) == report


@pytest.mark.browser
@pytest.mark.parametrize("kind", [SingleOutcome, SpanOutcome])
def test_a_real_browser_draws_the_plots_and_runs_no_text_of_the_user(kind, evil_report, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("needs Chromium")
    path = Html().write(evil_report(kind), tmp_path)
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [browser, *quiet, profile, "--virtual-time-budget=8000", "--dump-dom", path.as_uri()]
    drawn = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert drawn.count('class="main-svg"') >= 5
    assert "<title>owned</title>" not in drawn
