"""Network faults as forkbook's errors: what was asked, how far it got, what to do next."""

import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import orjson

from ...errors import (
    AccessDenied,
    ConnectionFailed,
    ForkbookError,
    InvalidInput,
    OverBudget,
    ProtocolError,
    ServerFault,
    ThreadBusy,
    ThreadNotFound,
)
from ...model.held import Secret, alone, without
from ..pydantic_reasons import in_one_line
from ..retry import RETRIED
from ..wire import UnexpectedAnswer

CLIENTS, ENCODES = ("langgraph_sdk", "httpx"), "_encode_json"
UNKNOWN_OUTCOME = " Whether it was carried out is unknown: look at the thread before you try it again."


@contextmanager
def as_errors(deed: str, url: str, *, thread_id: str | None = None, write: bool = False) -> Iterator[None]:
    """Turn whatever the SDK's client raises inside into a `ForkbookError`, the cause chained, alone: its frames
    and what came before it may hold what was sent.

    Args:
        deed: What is being done, a gerund, as in "reading the history of thread 01a1…".
        url: The server's address.
        thread_id: The thread in question.
        write: Whether a lost answer leaves the outcome unknown.
    """
    after = UNKNOWN_OUTCOME if write else ""
    try:
        yield
    except OverBudget as error:
        raise OverBudget(f"{deed} from {url}: {error}{after}", thread_id=thread_id, **error.details) from alone(error)
    except ForkbookError:
        raise
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ConnectionFailed(
            f"cannot reach {url} ({reason(error)}) while {deed}. Is the server running, and is this its address?",
            thread_id=thread_id,
        ) from alone(error)
    except httpx.HTTPStatusError as error:
        raise from_status(deed, url, error, thread_id, after) from alone(error)
    except (httpx.TransportError, httpx.StreamError) as error:
        raise ConnectionFailed(
            f"{deed}: the connection to {url} broke ({reason(error)}).{after or ' Try again.'}",
            thread_id=thread_id,
            said=f"the connection to {url} broke ({reason(error)})",
            retried=getattr(error, RETRIED, 1),
        ) from alone(error)
    except (orjson.JSONDecodeError, UnicodeDecodeError, httpx.DecodingError) as error:
        raise ProtocolError(
            f"{deed}: {url} answered with something that is not whole JSON ({reason(error)}). "
            f"Is it an Agent Server, and is nothing in between?{after}",
            thread_id=thread_id,
            said=f"{url} answered with something that is not whole JSON ({reason(error)})",
        ) from alone(error)
    except UnexpectedAnswer as error:
        raise ProtocolError(f"{deed}: {url} {error}{after}", thread_id=thread_id, said=f"{url} {error}") from alone(
            error
        )
    except httpx.InvalidURL as error:
        raise InvalidInput(f"{deed}: {error}, so it cannot be sent to {url}", thread_id=thread_id) from alone(error)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        place, function = _raised_in(error)
        if place not in CLIENTS:
            raise  # a bug of ours, or an error of a user's own function
        if function == ENCODES or isinstance(error, UnicodeEncodeError):
            raise InvalidInput(f"{deed}: what is to be sent is no JSON ({error})", thread_id=thread_id) from alone(
                error
            )
        said = f"{url} answered something that its client cannot read ({type(error).__name__}: {error})"
        raise ProtocolError(f"{deed}: {said}.{after}", thread_id=thread_id, said=said) from alone(error)


def _raised_in(error: BaseException) -> tuple[str, str]:
    """The package and the function that raised an error."""
    frame = list(traceback.walk_tb(error.__traceback__))[-1][0]
    return str(frame.f_globals.get("__name__")).partition(".")[0], frame.f_code.co_name


@contextmanager
def discreet(secrets: Collection[Secret]) -> Iterator[None]:
    """Take secrets out of the errors that come through: a server may say a request's headers again.

    Args:
        secrets: Keys, tokens; one of which an error was cut short in the middle is found, too.
    """
    try:
        yield
    except ForkbookError as error:
        cause = error.__cause__
        if _repeats(error, secrets) or _repeats(cause, secrets):
            error.args = (without(str(error), secrets),)
            error.details = {k: without(v, secrets) if isinstance(v, str) else v for k, v in error.details.items()}
            error.__cause__ = error.__context__ = None
            if cause is not None:  # the frame of a `with` has it still
                cause.args = (without(str(cause), secrets),)
                cause.__dict__.clear()
        raise


def _repeats(error: BaseException | None, secrets: Collection[Secret]) -> bool:
    """Whether an error says a secret, or holds an answer that does."""
    said = [str(error), repr(getattr(error, "args", "")), repr(getattr(error, "__dict__", ""))]
    if isinstance(error, httpx.HTTPStatusError):
        said.append(_body(error))
    text = "".join(said)
    return without(text, secrets) != text


def from_status(deed: str, url: str, error: httpx.HTTPStatusError, thread_id: str | None, after: str) -> ForkbookError:
    """The error for an HTTP status that says no."""
    status, said = error.response.status_code, detail(error)
    if thread_id and (status == 404 or (status == 422 and "thread ID" in said and not after)):
        return ThreadNotFound(
            f"no thread {thread_id!r} on {url} ({said}); book.threads() lists them", thread_id=thread_id
        )
    if status == 401:
        next_step = "Give connect() an api_key or headers for this server"
        return AccessDenied(f"{deed}: {url} denies access ({status}: {said}). {next_step}", status=status)
    if status == 403:
        next_step = "Ask whoever runs the server for the right, or connect() with another key"
        return AccessDenied(
            f"{deed}: {url} denies access, this user may not do that ({status}: {said}). {next_step}",
            thread_id=thread_id,
            status=status,
        )
    if status == 409:
        return ThreadBusy(
            f"{deed}: the thread is busy or changed meanwhile ({said}). Wait for its run to end", thread_id=thread_id
        )
    if status in (400, 422):
        return InvalidInput(
            f"{deed}: {url} refuses it ({status}: {said})", thread_id=thread_id, status=status, said=said
        )
    next_step = " Is this the address of an Agent Server?" if status == 404 else " The server’s log has the reason."
    return ServerFault(
        f"{deed}: {url} answered {status} ({said}).{after or next_step}",
        thread_id=thread_id,
        status=status,
        said=f"the server answered {status} ({said})",
        retry_after=retry_after(error.response.headers.get("retry-after")),
        retried=error.response.extensions.get(RETRIED, 1),
    )


def retry_after(header: str | None) -> float | None:
    """Seconds that a server asks one to wait, from a number or a date; None where it does not say."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def is_no_route(error: httpx.HTTPStatusError) -> bool:
    """Whether the server will never answer such a request, for any thread: it lacks the route, or what it needs."""
    status = error.response.status_code
    return status in (405, 501) or (status == 404 and detail(error) == "Not Found")


def detail(error: httpx.HTTPStatusError) -> str:
    """What the server said, in a line."""
    body = _body(error)
    try:
        parsed = orjson.loads(body)
        body = str(parsed.get("detail") or parsed.get("message") or body) if isinstance(parsed, dict) else body
    except orjson.JSONDecodeError:
        pass
    return "an HTML page" if body.lstrip().startswith("<") else in_one_line(body)


def _body(error: httpx.HTTPStatusError) -> str:
    """The text of an answer; the error's own where it was not read."""
    try:
        return error.response.text
    except httpx.ResponseNotRead:
        return str(error)


def reason(error: BaseException) -> str:
    """The error's own words, or its name where it has none."""
    return str(error) or type(error).__name__
