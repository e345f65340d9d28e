"""The page of the frontier: whole, safe, with every candidate in table and plot."""

import itertools
import math
import re
from html.parser import HTMLParser

import pytest
from tests.compression.test_frontier import candidate, frontier

from burnish.compression.frontier import Budget
from burnish.compression.page import frontier_page

NAUGHTY = "<script>alert(1)</script>"


class Balance(HTMLParser):
    """Every tag that opens is closed, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(page):
    found = Balance()
    found.feed(page)
    found.close()
    assert found.open == []
    return found.tags


def test_every_candidate_is_in_the_table_and_in_the_plot():
    one = frontier(
        candidate("quick", 200), candidate("bad", 400, most_drop=2), chosen="quick", refused={"bad": ["too much lost"]}
    )
    page = frontier_page(one)
    tags = parsed(page)
    assert tags.count("circle") == 3
    assert tags.count("tr") == 1 + 3
    assert 'class="dot chosen"' in page
    assert 'class="dot refused"' in page
    assert "<li><b>bad</b>: too much lost</li>" in page
    assert "Chosen: <b>quick</b>, by accuracy on 1,234 dev rows; at most\n0.5 points may be lost" in page
    assert "Measured on: processor x86_64, threads 2." in page


def test_it_loads_nothing_and_runs_nothing():
    page = frontier_page(frontier(candidate(NAUGHTY), chosen=NAUGHTY, refused={NAUGHTY: [NAUGHTY]}))
    assert "script" not in parsed(page)
    assert NAUGHTY not in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "default-src 'none'" in page


def test_where_nothing_fits_it_says_so():
    page = frontier_page(frontier(refused={"static": ["is too slow"]}))
    assert "Chosen: <b>nothing keeps to the budget</b>" in page
    assert "<h2>Not taken</h2>" in page
    parsed(page)


def test_without_anything_refused_there_is_no_such_part():
    assert "Not taken" not in frontier_page(frontier(candidate("quick"), chosen="quick"))


@pytest.mark.parametrize("drop", [0.0, -5.0, 90.0, math.nan, math.inf])
def test_every_dot_lies_within_the_plot_whatever_was_lost(drop):
    page = frontier_page(frontier(candidate("one", 5000, drop=drop, most_drop=drop), budget=Budget(max_drop=0)))
    parsed(page)
    for x, y in re.findall(r'<circle [^>]*cx="([^"]+)" cy="([^"]+)"', page):
        assert 0 <= float(x) <= 760
        assert 0 <= float(y) <= 380


def test_a_name_is_written_towards_the_middle_so_that_it_is_not_cut_off():
    page = frontier_page(frontier(candidate("slow", 100), candidate("a long name of a way", 4000)))
    for name, anchor in (("slow", "start"), ("a long name of a way", "end")):
        assert re.search(rf'text-anchor="{anchor}">{name}</text>', page)


def test_numbers_under_the_axis_stand_apart_and_the_quickest_has_one():
    page = frontier_page(frontier(candidate("a", 1035), candidate("b", 1123), candidate("c", 190)))
    under = re.findall(r'<text x="(\d+)" y="350" text-anchor="middle">([\d,]+)</text>', page)
    assert [speed for _, speed in under][:2] == ["1,123", "190"]
    places = [int(place) for place, _ in under]
    assert all(right - left >= 45 for right, left in itertools.pairwise(places))
    assert "<td>1,035</td>" in page


def test_names_of_ways_that_lie_near_each_other_are_not_written_over_each_other_or_over_a_dot():
    ways = [candidate(f"way number {n}", speed, drop=0.1) for n, speed in enumerate((640, 650, 700, 3, 3.1))]
    page = frontier_page(frontier(*ways))
    dots = [tuple(map(float, found)) for found in re.findall(r'<circle [^>]*cx="([^"]+)" cy="([^"]+)"', page)]
    words = re.findall(r'<text x="([^"]+)" y="([^"]+)" text-anchor="(start|end)">([a-z][^<]*)</text>', page)
    boxes = [(x - 6, x + 6, y) for x, y in dots]
    for place, height, anchor, name in words:
        begin, width = float(place), 6 * len(name)
        left = begin if anchor == "start" else begin - width
        boxes.append((left, left + width, float(height) - 4))
    names = boxes[len(dots) :]
    assert len(names) == len(dots) + 1  # and the axis's own
    overlapping = [
        (one, other)
        for one in names
        for other in boxes
        if one is not other and one[0] < other[1] and one[1] > other[0] and abs(one[2] - other[2]) < 12
    ]
    assert overlapping == []
