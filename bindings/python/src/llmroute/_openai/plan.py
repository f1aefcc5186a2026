"""The short way of a hot method: arguments straight to a call of the router, what comes straight to the SDK's types.

Whatever is not plainly JSON, and whatever is unusual about the client or the request, has no plan: the SDK's own way,
over the transport, then does what it always did. So a plan need only be right where there is one.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import openai
from openai._models import FinalRequestOptions

from llmroute import Error

from . import family
from .calls import DEFAULT_CLOCKS, Fields, chosen_retries, forwarded, seconds
from .mocks import is_mocked
from .transport import failed_response
from .models import reader

HTTP = family.package_of_sdk()
ABSENT = (openai.NotGiven, openai.Omit)

# Who has this timeout has chosen none.
DEFAULT_TIMEOUT = HTTP.Timeout(**DEFAULT_CLOCKS)

# How the SDK asks itself for another form of an answer.
FORMS = frozenset({"x-stainless-raw-response", "____stainless_override_cast_to"})

CLOCK_FIELD = "x-stainless-read-timeout"

# What a class derived from ours may override to change requests or answers. Then it is asked.
HOOKS = (
    "request",
    "post",
    "_build_request",
    "_build_headers",
    "_prepare_options",
    "_prepare_request",
    "_prepare_url",
    "_refresh_api_key",
    "_send_request",
    "_process_response",
    "_process_response_data",
    "default_headers",
    "default_query",
    "auth_headers",
    "_auth_headers",
    "_bearer_auth",
    "_custom_auth",
    "custom_auth",
    "user_agent",
    "platform_headers",
    "_make_status_error",
)


class Endpoint(NamedTuple):
    """A method of the API that has a short way."""

    path: str  # from the base URL
    parameters: frozenset[str]
    required: tuple[str, ...]
    answer: Any
    chunk: Any = None
    defaults: Mapping[str, Any] = {}  # what the SDK asks for when the caller does not say
    read: Callable[[Plan, bytes], Any] | None = None  # of an answer that takes more than validation


def endpoint(path: str, method: Callable[..., Any], required: tuple[str, ...], answer: Any, **others: Any) -> Endpoint:
    """The endpoint whose parameters are those of the SDK's method."""
    names = frozenset(inspect.signature(method).parameters) - {"self"}
    return Endpoint(path, names, required, answer, **others)


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not plain JSON")


# As the SDK writes JSON, without the types that it converts.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_refuse).encode


@functools.cache
def is_sdk_function(function: Callable[..., Any]) -> bool:
    """Whether a method is as the SDK has it. Tracers put theirs around it and want to be called."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(os.path.dirname(openai.__file__) + os.sep)


@functools.cache
def _leaves_hooks_alone(cls: type, ours: type) -> bool:
    return all(getattr(cls, name, None) is getattr(ours, name, None) for name in HOOKS)


def is_plain(client: Any, ours: type) -> bool:
    """Whether the client itself changes neither requests nor answers on their way."""
    return (
        client._api_key_provider is None
        and client._provider_runtime is None
        and client.workload_identity is None
        and not client._strict_response_validation
        and not client._custom_query
        and not client._route.lent
        and not client._client.is_closed
        and not is_mocked(HTTP, isinstance(client, openai.AsyncOpenAI))
        and _leaves_hooks_alone(client.__class__, ours)
        and (not client._route.lone or _is_at_its_node(client))
    )


def _is_at_its_node(client: Any) -> bool:
    """A client's base URL may be set later; its requests then go nowhere, which the transport says."""
    at, settled = client._base_url, client._route.base_url
    return at is settled or bool(at == settled)


def make_plan(client: Any, endpoint: Endpoint, arguments: dict[str, Any]) -> Plan | None:
    """The plan for a call with these arguments, if it is a plain one."""
    if not arguments.keys() <= endpoint.parameters:
        return None
    given = {name: value for name, value in arguments.items() if not isinstance(value, ABSENT)}
    headers = given.pop("extra_headers", None)
    timeout = given.pop("timeout", openai.NOT_GIVEN)
    if given.pop("extra_query", None) or (headers is not None and any(name.lower() in FORMS for name in headers)):
        return None
    extra_body = given.pop("extra_body", None)
    defaulted = [name for name in endpoint.defaults if name not in given]
    given.update((name, endpoint.defaults[name]) for name in defaulted)
    if extra_body is not None:
        if not isinstance(extra_body, dict) or "stream" in extra_body:
            return None
        given.update(extra_body)
    if given.get("stream") not in (None, True, False) or not all(name in given for name in endpoint.required):
        return None
    try:
        body = _encode(given).encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return Plan(client, endpoint, given, body, headers, timeout, bool(defaulted))


class Plan:
    """One call to make, and how its outcome becomes the SDK's objects."""

    __slots__ = ("body", "client", "defaulted", "endpoint", "given", "headers", "options", "path", "stream", "timeout")

    def __init__(
        self,
        client: Any,
        endpoint: Endpoint,
        given: dict[str, Any],
        body: bytes,
        headers: Any,
        timeout: Any,
        defaulted: bool,
    ) -> None:
        self.client = client
        self.endpoint = endpoint
        self.given = given
        self.body = body
        self.headers = headers
        self.timeout = timeout
        self.defaulted = defaulted
        self.path = "/v1" + endpoint.path
        self.stream = bool(given.get("stream"))
        limit = client.timeout if isinstance(timeout, openai.NotGiven) else timeout
        self.options = {
            "headers": self._fields(),
            "deadline": None if limit == DEFAULT_TIMEOUT else seconds(limit),
            "max_retries": chosen_retries(client.max_retries),
        }

    def _request_options(self) -> Any:
        headers: Any = openai.NOT_GIVEN if self.headers is None else self.headers
        return FinalRequestOptions.construct(
            method="post",
            url=self.endpoint.path,
            json_data=self.given,
            timeout=self.timeout,
            headers=headers,
        )

    def _fields(self) -> Fields:
        if self.headers is None:
            fields = usual_fields(self.client)
            return fields if isinstance(self.timeout, openai.NotGiven) else with_clock(fields, self.timeout)
        built = self.client._build_headers(self._request_options(), retries_taken=0)
        return forwarded(built.multi_items(), with_key=self.client._route.lone)

    def request(self) -> Any:
        """The request that the SDK would have sent, for those who look at it afterwards."""
        return self.client._build_request(self._request_options(), retries_taken=0)

    def answer(self, reply: Any) -> Any:
        """The SDK's object for a whole answer."""
        read = self.endpoint.read
        answer = self.reader(self.endpoint.answer)(reply.content) if read is None else read(self, reply.content)
        if isinstance(answer, openai.BaseModel):
            answer._request_id = request_id(reply)
        return answer

    def reader(self, cast_to: Any) -> Callable[[bytes], Any]:
        """What makes the SDK's objects of JSON."""
        return reader(cast_to, self.construct)

    def construct(self, content: bytes, cast_to: Any) -> Any:
        """The SDK's own constructor, for what does not fit its types."""
        return self.client._process_response_data(data=json.loads(content), cast_to=cast_to, response=None)

    def failure(self, error: Error) -> Exception:
        """The SDK's exception for a call that failed."""
        request = self.request()
        try:
            response = failed_response(HTTP, request, error)
        except HTTP.TimeoutException as timed_out:
            return _caused(openai.APITimeoutError(request=request), timed_out)
        except HTTP.TransportError as unanswered:
            return _caused(openai.APIConnectionError(request=request), unanswered)
        response.read()
        failure: Exception = self.client._make_status_error_from_response(response)
        return _caused(failure, None)


def request_id(reply: Any) -> str | None:
    """As the transport's answers have it: the node's, else the router's."""
    for name, value in reply.headers:
        if name.lower() == "x-request-id":
            return str(value)
    return str(reply.request_id)


def usual_fields(client: Any) -> Fields:
    """The fields of a request without any of its own; made anew when the client has changed."""
    key = (client.api_key, client.organization, client.project, client.timeout, id(client._custom_headers))
    known: tuple[Any, Fields] | None = client.__dict__.get("_usual_fields")
    if known is None or known[0] != key:
        built = client._build_headers(FinalRequestOptions.construct(method="post", url="/"), retries_taken=0)
        known = client._usual_fields = (key, forwarded(built.multi_items(), with_key=client._route.lone))
    return known[1]


def with_clock(fields: Fields, timeout: Any) -> Fields:
    """The fields of a request with a timeout of its own, which the SDK tells the node."""
    read = timeout.as_dict()["read"] if hasattr(timeout, "as_dict") else timeout
    others = [field for field in fields if field[0] != CLOCK_FIELD]
    return others if read is None else [*others, (CLOCK_FIELD, str(read))]


def _caused(failure: Exception, cause: Exception | None) -> Exception:
    failure.__cause__ = cause
    return failure
