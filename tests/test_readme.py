"""The README's own lines work, and its test command is what CI runs."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_first_lines(demo_url, monkeypatch):
    monkeypatch.setenv("FORKBOOK_DEMO_URL", demo_url)
    names = {}
    exec(re.search(r"```python\n(.*?)```", README, re.DOTALL)[1], names)
    assert names["history"].branches == ["A", "B"]


def test_what_goes_on_into_files(demo_url, demo_threads, monkeypatch, tmp_path):
    import forkbook as fb

    monkeypatch.chdir(tmp_path)
    with fb.connect(demo_url) as book:
        history = book[demo_threads["branches"]]
        block = next(code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "to_csv" in code)
        lines = [line for line in block.splitlines() if not line.startswith("cp.sweep")]
        names = {"fb": fb, "history": history}
        exec("\n".join(lines), names)
        assert names["overview"].pair("A", "B").own_b == names["two"].own_b
        assert history["B"] == history.tips[1]
    assert {path.name for path in tmp_path.iterdir()} == {"tokens.csv", "tasks.parquet", "tree.html"}


def test_the_tree_it_prints_is_the_demos(demo_url, monkeypatch):
    import forkbook as fb

    with fb.connect(demo_url) as book:
        drawn = repr(book["5868deb3-45e8-5a33-8463-371a0092cf84"])
    printed = re.search(r"```\n(thread .*?)\n```", README, re.DOTALL)[1]
    anonymous = re.compile(r"\b[0-9a-f]{6}\b")
    assert anonymous.sub("······", printed) == anonymous.sub("······", drawn)


def test_ci_runs_the_command_that_it_names():
    root = Path(__file__).parents[1]
    (targets,) = re.findall(r"^make (.*)$", README, re.MULTILINE)
    run = re.findall(r"^(?:if ! )?make ([a-z ]+)", (root / ".ci" / "run").read_text(), re.MULTILINE)
    known = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE)
    assert set(targets.split()) <= set(" ".join(run).split()) <= set(known)
