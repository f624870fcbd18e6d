"""The README's own lines work, and its test command is what CI runs."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_first_lines(demo_url, monkeypatch):
    monkeypatch.setenv("FORKBOOK_DEMO_URL", demo_url)
    names = {}
    exec(re.search(r"```python\n(.*?)```", README, re.DOTALL)[1], names)
    assert names["history"].branches == ["A", "B"]


def test_the_tree_it_prints_is_the_demos(demo_url, monkeypatch):
    import forkbook as fb

    with fb.connect(demo_url) as book:
        drawn = repr(book["5868deb3-45e8-5a33-8463-371a0092cf84"])
    printed = re.search(r"```\n(thread .*?)\n```", README, re.DOTALL)[1]
    anonymous = re.compile(r"\b[0-9a-f]{6}\b")
    assert anonymous.sub("······", printed) == anonymous.sub("······", drawn)


def test_ci_runs_the_command_that_it_names():
    script = (Path(__file__).parents[1] / ".ci" / "run").read_text()
    assert README.count("pytest -n auto") == 1
    assert 'grep -m1 "pytest -n auto" README.md' in script
