"""The grammar of .npy headers, against Python's own."""

from __future__ import annotations

import ast
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from npzschema.validator.literal import MAX_DEPTH, LiteralError, parse

ACCEPTED = [
    "{}",
    "()",
    "[]",
    "(1,)",
    "(1)",
    "((1,),)",
    "(1, 2,)",
    "[1, 2]",
    "[1,]",
    "0",
    "-0",
    "-17",
    "True",
    "False",
    "None",
    "''",
    "'a'",
    '"a"',
    "u'a'",
    "U'a'",
    "'it\\'s'",
    '"\\""',
    "'\\\\'",
    "'\\x41\\u20ac\\U0001F600'",
    "'\\n\\t\\r\\a\\b\\f\\v'",
    "'é'",
    "'#'",
    "'{'",
    "'\t'",
    "{'a': 1}",
    "{'a': 1, }",
    "{'a': ('b', (1, [2]))}",
    "{\n 'a'\n:\n1}",
    "[('a', '<f4', (2,)), ('', '|V3')]",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 16, 16), }          \n",
    "(\f1\f)",
    "{'a': 1}\n \n",
    "{'a': 1} \t\f ",
    "{'a': 1}\n \f",
    "1" * 30,
]
REFUSED = [
    "",
    # Indented on a line of its own: for Python no expression.
    "\n {'a': 1}",
    "\r {'a': 1}",
    "\r\n {'a': 1}",
    "\f\n  {'a': 1}",
    # A last line of blanks alone is one more.
    "{'a': 1}\n ",
    "{'a': 1}\n   ",
    "{'a': 1}\r ",
    "{'a': 1}\r\n\t",
    "{'a': 1}\n\f ",
    "{'a': 1} \n\n ",
    # Numpy refuses whatever holds one.
    "{'a': {'b': 1}}",
    "{'a': [{'b': 1}]}",
    " ",
    "{",
    "}",
    "(",
    ")",
    "(,)",
    "[,]",
    "(1 2)",
    "(1,,)",
    "{1: 2}",
    "{'a'}",
    "{'a': }",
    "{'a': 1 'b': 2}",
    "{'a': 1,, }",
    "{True: 1}",
    "{'a': 1, 'a': 2}",
    "{'a': 1}}",
    "1 1",
    "(1))",
    "00",
    "01",
    "-01",
    "1.0",
    "1e3",
    "0x10",
    "0b1",
    "1_0",
    "+1",
    "--1",
    "- 1",
    "1j",
    "~1",
    "1+1",
    "not True",
    "true",
    "Truex",
    "nan",
    "inf",
    "x",
    "...",
    "b'a'",
    "r'a'",
    "f'a'",
    "ub'a'",
    "'a",
    "a'",
    "'a\"",
    "'a' 'b'",
    "'''a'''",
    "'\\q'",
    "'\\0'",
    "'\\101'",
    "'\\N{DIGIT ONE}'",
    "'\\x4'",
    "'\\u12'",
    "'\\U00110000'",
    "'\\\n'",
    "'a\nb'",
    "'a\rb'",
    "'a\0b'",
    "{}\0",
    "\0{}",
    "# hello",
    "{} # hello",
    "{};",
    "{1, 2}",
    "lambda: 1",
    "[x for x in ()]",
    "a.b",
    "f()",
    "__import__('os').system('true')",
    "(1 if 1 else 2)",
    "(*(1,),)",
    "{**{}}",
    "1l",
    "1" * 31,
    "9" * 5000,
    "\u0661",
    "\uff11",
    "\u00a01",
    "'" + "\\" * 9 + "'",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted_as_python_does(text):
    assert repr(parse(text)) == repr(ast.literal_eval(text))


@given(
    npst.scalar_dtypes() | npst.nested_dtypes(),
    st.booleans(),
    st.lists(st.integers(0, 10**19), max_size=5).map(tuple),
    st.sampled_from(["", " ", "    \n", "\n"]),
)
def test_headers_as_numpy_writes_them(dtype, fortran, shape, padding):
    fields = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": fortran, "shape": shape}
    text = "{" + "".join(f"'{key}': {value!r}, " for key, value in fields.items()) + "}" + padding
    assert repr(parse(text)) == repr(parse(" " + text)) == repr(ast.literal_eval(text))


@pytest.mark.parametrize("shape", ["(1 2)", "(1)", "(01,)", "(1,,)", "(,)", "(1, 2", "(-1,)", "(1,2)", "(1, 2,)"])
@pytest.mark.parametrize("descr", ["'<f4'", "'<f4", "'<f\\x34'", "'\u0663'"])
def test_headers_that_look_much_like_those(shape, descr):
    text = f"{{'descr': {descr}, 'fortran_order': True, 'shape': {shape}, }}\n"
    try:
        expected = repr(parse(" " + text))
    except LiteralError as error:
        with pytest.raises(LiteralError, match=re.escape(str(error))):
            parse(text)
    else:
        assert repr(parse(text)) == expected


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
@pytest.mark.parametrize("allow_long", [False, True])
def test_refused(text, allow_long):
    with pytest.raises(LiteralError):
        parse(text, allow_long=allow_long)


@pytest.mark.parametrize("mark", ["(", "[", "{", "{'a':", "((,", "-", "not ", "'", "[(", "\\"])
@pytest.mark.parametrize("length", [100, 10_000, 1_000_000])
def test_nesting_costs_nothing(mark, length):
    with pytest.raises(LiteralError):
        parse(mark * (length // len(mark)))


def test_depth_is_bounded():
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(LiteralError, match="nested too deeply"):
        parse("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))


def test_integers_of_python_2():
    assert parse("(48L, -5L, 0L)", allow_long=True) == (48, -5, 0)
    with pytest.raises(LiteralError, match="'48L' is Python 2's"):
        parse("(48L,)")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{'a': 1", "it ends too early"),
        ("{'a' 1}", "a colon is missing"),
        ("(1 2)", "a comma is missing"),
        ("{5: 1}", "a key is not text"),
        ("{'a': 1, 'a': 2}", "the key 'a' stands twice"),
        ("{} {}", "'{}' follows the dictionary"),
        ("@", "'@' is not understood"),
        ("(:)", "':' stands where a value is expected"),
        ("9" * 40, "more than 30 digits"),
    ],
)
def test_says_what_is_wrong(text, why):
    with pytest.raises(LiteralError, match=why.replace("{", "\\{").replace("(", "\\(")):
        parse(text)


@pytest.mark.parametrize("length", range(5))
def test_whatever_blanks_follow_it_is_as_python_has_it(length):
    for blanks in itertools.product(" \t\r\n\f", repeat=length):
        text = "{'a': 1}" + "".join(blanks)
        try:
            wanted = ast.literal_eval(text)
        except SyntaxError:
            with pytest.raises(LiteralError):
                parse(text)
        else:
            assert parse(text) == wanted
