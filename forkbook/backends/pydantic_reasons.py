"""Why an edit or a state is refused, in words: pydantic's report on one line, the fields by name. Pure."""

import re

from ..model.text import cut

LONGEST = 300  # characters of a line
HEAD = re.compile(r"\d+ validation errors? for (?P<name>[^\n]+)\n")
FIELD = re.compile(
    r"^(?:(?P<field>\S[^\n]*)\n)?  (?P<why>\S[^\n]*?) \[type=\w+, input_value=(?P<given>.*?), input_type=\w+\]", re.M
)


def with_pydantic_reason(text: str) -> str:
    """A text with pydantic's report in it as a sentence; another text as it is.

    Args:
        text: What an exception or a server said, its lines whole.
    """
    head = HEAD.search(text)
    found = [] if head is None else list(FIELD.finditer(text, head.end()))
    if head is None or not found:
        return text
    fields = (f"{each['field'] or 'the whole'}: {each['why']} (given {each['given']})" for each in found)
    return f"{text[: head.start()]}{head['name']} refuses {'; '.join(fields)}"


def in_one_line(text: str) -> str:
    """What an exception or a server said, in a line that is not too long; pydantic's report as a sentence."""
    return cut(" ".join(with_pydantic_reason(text).split()), LONGEST)


def exception_in_one_line(error: Exception) -> str:
    """The name of an exception's class and what it says, in a line."""
    return in_one_line(f"{type(error).__name__}: {error}")
