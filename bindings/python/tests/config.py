"""The configuration these tests begin with."""


def config_for(*nodes):
    """Nodes n1, n2, ... asked in this order."""
    return {
        "router": {"strategy": "priority", "backoff": 0.001},
        "nodes": [{"name": f"n{i}", "url": node.url, "models": ["tiny"], "priority": i} for i, node in enumerate(nodes, 1)],
    }
