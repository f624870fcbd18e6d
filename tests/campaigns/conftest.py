"""A process whose files fail, and whole files to begin with."""

import pytest
from io_faults import faulty


@pytest.fixture(scope="session")
def process():
    with faulty("file_work") as started:
        yield started


@pytest.fixture(scope="session")
def templates(process, tmp_path_factory):
    """The old and the new file of a name, made once, and what they hold."""

    def made(name, which):
        path = tmp_path_factory.getbasetemp() / f"whole {which}" / name
        if not path.parent.exists() or not path.exists():
            path.parent.mkdir(exist_ok=True)
            assert process.run(which, path).how == "done"
        return path

    return made
