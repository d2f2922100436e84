"""What fuzzed bytes are made of: the corpus, mutilated; JSON with the keys of the corpus and every oddity; tokens."""

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

ROWS: Final = [
    json.loads(line) for line in (Path(__file__).parents[1] / "corpus" / "wire.jsonl").read_text("utf-8").splitlines()
]
BODIES: Final = sorted({base64.b64decode(row["body_b64"]) for row in ROWS}, key=lambda body: (len(body), body))


def bodies_of(providers: set[str], actions: set[str]) -> list[bytes]:
    """Return what the corpus has of them, the shortest first: examples shrink towards it."""
    found = {row["body_b64"] for row in ROWS if row["provider"] in providers and row["action"] in actions}
    return sorted(map(base64.b64decode, found), key=lambda body: (len(body), body))


CALLBACKS: Final = bodies_of({"pingme"}, {"callback"})

_SMALL: Final = b'"|{|}|[|]|,|:|\\|\\ud800|\\u0000|1e999|-0|NaN|-Infinity|null|true|\r\n|\r\n\r\n|<html>|%|%00|&|=|+'
CRUMBS: Final = (
    *_SMALL.split(b"|"),
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"9" * 400,
    b"9" * 5000,
    b"[" * 2000,
    b'{"a":' * 2000,
)
ODD_NUMBERS: Final = ("0", "-0", "1e999", "-1E-999", "9" * 17, "9" * 5000, "NaN", "Infinity", "1.50", "true", "null")
ODD_TEXTS: Final = (
    '""',
    '" "',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\u0000"',
    '"\u202e\ufeff"',
    '"٤٨٢٩١٣"',
    '"😀"',
    '"²"',
    '"STATUS_OK:1"',
    f'"{"1" * 5000}"',
    '"9999-12-31T23:59:59.999Z"',
    '"0001-01-01 00:00:00"',
    '"2026-11-22 17:00:00"',
    '"+1 647 000 0000"',
    '"code is 123456"',
)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)


def documents(bodies: list[bytes]) -> Iterator[Any]:
    """Yield those that are JSON."""
    for body in bodies:
        try:
            yield json.loads(body)
        except ValueError:
            continue


DOCUMENTS: Final = list(documents(BODIES))
KEYS: Final = sorted({key for value in DOCUMENTS for key in _keys(value)})
CALLBACK_KEYS: Final = ("text", "to", "from", "userId", "app", "time", "apiKey", "x", "\x00")
TOKENS: Final = sorted({found.decode() for body in BODIES for found in re.findall(rb"^[A-Z][A-Z0-9_]+", body)})


_SELDOM: Final = st.integers(0, 9).map(lambda number: number == 9)
_ODD_KEYS: Final = st.sampled_from(("9" * 5000, "²", "٣", "", "\x00")) | st.sampled_from(KEYS)
_DEEP: Final = "[" * 3000 + "]" * 3000
_ODD_VALUES: Final = st.sampled_from((*ODD_NUMBERS, *ODD_TEXTS, "[]", "{}", "[[1]]", '{"0":{"text":"a"},"":[]}', _DEEP))


@st.composite
def mutilated(draw: st.DrawFn, wholes: st.SearchStrategy[bytes]) -> bytes:
    """Up to five pieces cut out, repeated, or made a crumb."""
    whole = draw(wholes)
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(whole)))
        end = min(len(whole), start + draw(st.integers(0, 9)))
        crumb = draw(st.sampled_from((b"", whole[start:end] * 2, *CRUMBS)))
        whole = whole[:start] + crumb + whole[end:]
    return whole


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members) + "}"


def json_texts(keys: tuple[str, ...] | list[str]) -> st.SearchStrategy[str]:
    """JSON in which a key may stand twice, and whatever a decoder may meet stands for a value."""
    scalars = st.sampled_from(ODD_NUMBERS) | st.sampled_from(ODD_TEXTS) | st.text(max_size=20).map(json.dumps)

    def larger(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        members = st.lists(st.tuples(st.sampled_from(keys), values), max_size=8)
        return members.map(_object) | st.lists(values, max_size=4).map(lambda each: f"[{','.join(each)}]")

    return larger(st.recursive(scalars, larger, max_leaves=12))


@st.composite
def retold(draw: st.DrawFn, documents: list[Any]) -> bytes:
    """A document of the corpus in which here and there a key or a value is an odd one."""

    def told(value: Any) -> str:
        if draw(_SELDOM):
            return draw(_ODD_VALUES)
        if isinstance(value, list):
            return f"[{','.join(map(told, value))}]"
        if isinstance(value, dict):
            return _object([(draw(_ODD_KEYS) if draw(_SELDOM) else key, told(inner)) for key, inner in value.items()])
        return json.dumps(value)

    return told(draw(st.sampled_from(documents))).encode()


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "surrogatepass")


ENCODINGS: Final = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")


def json_bodies(keys: tuple[str, ...] | list[str]) -> st.SearchStrategy[bytes]:
    return st.builds(_encoded, json_texts(keys), st.sampled_from(ENCODINGS))


def _long(unit: bytes, times: int, frame: Callable[[bytes], bytes]) -> bytes:
    return frame((unit * times)[:270_000])


LONG: Final = st.builds(
    _long,
    st.binary(min_size=1, max_size=6)
    | st.sampled_from(_SMALL.split(b"|"))
    | st.sampled_from((b"code 1", b"1 ", b"a1b2 ")),
    st.sampled_from((1000, 4000, 300_000)),
    st.sampled_from((lambda long: long, lambda long: b'{"to":"1","text":"' + long + b'"}', lambda long: b"[" + long)),
)
"""One thing said again and again, up to a little more than the receiver takes: slow patterns and deep recursion."""


NESTED: Final = st.builds(
    lambda opening, depth, closing: opening * depth + closing * depth,
    st.sampled_from((b"[", b'{"a":', b'{"text":[', b"(")),
    st.sampled_from((100, 900, 1000, 3000, 40_000)),
    st.sampled_from((b"", b"]", b"}")),
)
_ARRAYS: Final = st.builds(
    lambda element, times: b"[" + b",".join([element] * times) + b"]",
    st.sampled_from((b"0", b"{}", b"[]", b'{"text":"5611"}', b'{"text":[]}')),
    st.sampled_from((1, 2, 100, 101, 3000)),
)
_FORMS: Final = st.lists(st.tuples(st.sampled_from(CALLBACK_KEYS), st.binary(max_size=12)), max_size=6).map(
    lambda fields: b"&".join(name.encode() + b"=" + value for name, value in fields)
)
CALLBACK_BODIES: Final = st.one_of(
    mutilated(st.sampled_from(CALLBACKS)),
    retold(list(documents(CALLBACKS))),
    json_bodies(CALLBACK_KEYS),
    mutilated(st.sampled_from(BODIES)),
    _ARRAYS,
    _FORMS,
    st.binary(max_size=60),
    NESTED,
    LONG,
)
"""What may come instead of a callback; built once, since building a strategy takes longer than drawing from it."""


def packed(body: bytes, encoding: str) -> bytes:
    return gzip.compress(body, 1, mtime=0) if encoding == "gzip" else zlib.compress(body) if encoding else body
