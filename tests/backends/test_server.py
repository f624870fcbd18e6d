import pytest
from contract import BackendContract

import forkbook as fb


@pytest.fixture(scope="module")
def place(demo_url, demo_threads):
    with fb.connect(demo_url) as book:
        yield book, demo_threads


class TestServer(BackendContract):
    pass
