"""Asking a question until it is answered: the only place where anything is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import pyarrow as pa
import requests
import stamina

from ingest.refusals import RateLimited, no_token, refusal
from warehouse.errors import SourceRefused, SourceUnavailable, UsageError, WarehouseError

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Patience:
    """How long to wait for the service, and how often to ask again.

    Attributes:
        attempts: how often one question is asked.
        first_attempts: how often the first question is asked: whether the service is there at all.
        wait: seconds before the second attempt; doubles each time, with jitter.
        longest_wait: upper bound of that, in seconds.
        rate_limit_wait: seconds to wait when the service says that it was asked too often.
        connect, read: seconds to wait for a connection, and between two bytes of an answer.
        first_read: the latter for the first questions, which no working service needs long for.
        total: seconds after which a question is not asked again.
    """

    attempts: int = 8
    first_attempts: int = 3
    wait: float = 2.0
    longest_wait: float = 120.0
    rate_limit_wait: float = 65.0
    connect: float = 10.0
    read: float = 900.0
    first_read: float = 30.0
    total: float = 3600.0


class Once(Protocol):
    """Asks a question once; whatever goes wrong becomes one of the project's errors."""

    def __call__(self, question: Callable[[], _T], /) -> _T:
        """The answer."""


class Asker:
    """Asks questions with patience.

    Attributes:
        patience: how long to wait, and how often to ask.
        connected: set once the service has answered; from then on an answer may take its time.
        stopped: once set, a question that fails is not asked again.
    """

    def __init__(self, patience: Patience, once: Once | None = None) -> None:
        self.patience = patience
        self._once: Once = once or translated
        self.connected = False
        self.stopped = False

    def timeouts(self) -> tuple[float, float]:
        """Seconds to wait for a connection, and between two bytes of an answer."""
        patience = self.patience
        return patience.connect, patience.read if self.connected else min(patience.first_read, patience.read)

    def __call__(self, question: Callable[[], _T], attempts: int | None = None) -> _T:
        """Ask until there is an answer, or a refusal, or no patience left.

        Raises:
            SourceRefused: the service says no.
            SourceUnavailable: it does not answer.
        """
        patience = self.patience
        attempts = attempts or patience.attempts
        for attempt in stamina.retry_context(
            on=self._ask_again,
            attempts=attempts,
            timeout=patience.total,
            wait_initial=patience.wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.wait,
        ):
            with attempt:
                try:
                    return self._once(question)
                except SourceUnavailable as error:
                    log.warning("attempt %d of %d: %s", attempt.num, attempts, error)
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask_again(self, error: Exception) -> bool | float:
        if self.stopped or not isinstance(error, SourceUnavailable):
            return False
        return self.patience.rate_limit_wait if isinstance(error, RateLimited) else True


def translated(question: Callable[[], _T]) -> _T:
    """Ask once; whatever goes wrong becomes one of the project's errors."""
    from caveclient.base import AuthException, ServerIncompatibilityError

    try:
        return question()
    except WarehouseError:
        raise
    except ServerIncompatibilityError as error:
        raise SourceRefused(f"{' '.join(str(error).split())}; nothing was fetched") from error
    except AuthException:
        raise no_token() from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
        raise UsageError(
            "--server is not the address of a service; it looks like https://global.daf-apis.com"
        ) from None
    except requests.HTTPError as error:
        # Without its message, which repeats the whole body of the answer.
        response = error.response
        raise (
            refusal(response.status_code, response.content)
            or SourceUnavailable(f"CAVE failed (status {response.status_code}); try the same command later")
        ) from None
    except requests.Timeout as error:
        raise SourceUnavailable("CAVE did not answer in time; try the same command later") from error
    except requests.JSONDecodeError as error:
        raise SourceUnavailable(
            "what answers is not CAVE (a web page, perhaps one to log in to the network); check the network and "
            "--server, or try again later"
        ) from error
    except requests.RequestException as error:
        raise SourceUnavailable(
            f"CAVE cannot be reached ({type(error).__name__}); check the network and --server, or try again later"
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceUnavailable(
            f"CAVE's answer cannot be read ({type(error).__name__}); try the same command later"
        ) from error
