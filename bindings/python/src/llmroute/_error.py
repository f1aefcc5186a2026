"""What ends a call other than an answer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._types import Json


class Error(Exception):
    """A call without a whole answer: what was tried, where, and what came of it.

    code: a name from the error catalogue. status: the HTTP status an OpenAI client should see; http_status: the
    node's, 0 without one. body, headers: the node's own. partial: the text a stream had delivered.
    """

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "internal",
        status: int = 500,
        http_status: int = 0,
        node: str = "",
        attempts: Sequence[Json] = (),
        request_id: str = "",
        retry_after: float | None = None,
        partial: str = "",
        param: str = "",
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        usage: dict[str, int] | None = None,
        openai_body: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.http_status = http_status
        self.node = node
        self.attempts = attempts
        self.request_id = request_id
        self.retry_after = retry_after
        self.partial = partial
        self.param = param
        self.body = body
        self.headers = headers
        self.usage = usage
        self._openai_body = openai_body

    def openai_body(self) -> bytes:
        """The error as an OpenAI API answers it; the node's own JSON where it refused the request."""
        return self._openai_body


class ConfigError(Error):
    """A configuration that cannot be run."""
