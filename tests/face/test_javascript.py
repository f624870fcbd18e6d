"""The front end's own tests, run by Node, and its types, checked by TypeScript."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from languages import JAVASCRIPT, missing, node

from forkbook.face.joined import bundle
from forkbook.face.smaller import smaller

HERE = Path(__file__).parent
FACE = HERE.parents[1] / "forkbook" / "face"
MOST_LINES = 350

pytestmark = pytest.mark.outside


def run(*arguments):
    done = subprocess.run([node(), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def javascript():
    if problem := missing("javascript"):
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)


def test_units_of_the_front_end():
    said = run("--test", "--test-reporter=tap", *sorted(HERE.glob("*.test.mjs")))
    assert int(re.search(r"^# pass (\d+)$", said, re.M)[1]) > 30


def test_types_of_the_front_end():
    run(JAVASCRIPT / "node_modules" / "typescript" / "lib" / "tsc.js", "-p", HERE / "tsconfig.json")


def test_the_smaller_front_end_is_the_same_program(tmp_path):
    whole = bundle(FACE / "app.js")
    (tmp_path / "one.js").write_text(whole)
    (tmp_path / "other.js").write_text(smaller(whole))
    run(
        HERE / "same_program.mjs",
        JAVASCRIPT / "node_modules" / "typescript",
        tmp_path / "one.js",
        tmp_path / "other.js",
    )


def test_modules_of_the_front_end_are_short():
    long = {
        path.name: lines for path in FACE.glob("*.js") if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}
