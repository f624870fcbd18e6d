"""The one escape: foreign text on its way to HTML shows every character, and none of it is obeyed."""

import pytest

from forkbook.model.text import escape, escape_lines
from forkbook.plot.html import esc

SHOWN = {
    "<img src=x onerror=alert(1)>": "&lt;img src=x onerror=alert(1)&gt;",
    "\"quoted\" 'twice' & $x$": "&#34;quoted&#34; &#39;twice&#39; &amp; &#36;x&#36;",
    "\u202egnp.exe": "\\u202egnp.exe",
    "\x1b[31mred": "␛[31mred",
    "\ud83d": "\\ud83d",
}


@pytest.mark.parametrize("text", SHOWN)
@pytest.mark.parametrize("door", [escape, escape_lines, esc])
def test_every_door_shows_what_would_not_show(door, text):
    assert door(text) == SHOWN[text]


def test_lines_and_tabs_stay_where_they_may():
    assert escape_lines("a\tb\r\nc\r\u2028") == "a\tb\nc␍\\u2028"
    assert escape("a\tb\nc") == "a␉b⏎c"
    assert esc(ValueError("<x>")) == "&lt;x&gt;"
