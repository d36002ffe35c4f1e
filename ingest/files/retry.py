"""Asking a question until it is answered: the only place where anything is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import stamina

from warehouse.errors import SourceUnavailable

log = logging.getLogger(__name__)
_T = TypeVar("_T")


class RateLimited(SourceUnavailable):
    """Too many requests in the last minute."""


@dataclass(frozen=True)
class RetryPolicy:
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


class Attempt(Protocol):
    """Asks a question once; whatever goes wrong becomes one of the project's errors."""

    def __call__(self, question: Callable[[], _T], /) -> _T:
        """The answer."""


class Retry:
    """Asks a question, and asks again where that can help.

    Attributes:
        policy: how long to wait, and how often to ask.
        connected: set once the service has answered; from then on an answer may take its time.
        stopped: once set, a question that fails is not asked again.
    """

    def __init__(self, policy: RetryPolicy, once: Attempt) -> None:
        self.policy = policy
        self._once = once
        self.connected = False
        self.stopped = False

    def timeouts(self) -> tuple[float, float]:
        """Seconds to wait for a connection, and between two bytes of an answer."""
        policy = self.policy
        return policy.connect, policy.read if self.connected else min(policy.first_read, policy.read)

    def __call__(self, question: Callable[[], _T], attempts: int | None = None) -> _T:
        """Ask until there is an answer, a refusal, or no attempt left.

        Raises:
            SourceRefused: the service says no.
            SourceUnavailable: it does not answer.
        """
        policy = self.policy
        attempts = attempts or policy.attempts
        for attempt in stamina.retry_context(
            on=self._ask_again,
            attempts=attempts,
            timeout=policy.total,
            wait_initial=policy.wait,
            wait_max=policy.longest_wait,
            wait_jitter=policy.wait,
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
        return self.policy.rate_limit_wait if isinstance(error, RateLimited) else True
