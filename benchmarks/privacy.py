"""Personal data: how much of it is masked in disguise, how much that is none is masked too, and what it costs.

    python benchmarks/privacy.py --sentences 10000 --seed 7

Each sentence, English or Chinese, holds one planted value, which is found when every letter and digit of it is masked.
Values, checks and disguises are made here, by code that shares nothing with the detectors.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import string
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from burnish.data.masking import Mask

Draw = random.Random
BASE62 = string.ascii_letters + string.digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--missed", type=int, default=0, help="how many misses and false masks to show")
    asked = parser.parse_args()
    mask = Mask.of()
    recall(mask, asked)
    precision(mask, asked)
    random_ids(asked.seed)
    speed(mask)


def digits(draw: Draw, n: int) -> str:
    return "".join(draw.choices(string.digits, k=n))


# ---------------------------------------------------------------------------------------------------------------------
# values


@dataclass(frozen=True)
class Value:
    """What is planted. `groups` is how people write it apart; `signs` are those at which it may wrap, else anywhere
    in a number; what `is_exact` has no other case."""

    plain: str
    groups: tuple[str, ...] = ()
    signs: str = ""
    is_exact: bool = False


def grouped(text: str, sizes: Sequence[int], joint: str = "") -> Value:
    groups, at = [], 0
    for size in sizes:
        groups.append(text[at : at + size])
        at += size
    assert at == len(text), (text, sizes)
    return Value(joint.join(groups), tuple(groups))


def mobile(draw: Draw) -> Value:
    number = f"1{draw.choice('3456789')}{digits(draw, 9)}"
    value = grouped(number, (3, 4, 4))
    if draw.random() < 0.3:
        prefix = draw.choice(("+86", "0086", "+86 "))
        return Value(prefix + value.plain, (prefix.strip(), *value.groups))
    return value


def landline(draw: Draw) -> Value:
    area = draw.choice(("010", "021", "0755", "0571", "028", "0411", "0898"))
    local = f"{draw.choice('2345678')}{digits(draw, 7)}"
    return (
        grouped(area + local, (len(area), 4, 4)) if draw.random() < 0.2 else grouped(area + local, (len(area), 8), "-")
    )


def abroad(draw: Draw) -> Value:
    forms = (("+44", (2, 4, 4), "20"), ("+1", (3, 3, 4), "415"), ("+49", (3, 8), "151"), ("+852", (4, 4), "9"),
             ("+81", (2, 4, 4), "90"), ("+61", (3, 3, 3), "412"), ("+33", (1, 2, 2, 2, 2), "6"))  # fmt: skip
    code, sizes, start = draw.choice(forms)
    number = start + digits(draw, sum(sizes) - len(start))
    if code == "+1":
        number = f"{start}{draw.choice('23456789')}{digits(draw, 6)}"
    value = grouped(number, sizes)
    return Value(f"{code}{draw.choice(('', ' '))}{value.plain}", (code, *value.groups))


def american(draw: Draw) -> Value:
    number = f"{draw.choice('23456789')}{digits(draw, 2)}{draw.choice('23456789')}{digits(draw, 6)}"
    return grouped(number, (3, 3, 4), "-")


def email(draw: Draw) -> Value:
    name = draw.choice(("zhang", "li.si", "bob", "anna_k", "wang-wu", "j.smith")) + draw.choice(("", digits(draw, 3)))
    host = draw.choice(("qq.com", "163.com", "gmail.com", "example.co.uk", "mail.example.org", "pku.edu.cn"))
    return Value(f"{name}@{host}", signs="@.")


REGIONS = ("110105", "310101", "440308", "510107", "330102", "620102", "810000", "650102", "350203")


def birthday(draw: Draw) -> date:
    return date(1940, 1, 1) + timedelta(days=draw.randrange(27_000))


def resident_id(draw: Draw) -> Value:
    head = f"{draw.choice(REGIONS)}{birthday(draw):%Y%m%d}{digits(draw, 3)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # the standard's table
    check = "10X98765432"[sum(int(one) * weight for one, weight in zip(head, weights, strict=True)) % 11]
    return grouped(head + check, (6, 8, 4))


def resident_id_15(draw: Draw) -> Value:
    region = draw.choice([one for one in REGIONS if one[0] != "8"])
    return grouped(f"{region}{birthday(draw):%y%m%d}{digits(draw, 3)}", (6, 6, 3))


def bank_card(draw: Draw) -> Value:
    prefix, n = draw.choice(
        (("622848", 19), ("621700", 19), ("622588", 16), ("4", 16), ("53", 16), ("37", 15), ("3568", 16))
    )
    head = prefix + digits(draw, n - len(prefix) - 1)
    total = 0
    for place, sign in enumerate(reversed(head)):
        number = int(sign) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    number = head + str((10 - total % 10) % 10)
    return grouped(number, {15: (4, 6, 5), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3)}[n])


def uscc(draw: Draw) -> Value:
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "".join(draw.choices(signs, k=8)) if draw.random() < 0.7 else f"MA{''.join(draw.choices(signs, k=6))}"
    organisation = sum(int(one, 36) * weight for one, weight in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    tail = "0123456789X"[(11 - organisation % 11) % 11]
    head = f"{draw.choice(('91', '92', '12', '51'))}{draw.choice(REGIONS[:5])}{body}{tail}"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # the standard's table
    rest = sum(signs.index(one) * weight for one, weight in zip(head, weights, strict=True)) % 31
    return grouped(head + signs[(31 - rest) % 31], (4, 4, 4, 4, 2))


def passport(draw: Draw) -> Value:
    head = draw.choice(("E", f"E{draw.choice('ABCDEFGH')}"))  # the last ones with G ran out in 2022
    return grouped(head + digits(draw, 9 - len(head)), (len(head), 9 - len(head)))


def permit(draw: Draw) -> Value:
    return draw.choice((travel_permit, travel_permit, hong_kong, taiwan))(draw)


def travel_permit(draw: Draw) -> Value:
    head = draw.choice("HMCT")
    return Value(head + digits(draw, draw.choice((8, 10)) if head in "HM" else 8))


def hong_kong(draw: Draw) -> Value:
    letter, body = draw.choice(string.ascii_uppercase), digits(draw, 6)
    total = 9 * 36 + 8 * (ord(letter) - 55) + sum(int(one) * (7 - at) for at, one in enumerate(body))
    return Value(f"{letter}{body}({'0123456789A'[-total % 11]})")


def taiwan(draw: Draw) -> Value:
    letters = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True))
    letter, body = draw.choice(string.ascii_uppercase), draw.choice("12") + digits(draw, 7)
    code = letters[letter]
    total = code // 10 + code % 10 * 9 + sum(int(one) * (8 - at) for at, one in enumerate(body))
    return Value(f"{letter}{body}{-total % 10}")


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def plate(draw: Draw) -> Value:
    tail = draw.choice((digits(draw, 5), f"{draw.choice(PLATE_LETTERS)}{digits(draw, 4)}", f"D{digits(draw, 5)}",
                        f"{digits(draw, 5)}F", f"{digits(draw, 4)}{draw.choice('学挂警')}"))  # fmt: skip
    return grouped(f"{draw.choice(PROVINCES)}{draw.choice(PLATE_LETTERS)}{tail}", (2, len(tail)))


def ipv4(draw: Draw) -> Value:
    numbers = (draw.choice((10, 192, 203, 47, 114, 223)), *(draw.randrange(1, 255) for _ in range(3)))
    return Value(".".join(map(str, numbers)), signs=".")


def ipv6(draw: Draw) -> Value:
    groups = [f"{draw.randrange(65536):x}" for _ in range(6)]
    return Value(draw.choice((f"2001:db8:{':'.join(groups)}", f"fe80::{':'.join(groups[:4])}")), signs=":")


def mac(draw: Draw) -> Value:
    return Value(draw.choice(":-").join(f"{draw.randrange(256):02X}" for _ in range(6)), signs=":-")


def secret(draw: Draw) -> Value:
    def of(n: int, signs: str = BASE62) -> str:
        return "".join(draw.choices(signs, k=n))

    forms = (f"sk-{of(40)}1", f"ghp_{of(36)}", f"AKIA{of(16, string.ascii_uppercase + string.digits)}", f"hf_{of(34)}",
             f"AIza{of(35)}", of(40), f"xoxb-{digits(draw, 12)}-{of(24)}", f"LTAI5t{of(18)}")  # fmt: skip
    return Value(draw.choice(forms), is_exact=True)


def qq(draw: Draw) -> Value:
    return Value(f"{draw.choice('123456789')}{digits(draw, draw.randint(5, 9))}")


def wechat(draw: Draw) -> Value:
    return Value(f"{draw.choice(('wx_', 'zhang', 'li_', 'abc-'))}{digits(draw, 5)}")


# ---------------------------------------------------------------------------------------------------------------------
# kinds: the part that finds it, how it is made, and the sentences that it stands in

PHONE_ZH = (
    "请打{}找我",
    "我的手机号是{}，晚上联系",
    "电话：{}",
    "{}是我的号码，谢谢",
    "收件人王芳{}上海市",
    "3，{}，李雷",
)
PHONE_EN = (
    "Call me at {} after six.", "My phone number is {}, thanks", "Reach Ann on {} please", "phone: {}", "12,{},yes",
)  # fmt: skip
ID_ZH = ("我的身份证号是{}，请核对", "乘客李雷 {} 已登机", "身份证{}", "持{}到柜台办理", "3，{}，李雷")
ID_EN = (
    "My ID number is {}.", "Passenger {} has boarded", "identity card {} attached", "I am {}, born there", "12,{},yes",
)  # fmt: skip

KINDS: dict[str, tuple[str, Callable[[Draw], Value], tuple[str, ...], tuple[str, ...]]] = {
    "mobile": ("phone", mobile, PHONE_ZH, (*PHONE_EN, "{} is mine, text me")),
    "landline": ("phone", landline, PHONE_ZH, PHONE_EN),
    "country code": ("phone", abroad, PHONE_ZH, (*PHONE_EN, "{} is mine")),
    "american": ("phone", american, PHONE_ZH[:3], PHONE_EN),
    "e-mail": ("email", email, ("邮箱是{}，谢谢", "发到{}就行", "联系{}"),
               ("write to {} please", "I am {}", "mail: {}")),
    "resident id": ("resident_id", resident_id, ID_ZH, ID_EN),
    "15-digit id": ("resident_id", resident_id_15, ID_ZH, ID_EN),
    "bank card": ("bank_card", bank_card, ("转到{}就行", "我的银行卡号{}，请退款", "{}被盗刷了"),
                  ("refund it to {} please", "my card number is {}", "{} was charged twice")),
    "uscc": ("uscc", uscc, ("统一社会信用代码{}", "我公司代码为{}，请开票", "甲方{}"),
             ("our credit code is {}", "the company {} pays", "code {}")),
    "passport": ("passport", passport, ("护照号{}", "护照是{}，已过期", "旅客{}"),
                 ("passport {}", "I travel with {}.")),
    "permit": ("permit", permit, ("通行证号{}", "回乡证：{}", "香港身份证{}"), ("home return permit {}", "HKID: {}")),
    "plate": ("plate", plate, ("车牌{}挡住了出口", "{}停在门口", "我的车是{}"), ("the car {} blocks us", "plate {}")),
    "IPv4": ("ip", ipv4, ("登录地址{}", "来自{}的请求"), ("login from {} failed", "my address is {}")),
    "IPv6": ("ip", ipv6, ("地址是{} 吗", "来自 {} 的请求"), ("login from {} failed", "host {} is up")),
    "MAC": ("ip", mac, ("网卡{}", "设备{}离线"), ("device {} is offline", "mac {}")),
    "secret": ("secret", secret, ("密钥是{}", "请用{}登录"), ("use {} to log in", "api key: {}")),
    "QQ": ("messenger", qq, ("加QQ{}", "QQ号：{}，谢谢"), ("QQ: {}", "add me on QQ {}")),
    "WeChat": ("messenger", wechat, ("加微信{}", "微信号：{}，谢谢", "微信：{}"), ("WeChat: {}", "my WeChat ID is {}")),
}  # fmt: skip
CHECKED = {"resident id", "bank card", "uscc"}

# ---------------------------------------------------------------------------------------------------------------------
# disguises: None where a value cannot be written so

SPACES, DASHES = " \u00a0\u3000\u2009", "-—－‑"
ZERO_WIDTH, BIDI = "\u200b\u200c\u200d\u2060\ufeff\u00ad", "\u200e\u202e\u2066\u2069\U000e0031\ufe0f\u0336\u0008"


def spaces(value: Value, draw: Draw) -> str | None:
    if value.groups:
        return draw.choice(SPACES).join(value.groups)
    return value.plain.replace("@", " @ ") if "@" in value.plain else None


def one_by_one(value: Value, draw: Draw) -> str | None:
    is_number = len(value.groups) > 1 and value.plain.isdigit() and len(value.plain) > 10
    return draw.choice(" -").join(value.plain) if is_number else None


def dashes(value: Value, draw: Draw) -> str | None:
    return draw.choice(DASHES).join(value.groups) if value.groups else None


def dots(value: Value, draw: Draw) -> str | None:
    is_number = len(value.groups) > 2 and "".join(value.groups).isdigit()
    return ".".join(value.groups) if is_number else None


def brackets(value: Value, draw: Draw) -> str | None:
    if "@" in value.plain:
        return draw.choice((value.plain.replace("@", "(at)"), value.plain.replace("@", " [at] ").replace(".", "[dot]")))
    if "." in value.plain:
        return value.plain.replace(".", "[.]")
    if value.groups and value.plain.isdigit():
        return draw.choice(("".join(f"【{one}】" for one in value.groups), f"{value.groups[0]}（{value.groups[1]}）"
                            + "".join(value.groups[2:])))  # fmt: skip
    return draw.choice("（[【").join(("", value.plain)) + "）"


def newline(value: Value, draw: Draw) -> str | None:
    first = value.plain.find("@")  # wrapped in its first part, an address looks like a word and a shorter address
    places = [at + 1 for at, one in enumerate(value.plain[:-1]) if one in value.signs and at >= first]
    if not value.signs and value.plain.isdigit():
        places = list(range(1, len(value.plain)))
    if not places:
        return None
    at = draw.choice(places)
    return value.plain[:at] + draw.choice(("\n", "\r\n")) + value.plain[at:]


def full_width(value: Value, draw: Draw) -> str | None:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in value.plain)


def sprinkled(value: Value, draw: Draw, signs: str) -> str:
    return (
        "".join(one + (draw.choice(signs) if draw.random() < 0.5 else "") for one in value.plain[:-1]) + value.plain[-1]
    )


def other_digits(value: Value, draw: Draw) -> str | None:
    alphabet = draw.choice(("٠١٢٣٤٥٦٧٨٩", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⓪①②③④⑤⑥⑦⑧⑨", "₀₁₂₃₄₅₆₇₈₉"))
    changed = value.plain.translate(str.maketrans(string.digits, alphabet))
    return None if changed == value.plain else changed


def lower_case(value: Value, draw: Draw) -> str | None:
    is_changed = value.plain.lower() != value.plain and not value.is_exact
    return value.plain.lower() if is_changed else None


DISGUISES: dict[str, Callable[[Value, Draw], str | None]] = {
    "plain": lambda value, _: value.plain,
    "spaces": spaces,
    "one by one": one_by_one,
    "dashes": dashes,
    "dots": dots,
    "brackets": brackets,
    "newline": newline,
    "full-width": full_width,
    "zero-width": lambda value, draw: sprinkled(value, draw, ZERO_WIDTH),
    "bidi, tags": lambda value, draw: sprinkled(value, draw, BIDI),
    "other digits": other_digits,
    "lower case": lower_case,
}

# ---------------------------------------------------------------------------------------------------------------------
# harmless numbers


def order_number(draw: Draw) -> str:
    day = date(2023, 1, 1) + timedelta(days=draw.randrange(1200))
    forms = (digits(draw, draw.randint(6, 20)), f"{day:%Y%m%d}{digits(draw, draw.randint(4, 12))}",
             f"{draw.choice('ABCDEFGHSP')}{digits(draw, draw.randint(6, 12))}", f"SF{digits(draw, 13)}",
             f"{digits(draw, 3)}-{digits(draw, 7)}-{digits(draw, 7)}", f"{day:%Y-%m%d}-{digits(draw, 6)}",
             f"{draw.choice('12345')}{digits(draw, 18)}", f"ORD-{digits(draw, 8)}", f"#{digits(draw, 5)}")  # fmt: skip
    return draw.choice(forms)


def timestamp(draw: Draw) -> str:
    moment = datetime(2015, 1, 1) + timedelta(seconds=draw.random() * 4e8)
    epoch = str(int(moment.timestamp() * 1e9))
    forms = (epoch[:10], epoch[:13], epoch[:16], epoch, moment.isoformat(), f"{moment:%Y%m%d%H%M%S}",
             f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment:%Y%m%d%H%M%S}{digits(draw, 3)}", f"{moment:%d/%m/%Y %H:%M}",
             f"{moment:%Y年%m月%d日%H时%M分}", f"{moment:%Y-%m-%dT%H:%M:%S}+0800")  # fmt: skip
    return draw.choice(forms)


def digest(draw: Draw) -> str:
    data = draw.randbytes(8)
    forms = (hashlib.md5(data).hexdigest(), hashlib.sha1(data).hexdigest(), hashlib.sha256(data).hexdigest(),
             hashlib.sha1(data).hexdigest()[:8], hashlib.sha256(data).hexdigest().upper(),
             str(uuid.UUID(bytes=draw.randbytes(16))), f"0x{data.hex()}",
             f"sha256:{hashlib.sha256(data).hexdigest()}")  # fmt: skip
    return draw.choice(forms)


def version(draw: Draw) -> str:
    a, b, c, d = (draw.randrange(30) for _ in range(4))
    forms = (f"{a}.{b}.{c}", f"v{a}.{b}", f"{a}.{b}.{c}-rc{d}", f"{a}.{b}.{c}.{d}",
             f"Chrome/{100 + a}.0.{5000 + b}.{c}", f"v{a}.{b}.{c}.{d}", f"{a}.{b}.{digits(draw, 8)}",
             f"{a}.{b}.{c}+build.{digits(draw, 4)}")  # fmt: skip
    return draw.choice(forms)


def price(draw: Draw) -> str:
    amount = int(10 ** draw.uniform(0, 11))
    forms = (f"¥{amount}", f"{amount}元", f"${amount:,}.{digits(draw, 2)}", f"{amount}.{digits(draw, 2)}",
             f"€ {amount}", f"{amount:,}", f"{amount:,}".replace(",", " ") + " USD", f"{amount}万",
             f"RMB {amount}.00")  # fmt: skip
    return draw.choice(forms)


HARMLESS: dict[str, tuple[Callable[[Draw], str], tuple[str, ...], tuple[str, ...]]] = {
    "order numbers, said to be": (order_number, ("订单号{}什么时候发货", "快递单号：{}", "我的订单{}呢"),
                                  ("order {} has not arrived", "tracking number {}", "Where is order no. {}?")),
    "order numbers, bare": (order_number, ("{}还没到", "请查一下{}"), ("where is {}?", "{} has not arrived")),
    "timestamps": (timestamp, ("时间{}开始报错", "{}登录失败"), ("failed at {}", "since {} it is down")),
    "hashes": (digest, ("哈希值{}", "提交{}有问题"), ("commit {} broke it", "checksum {}")),
    "versions": (version, ("升级到{}版本后闪退", "当前版本{}"),
                 ("after updating to {} it crashes", "version {}", "{} crashes")),
    "prices": (price, ("价格{}太贵", "一共{}"), ("it costs {} in total", "I paid {}")),
}  # fmt: skip
SHARES = {
    "order numbers, said to be": 1,
    "order numbers, bare": 1,
    "timestamps": 2,
    "hashes": 2,
    "versions": 2,
    "prices": 2,
}

# ---------------------------------------------------------------------------------------------------------------------
# what is measured


def planted(n: int, draw: Draw) -> Iterable[tuple[str, str, str, int, str]]:
    """Kind, disguise, sentence, where the value starts, and the value; even over kinds, disguises and languages."""
    probe = Draw(1)
    made = [(kind, name) for kind, (_, make, *_) in KINDS.items() for name, disguise in DISGUISES.items()
            if any(disguise(make(probe), probe) for _ in range(20))]  # fmt: skip
    for number in range(n):
        kind, name = made[number % len(made)]
        _, make, *languages = KINDS[kind]
        written = None
        while written is None:
            written = DISGUISES[name](make(draw), draw)
        before, _, after = draw.choice(languages[number // len(made) % 2]).partition("{}")
        yield kind, name, f"{before}{written}{after}", len(before), written


def recall(mask: Mask, asked: argparse.Namespace) -> None:
    n, n_found, n_named = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
    missed = []
    for kind, disguise, sentence, start, written in planted(asked.sentences, Draw(asked.seed)):
        found = mask(sentence).found
        wanted = {start + at for at, sign in enumerate(written) if sign.isalnum()}
        has_all = wanted <= {at for one in found for at in range(one.start, one.end)}
        for place in ((kind, disguise), (kind, ""), ("all", disguise), ("all", "")):
            n[place] += 1
            n_found[place] += has_all
        n_named[kind] += has_all and any(
            one.kind == KINDS[kind][0] and wanted & {*range(one.start, one.end)} for one in found
        )
        missed += [] if has_all else [(kind, disguise, sentence, mask(sentence).text)]
    print(f"Recall on {asked.sentences:,} sentences, in %; strict: every letter and digit is masked.\n")
    rows = [
        [kind, *(share(n_found[kind, name], n[kind, name]) for name in ("", *DISGUISES)),
         share(n_named[kind] if kind != "all" else n_named.total(), n_found[kind, ""])] for kind in (*KINDS, "all")
    ]  # fmt: skip
    table(("planted", "all", *DISGUISES, "of the right kind"), rows)
    checked = [sum(counts[kind, ""] for kind in CHECKED) for counts in (n_found, n)]
    print(f"\nChecksummed kinds together: {share(*checked, 2)} %.\n")
    show(missed, asked.missed)


def precision(mask: Mask, asked: argparse.Namespace) -> None:
    draw = Draw(asked.seed + 1)
    names = [name for name, share_of in SHARES.items() for _ in range(share_of)]
    n, n_masked, by_kind, false = Counter[str](), Counter[str](), defaultdict[str, Counter[str]](Counter), []
    for number in range(asked.sentences):
        name = names[number % len(names)]
        make, *languages = HARMLESS[name]
        sentence = draw.choice(draw.choice(languages)).format(make(draw))
        found = mask(sentence).found
        n[name] += 1
        n_masked[name] += bool(found)
        by_kind[name].update(one.kind for one in found)
        false += [(name, "", sentence, mask(sentence).text)] if found else []
    print(f"\nFalse masks on {asked.sentences:,} sentences with a harmless number.\n")
    n["all"], n_masked["all"] = n.total(), n_masked.total()
    rows = []
    for name in (*SHARES, "all"):
        taken_for = ", ".join(f"{kind} {times}" for kind, times in by_kind[name].most_common())
        rows.append((name, f"{n[name]:,}", str(n_masked[name]), share(n_masked[name], n[name], 2), taken_for))
    table(("numbers", "sentences", "masked", "%", "taken for"), rows)
    print()
    show(false, asked.missed)


def random_ids(seed: int) -> None:
    """How often random digits pass as a resident id, beside what chance says."""
    draw, mask, n = Draw(seed), Mask.of(["resident_id"]), 200_000
    n_passed = sum(bool(mask(f"{draw.choice('123456789')}{digits(draw, 17)}").found) for _ in range(n))
    n_days = (date.today() - date(1900, 1, 1)).days + 1
    provinces = 35 / 90 + 36 / 900  # first two digits of 90, or 9 and then two of 100
    expected = n * provinces * n_days / 10**8 / 11
    dated = [f"{draw.choice(REGIONS)}{birthday(draw):%Y%m%d}{digits(draw, 4)}" for _ in range(20_000)]
    n_dated = sum(bool(mask(one).found) for one in dated)
    print(
        f"\n18 random digits pass as a resident id {n_passed} times of {n:,} (provinces × dates × 1/11 say "
        f"{expected:.1f}); with a real place and date {share(n_dated, len(dated), 2)} % do (1/11 is {share(1, 11, 2)})."
    )


TEXTS = {
    "English, nothing in it": "How do I reset the thermostat after a power cut this morning?",
    "Chinese, nothing in it": "请问这个产品怎么退货？我买了以后一直没有用过，包装也还在，"
    "如果可以退的话请告诉我流程和需要多久，谢谢了",
    "English, numbers": "Order 20240115-88213 of 3 items for $129.99 arrived on 2024-01-15",
    "Chinese, numbers": "订单20240115882139共3件129.99元，2024年1月15日下午3点20分还没有送到，请帮我查一下物流",
    "English, two finds": "call me on 415-555-2671 about order 4482 please, or bob@x.com",
    "Chinese, two finds": "我的手机号是13800138000，身份证11010519491231002X，请查收",
}
LONG = {
    "English text": "The quick brown fox jumps over the lazy dog, and then it sleeps. ",
    "Chinese text": "今天的天气很好，我们去公园散步吧。请问这个产品怎么退货？",
    "English with numbers": "The order of 3 items for $129.99 arrived on 2024-01-15 at noon, thanks a lot. ",
    "one word": "a", "one number": "1", "1 1 1": "1 ", "a@a@": "a@", "zero-width": "1\u200b", "1.1.1": "1.",
    "passwords": "password", "4444 4444": "4444 ", "622202 622202": "622202 ", "mobiles": "13800138000 ",
}  # fmt: skip


def speed(mask: Mask) -> None:
    """Processor time, the best of several runs: other work on the machine does not count."""
    print("\nProcessor time.\n")
    rows = []
    for name, text in TEXTS.items():
        times = [timed(lambda text=text: [mask(text) for _ in range(1000)]) for _ in range(15)]
        rows.append((f"{name} ({len(text)} characters)", f"{min(times) * 1e3:.1f} µs", ""))
    for name, piece in LONG.items():
        text = piece * (1_000_000 // len(piece.encode()))
        whole, quarter = (
            min(timed(lambda part=part: mask(part)) for _ in range(3)) for part in (text, text[: len(text) // 4])
        )
        rows.append((f"1 MB: {name}", f"{whole * 1e3:.0f} ms", f"{whole / quarter:.1f}"))
    table(("text", "time", "times a quarter of it (linear: 4)"), rows)


def timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def share(part: int, whole: int, n_decimals: int = 1) -> str:
    return f"{100 * part / whole:.{n_decimals}f}" if whole else "—"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for line in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(line) + " |")


def show(cases: list[tuple[str, ...]], n: int) -> None:
    for case in cases[:n]:
        print("  ", *(repr(one) for one in case), file=sys.stderr)


if __name__ == "__main__":
    main()
