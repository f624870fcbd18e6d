"""What an explorer gives its page."""

import forkbook as fb
from forkbook.widgets.answers import QUESTIONS, TABS


def given_to_the_page(explorer):
    """Its traits as they are sent, and the answer to each question about each checkpoint; an error as its text."""
    yield explorer.get_state()
    for position in range(len(explorer.history)):
        for tab in TABS:
            yield answered(explorer, "view", position=position, tab=tab)
        for name in ("show", "schema"):
            yield answered(explorer, name, position=position)
        yield answered(explorer, "messages", position=position, **{"from": 0, "to": 100})
    yield answered(explorer, "compare", positions=[0, len(explorer.history) - 1])


def answered(explorer, name, **about):
    try:
        return QUESTIONS[name].answer(explorer, about)
    except fb.ForkbookError as error:
        return str(error)
