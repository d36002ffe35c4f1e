"""The bytes of one file, from the first to the last, however often the connection breaks.

What arrives is handed on at once, and kept on disk until the file is whole: a job that was killed reads from there
what it had, and asks only for the rest.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import SourceUnavailable
from warehouse.storage.disk import disk_errors

if TYPE_CHECKING:
    import requests

    from ingest.files.retry import Retry

log = logging.getLogger(__name__)
_PIECE = 1 << 16
"""Bytes that are read at once; of a connection that breaks, fewer are lost."""


class Download(io.RawIOBase):
    """A file as a stream that can only be read forwards.

    Attributes:
        url: where it comes from.
        size: its number of bytes.
        position: how many were read.
    """

    def __init__(
        self,
        url: str,
        size: int,
        kept: Path,
        *,
        md5: str = "",
        tag: str = "",
        more: Callable[[int], requests.Response] | None = None,
        ask: Retry | None = None,
    ) -> None:
        """Begin at the first byte.

        Args:
            url: where it comes from, for messages.
            size: its number of bytes.
            kept: the file that holds its first bytes, or none; where what arrives is kept.
            md5: of its bytes, where it is known.
            tag: tells it from another file at the same address.
            more: opens a response that begins at a position; None when all is in `kept`.
            ask: asks until there is an answer.
        """
        super().__init__()
        self.url, self.size, self.position = url, size, 0
        self._md5, self._kept, self._more, self._ask = md5, kept, more, ask
        self._hashes = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._response: requests.Response | None = None
        if more is not None:
            self._forget_another(f"{url} {size} {md5 or tag}")
        mode = "rb" if more is None else "ab+"
        with disk_errors(kept):
            kept.parent.mkdir(parents=True, exist_ok=True)
            self._file = kept.open(mode)
        self._here = kept.stat().st_size
        self._file.seek(0)
        if more is not None and self._here:
            log.info("%s: %.1f of %.1f MB are here already", url, self._here / 1e6, size / 1e6)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; see `io.RawIOBase`.

        Raises:
            SourceUnavailable: the server does not answer, for longer than is reasonable.
        """
        wanted = min(len(buffer), _PIECE)
        if self.position < self._here:
            piece = self._file.read(min(wanted, self._here - self.position))
        elif self.position < self.size and self._more is not None and self._ask is not None:
            piece = self._ask(lambda: self._next(wanted))
            with disk_errors(self._kept):
                self._file.write(piece)
        else:
            return 0
        for each in self._hashes:
            each.update(piece)
        self.position += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, wanted: int) -> bytes:
        """The next bytes of the response, opened anew if the last one broke."""
        import urllib3

        assert self._more is not None
        try:
            if self._response is None:
                self._response = self._more(self.position)
            piece: bytes = self._response.raw.read(min(wanted, self.size - self.position), decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            self._hang_up()
            raise SourceUnavailable(
                f"the connection to {self.url} broke after {self.position / 1e6:,.1f} MB of "
                f"{self.size / 1e6:,.1f}; run the same command again, it continues there"
            ) from error
        if not piece:
            self._hang_up()
            raise SourceUnavailable(
                f"{self.url} ended after {self.position:,} of {self.size:,} bytes; run the same command again"
            )
        return piece

    def finish(self) -> str:
        """Read what is left, see that it is all, and return the SHA-256 of the file.

        Raises:
            SourceUnavailable: the bytes are not the file's; what was kept of them is removed.
        """
        while self.read(_PIECE):
            pass
        sha256, md5 = (each.hexdigest() for each in self._hashes)
        if self.position != self.size or (self._md5 and md5 != self._md5):
            self.forget()
            what = f"{self.position:,} bytes, not {self.size:,}" if self.position != self.size else "other bytes"
            raise SourceUnavailable(
                f"what arrived from {self.url} is damaged ({what}); run the same command again, it begins anew"
            )
        return sha256

    def forget(self) -> None:
        """Remove what was kept."""
        self.close()
        if self._more is not None:
            self._kept.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the connection and of the file, which stays."""
        if not self.closed:
            self._hang_up()
            self._file.close()
        super().close()

    @property
    def path(self) -> Path:
        """Where all of the file is, once it was read."""
        return self._kept

    @property
    def _note(self) -> Path:
        return self._kept.with_name(self._kept.name + ".of")

    def _forget_another(self, identity: str) -> None:
        """Remove what was kept of another file than the one that is there now."""
        with disk_errors(self._kept):
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            try:
                known = json.loads(self._note.read_text("utf-8"))
            except (OSError, ValueError):
                known = None
            if known != identity or (self._kept.exists() and self._kept.stat().st_size > self.size):
                self._kept.unlink(missing_ok=True)
                self._note.write_text(json.dumps(identity), "utf-8")

    def _hang_up(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None
