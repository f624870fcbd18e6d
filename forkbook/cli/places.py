"""Places as a command line names them, and which key goes to which of them."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..backends.budget import Budget
from ..book import Book
from ..errors import InvalidInput
from ..model.held import Secret, masked_address
from .screen import Screen

FROM_ENVIRONMENT = "env"
LONGEST_NAME = 80  # characters of a place in the name of its backup


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the options say of keys; a key is itself, `env`, or `env:NAME`.

    Attributes:
        api_key: For the one server that there is.
        source: For the source alone.
        target: For the target alone.
        env_file: Has the variables in the environment's place.
        same: Whether `api_key` goes to both servers.
        insecure: Whether a key may travel over plain http to another machine.
    """

    api_key: Secret | None = None
    source: Secret | None = None
    target: Secret | None = None
    env_file: Path | None = None
    same: bool = False
    insecure: bool = False

    def of_two(self, source: Secret, target: Secret) -> tuple[Secret | None, Secret | None]:
        """What the options say for each of two places.

        Raises:
            InvalidInput: One key would go to two servers, without `--same-key`.
        """
        own = (self.source, self.target)
        shared = self.api_key or (Secret(FROM_ENVIRONMENT) if self.env_file and not any(own) else None)
        if shared is None:
            return own
        takers = [is_server(place) and not key for place, key in zip((source, target), own, strict=True)]
        if all(takers) and not self.same:
            raise InvalidInput(
                "one key for two servers: give --source-api-key and --target-api-key, or say --same-key if both may "
                "have it"
            )
        given = [key or (shared if takes else None) for key, takes in zip(own, takers, strict=True)]
        return given[0], given[1]


def is_server(place: Secret | str) -> bool:
    """Whether a place is an Agent Server that may want a key."""
    text = str(place.reveal()) if isinstance(place, Secret) else place
    return text.strip().lower().startswith(("http://", "https://"))


def is_address(place: Secret) -> bool:
    """Whether a place is named by its address, not by a path."""
    return "://" in place.reveal()


def backup_of(source: Secret | str) -> Path:
    """The name of a place's backup file: the same for the same place, another one for any other."""
    place = str(Secret.of(source).reveal()).strip().rstrip("/")
    if is_url := "://" in place:
        url = urlsplit(place)
        said, known = (
            "-".join(str(part) for part in (url.hostname, url.port) if part) + url.path,
            masked_address(place),
        )
    else:
        said, known = Path(place).name, str(Path(place).resolve())
    name = re.sub(r"[^\w.]+", "-", said, flags=re.ASCII).strip("-")[:LONGEST_NAME]
    if place != "demo" and not (is_url and name == said):  # then another place may have this name, too
        name += f"-{hashlib.sha256(known.encode()).hexdigest()[:6]}"
    return Path(f"threads_backup-{name}.forkbook")


def none_found(place: str) -> str:
    """What to say of a place where threads were looked for and none was found."""
    key = ", and may your key read its threads" if is_server(place) else ""
    return f"no thread was found at {place}: is this the right place{key}?"


def opened(screen: Screen, place: Secret, keys: Keys, budget: Budget, *, writes: bool = False) -> Book:
    """One place.

    Args:
        screen: Never shows the key.
        place: Whatever `forkbook.connect` takes as text.
        keys: What the options say of keys.
        budget: What the options say of bounds.
        writes: Whether the command may write; then scratch copies that a killed preview left are deleted, too.
    """
    key = keys.api_key or (Secret(FROM_ENVIRONMENT) if keys.env_file else None)
    return _connected(screen, place, key, keys, budget, writes)


def opened_both(
    screen: Screen, source: Secret, target: Secret, keys: Keys, budget: Budget, *, writes: bool = False
) -> tuple[Book, Book]:
    """A source, which is read, and a target; each with its own key."""
    first, second = keys.of_two(source, target)
    for said in filter(None, (first, second)):
        screen.hide(_key(said, keys.env_file))
    book = _connected(screen, source, first, keys, budget, writes=False)
    try:
        return book, _connected(screen, target, second, keys, budget, writes)
    except BaseException:
        book.close()
        raise


def _connected(screen: Screen, place: Secret, said: Secret | None, keys: Keys, budget: Budget, writes: bool) -> Book:
    from ..connect import connect

    key = None if said is None else screen.hide(_key(said, keys.env_file))
    return connect(place, key, insecure=keys.insecure, sweep=writes, budget=budget)


def _key(said: Secret, env_file: Path | None) -> Secret:
    """The key itself, wherever an option says that it is."""
    if (names := _variables_named(said)) is None:
        return said
    found = _value_of(names, env_file)
    if found is None:
        raise InvalidInput(f"no key: {' or '.join(names)} is not set in {env_file or 'the environment'}")
    return found


def _variables_named(said: Secret) -> tuple[str, ...] | None:
    """The names of the variables that an option says hold the key; None: it is the key."""
    from ..backends.server.keys import KEY_VARIABLES

    text = str(said.reveal())
    if text == FROM_ENVIRONMENT:
        return KEY_VARIABLES
    return (text.partition(":")[2],) if text.startswith(f"{FROM_ENVIRONMENT}:") else None


def _value_of(names: Iterable[str], env_file: Path | None) -> Secret | None:
    known = os.environ if env_file is None else _variables(env_file)
    found = (value.strip(" \"'") for name in names if (value := known.get(name)))
    return next((Secret(value) for value in found if value), None)


def _variables(path: Path) -> Mapping[str, str | None]:
    from dotenv import dotenv_values

    if not path.is_file():
        raise InvalidInput(f"there is no file {path} to read a key from")
    try:
        return dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read as a .env file ({type(error).__name__})") from error
