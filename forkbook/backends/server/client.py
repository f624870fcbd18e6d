"""The SDK's client of one server: opened anew after a fault, and in a process that was forked."""

import os
from collections.abc import Mapping
from typing import Any

import httpx
from langgraph_sdk.client import SyncLangGraphClient

from ...model.held import Secret
from ..budget import Budget
from .body import UNPACKED_BY_US
from .line import Headers, Transport


class Client:
    """Holds the SDK's client; a child process gets its own, for it must not read the answers of its parent.

    Args:
        address: The server's address.
        headers: More headers for every request.
        budget: The bounds of an answer.
    """

    def __init__(self, address: str, headers: Mapping[str, Secret], budget: Budget) -> None:
        self._address, self._headers, self._budget = address, headers, budget
        self.renew()

    def now(self) -> Any:
        """The client of this process; of no type, for the SDK's own types refuse plain dicts."""
        if self._process != os.getpid():
            self.renew()
        return self._open

    def renew(self) -> None:
        """Use new connections from now on."""
        self._process = os.getpid()
        self._open = SyncLangGraphClient(
            httpx.Client(
                base_url=self._address,
                auth=Headers(self._headers),
                transport=Transport(self._budget),
                headers={"accept-encoding": UNPACKED_BY_US},
                timeout=httpx.Timeout(self._budget.seconds / 2, connect=5, pool=5),
            )
        )

    def close(self) -> None:
        """Close the connections of this process."""
        if self._process == os.getpid():
            self._open.close()
