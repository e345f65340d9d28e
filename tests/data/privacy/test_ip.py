"""Addresses on networks, and versions that look like them."""

import pytest

from burnish.data.masking import Mask

MASK = Mask.of(["ip"])


def found_in(text):
    return [text[one.start : one.end] for one in MASK(text).found]


@pytest.mark.parametrize(
    "address",
    [
        "203.0.113.7",
        "203 . 0 . 113 . 7",
        "203。0。113。7",
        "203.0.\n113.7",
        "203(.)0(.)113(.)7",
        "2001:db8::1",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "fe80::1ff:fe23:4567:890a",
        "::ffff:203.0.113.7",
        "2001:db8:85a3:\n8d3:1319:8a2e:370:7348",
        "00:1b:44:11:3a:b7",
        "00-1B-44-\n11-3A-B7",
        "001b.4411.3ab7",
    ],
)
@pytest.mark.parametrize("around", ["{}", "来自{}的请求", "from {}, at noon"])
def test_an_address_is_found(address, around):
    assert found_in(around.format(address)) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "256.1.1.1",
        "1.2.3",
        "203.0.113.7.1",
        "v203.0.113.7",
        "build 203.0.113.7",
        "203.0.113.7版本",
        "10.2.3.4",
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "12:30:45:50",
        "a::b",
        "1::2",
        "00:1b:44:11:3a",
        "00:1b:44:11:3a:b7:99",
        "2001:db8::xyz",
    ],
)
def test_what_looks_alike_is_left(text):
    assert found_in(text) == []


def test_four_small_numbers_are_an_address_where_words_are_about_networks():
    assert found_in("login from 10.2.3.4") == ["10.2.3.4"]
    assert found_in("服务器10.2.3.4") == ["10.2.3.4"]
    assert found_in("it came with 10.2.3.4") == []
