"""The fixtures of these tests; what they need beside lives in gateway_server."""

from gateway_server import *  # noqa: F403
