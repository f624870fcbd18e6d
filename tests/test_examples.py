"""Examples in public docstrings run: those after `>>>`, on a thread of the sample agent in this process.

An example may use `fb`, `book`, `history` (six checkpoints: a joke, and a fork with another topic) and `checkpoint`,
its tip A.
"""

import doctest
import importlib
import inspect
import pkgutil

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import forkbook as fb
from forkbook.demo.agent import builder

LEFT_OUT = ("forkbook.cli", "forkbook.widgets", "forkbook.demo")


def documented():
    """Every public function, class and method of the package that has an example, by its full name."""
    for info in pkgutil.walk_packages(fb.__path__, "forkbook."):
        if info.name.startswith(LEFT_OUT) or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != info.name:
                continue
            yield f"{info.name}.{name}", thing
            if inspect.isclass(thing):
                members = ((member, inspect.getattr_static(thing, member)) for member in vars(thing))
                yield from ((f"{info.name}.{name}.{member}", value) for member, value in members if member[0] != "_")


EXAMPLES = {
    name: doc
    for name, thing in documented()
    if ">>>" in (doc := inspect.getdoc(getattr(thing, "__func__", thing)) or "")
}


@pytest.fixture(scope="module")
def names():
    saver = InMemorySaver()
    with fb.connect(builder.compile(checkpointer=saver, name="agent")) as book:
        first = book.run(input={}, config={"configurable": {"user_id": "123"}})
        topic = next(cp for cp in first.history if "write_joke" in cp.next)
        history = topic.fork({"topic": "chickens"}).history
        yield {"fb": fb, "book": book, "history": history, "checkpoint": history.at(branch="A")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_comes_out(name, names):
    test = doctest.DocTestParser().get_doctest(EXAMPLES[name], dict(names), name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said = []
    assert not runner.run(test, out=said.append).failed, "".join(said)
