"""The fixtures of these tests; what they need beside lives in mock_node_server."""

from mock_node_server import *  # noqa: F403
