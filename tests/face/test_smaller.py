"""A script and a style sheet say the same without comments and needless space."""

import re

import pytest

from forkbook.face.joined import FOLDER, bundle
from forkbook.face.smaller import smaller, smaller_style, tokens


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("const a = 1; // one\nlet b = a + 1;", "const a=1;let b=a+1;\n"),
        ("/** Says. */\nfunction f(a, b) {\n  return a;\n}\nf();", "function f(a,b){return a;}\nf();\n"),
        ("say(\"// no  comment\", 'a\\' /* b');", "say(\"// no  comment\",'a\\' /* b');\n"),
        ("x = `a  ${ b ? `  c ${ {d: 1}.d }` : 0 }  e // f`;", "x=`a  ${b?`  c ${{d:1}.d}`:0}  e // f`;\n"),
        ("x = `costs $5 \\` ${ y }`;", "x=`costs $5 \\` ${y}`;\n"),
        ("a = /[/\"]  \\/  '/g.test(b) / 2 / c;", "a=/[/\"]  \\/  '/g.test(b)/2/c;\n"),
        ("return / +/.exec(x);", "return/ +/.exec(x);\n"),
        ("a = b + +c - -d;", "a=b+ +c- -d;\n"),
        ("let a = b\nlet c = d\n;[1].map(f)", "let a=b\nlet c=d\n;[1].map(f)\n"),
        ("a\n  .b()\n  ?.c(\n    d,\n  );", "a.b()?.c(d,);\n"),
        ("if (a) return;\nelse b();\ntypeof x;", "if(a)return;else b();typeof x;\n"),
        ("a => ({ b });\ni++\n++j", "a=>({b});i++\n++j\n"),
    ],
)
def test_a_script_without_what_says_nothing(script, expected):
    assert smaller(script) == expected


def test_a_template_that_does_not_end_is_refused():
    with pytest.raises(ValueError, match="does not end: '`abc"):
        smaller("x = `abc")


def test_a_style_sheet_without_what_says_nothing():
    style = (
        '/* a */\n.a,\n.b > .c {\n  width: calc(1px + 2px);\n  content: "▸";\n}\n'
        "@container (max-width: 1px) { .a :is(b, c) { x: y } }\n"
    )
    assert smaller_style(style) == (
        '.a,.b > .c{width:calc(1px + 2px);content:"▸"}@container (max-width:1px){.a :is(b,c){x:y}}\n'
    )


def test_the_front_end_keeps_every_token():
    whole = bundle(FOLDER / "app.js")
    said = [token for token in tokens(whole) if not token.isspace()]
    assert [token for token in tokens(smaller(whole)) if not token.isspace()] == said
    assert not any(re.match(r"//|/\*", token) for token in said)
