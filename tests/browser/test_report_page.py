"""The HTML report in a real browser: its pictures work, and no script runs in it but theirs."""

import http.server
import threading

import pytest
from shapes import ai, human, state

from forkbook.book import Book
from forkbook.history import History

pytestmark = pytest.mark.outside
PLACE = "the-place-of-the-script"
SCRIPTS = (
    "<script>window.taken = 1</script>",
    "<img src=x onerror='window.taken = 1'>",
    "<svg onload='window.taken = 1'></svg>",
    "<iframe srcdoc='<script>parent.taken = 1</script>'></iframe>",
    "<a id=evil href='javascript:window.taken = 1'>x</a>",
    "<base href='http://127.0.0.1:9/'><link rel=stylesheet href='http://127.0.0.1:9/x.css'>",
    "<form id=evil-form action='http://127.0.0.1:9/'></form>",
    "<meta http-equiv=refresh content='0; url=javascript:window.taken=1'>",
    "<object data='data:text/html,<script>parent.taken = 1</script>'></object>",
    "<img src='http://127.0.0.1:9/leak.png'>",
)


def written(path, text):
    """A report about a thread of two branches in which people said this."""
    values = {"messages": [human("1", text), ai("2", text, (5, 7))]}
    states = {
        "1": state("1", None, {"messages": [human("1", text)]}, source="input"),
        "2": state("2", "1", values),
        "3": state("3", "1", values | {text: text}),
    }
    return History(Book(backend=None), text, states).report(path)


@pytest.fixture
def opened(chromium):
    """Open a file; gives the page, and what went wrong in it."""
    page = chromium()
    page.troubles = []
    page.on("console", lambda said: page.troubles.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))

    def open_file(path):
        page.goto(path.as_uri())
        page.locator(".js-plotly-plot .points path").first.wait_for()
        return page

    yield open_file
    page.context.close()


def test_its_pictures_live_and_nothing_is_blocked(opened, tmp_path):
    page = opened(written(tmp_path / "report.html", "hello"))
    assert page.locator(".js-plotly-plot").count() == 3
    page.locator(".js-plotly-plot").first.hover()
    with page.expect_download() as download:
        page.locator("[data-title^='Download plot']").first.click()
    assert download.value.path().stat().st_size > 1000
    page.locator("summary").first.click()
    page.locator("details[open]").first.wait_for()
    assert page.troubles == []
    assert [url for url in page.outside if not url.startswith("file:")] == []


def test_a_script_in_a_message_shows_as_text(opened, tmp_path):
    page = opened(written(tmp_path / "report.html", "\n".join(SCRIPTS)))
    page.locator("summary").first.click()
    said = page.locator("details").first.inner_text()
    assert [script for script in SCRIPTS if script not in said] == []
    assert page.evaluate("window.taken") is None
    assert page.troubles == []


@pytest.fixture
def listener():
    """A server on this machine; gives its address, and the paths that it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *said):
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_script_in_the_page_itself_does_not_run(opened, tmp_path, listener):
    """The policy holds where an escape were forgotten."""
    address, asked = listener
    path, evil = written(tmp_path / "report.html", PLACE), "".join(SCRIPTS).replace("http://127.0.0.1:9", address)
    head, body = path.read_text().split("<h2>Branches</h2>")
    path.write_text(f"{head}<h2>Branches</h2>{body.replace(PLACE, evil)}")
    page = opened(path)
    page.evaluate("document.querySelector('a#evil').click()")
    page.evaluate("document.querySelector('form#evil-form').submit()")
    page.wait_for_timeout(300)
    assert page.evaluate("window.taken") is None
    assert asked == []
    assert page.url.startswith("file:")
    assert page.troubles
