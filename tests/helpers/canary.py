"""A secret that tests give away, and where to look for it: every traceback, log, attribute and pickle of an error."""

import contextlib
import pickle
import traceback

import pytest
from IPython.core import ultratb
from rich.traceback import Traceback

import forkbook as fb

CANARY = "canary7f3a91e2"


def canary():
    """The secret; a caller's own frame shows only the name of this function."""
    return "canary" + "7f3a91e2"


def every_traceback(error):
    """What IPython, rich and the standard library say of an error, with all locals that they show."""
    kinds = (type(error), error, error.__traceback__)
    said = [
        text.stb2text(text.structured_traceback(*kinds))
        for mode in ("Plain", "Context", "Verbose", "Minimal")
        for text in [ultratb.FormattedTB(mode=mode, theme_name="nocolor")]
    ]
    said += said_by_rich(*kinds)
    whole = traceback.TracebackException(*kinds, capture_locals=True, compact=False)
    return "\n".join([*said, *whole.format(), *traceback.format_exception(*kinds)])


def said_by_rich(*kinds):
    """What rich shows of an error, in one piece a value; without its frames and colours, which take seconds."""
    found = Traceback.extract(*kinds, show_locals=True, locals_max_length=None, locals_max_string=None)
    for stack in found.stacks:
        yield f"{stack.exc_type}: {stack.exc_value}"
        for frame in stack.frames:
            yield from (f"{name} = {value}" for name, value in (frame.locals or {}).items())


def chain(error):
    """An error and all that came before it, hidden ones too."""
    found, waiting = [], [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


def everything_about(error):
    """All that can be seen of an error: tracebacks, arguments, attributes, notes, its whole chain and their locals."""
    said = []
    for one in chain(error):
        said += [str(one), repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "__notes__", ""))]
        said += [every_traceback(one)] if one.__traceback__ else []
        with contextlib.suppress(Exception):
            said.append(repr(pickle.dumps(one)))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            ours = "forkbook" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename
            said += [repr(value) + repr(getattr(value, "__dict__", "")) for value in frame.f_locals.values()] * ours
    return "\n".join(said)


def shows_nothing(way, *expected):
    """Check that it raises an error, and that nothing about that shows the secret."""
    with pytest.raises(expected or fb.ForkbookError) as caught:
        way()
    text = everything_about(caught.value)
    assert "way()" in text
    assert CANARY not in text, where(text)


def where(text):
    """The lines that show the secret, for whoever has to find out why."""
    return "\n".join(line[max(line.find(CANARY) - 150, 0) :][:300] for line in text.split("\n") if CANARY in line)


def frames_show_nothing(way):
    """Check that it raises an error, and that the locals of forkbook's own frames do not show the secret."""
    with pytest.raises(fb.ForkbookError) as caught:
        way()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if "/forkbook/" in frame.f_code.co_filename]
    said = [
        f"{frame.f_code.co_qualname}: {name} = {value!r}" for frame in ours for name, value in frame.f_locals.items()
    ]
    text = "\n".join([str(caught.value), *said])
    assert CANARY not in text, where(text)
