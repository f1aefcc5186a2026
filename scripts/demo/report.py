"""What the demo prints: who answered which request and why, and the gateway's own figures."""


def heading(text):
    print(f"\n== {text}", flush=True)


def table(titles, rows):
    """Columns as wide as their longest cell; numbers (cells that end in a unit or a digit) are not realigned."""
    widths = [max(len(str(cell)) for cell in column) for column in zip(titles, *rows)]
    for row in (titles, ["-" * width for width in widths], *rows):
        print("   " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def failed_attempts(gateway):
    """request id -> the failed attempts at it, in order, from the gateway's log."""
    failures = {}
    for line in gateway.log("attempt"):
        failures.setdefault(line["request_id"], []).append(line)
    return failures


def _reason(failures):
    return ", then ".join(f"{line['node']}: {line['reason']}" for line in failures) or "first choice answered"


def decisions(answers, failures, calls):
    """One row a request. `calls` are the gateway's own `call` lines by request id."""
    titles = ("request", "kind", "answered by", "attempts", "what failed before", "first token", "total")
    rows = []
    for answer in sorted(answers, key=lambda one: one.request_id):
        rows.append((answer.request_id, "stream" if answer.stream else "plain", answer.node or "nobody",
                     calls.get(answer.request_id, {}).get("attempts", "?"),
                     answer.problem or _reason(failures.get(answer.request_id, [])),
                     f"{answer.first_token * 1e3:8.1f} ms", f"{answer.total * 1e3:8.1f} ms"))
    table(titles, rows)


def node_figures(stats):
    """/stats, one row a node."""
    rows = []
    for node in stats["nodes"]:
        errors = ", ".join(f"{kind} {count}" for kind, count in node["errors"].items() if count)
        rows.append((node["name"], node["url"], "yes" if node["healthy"] else "no", node["requests"], node["failures"],
                     errors or "none", node["breaker"]["state"], node["breaker"]["opened"], node["in_flight"]))
    table(("node", "url", "healthy", "requests", "failures", "errors", "breaker", "opened", "in flight"), rows)


def metric_figures(metrics):
    """The samples of /metrics that sum a run up."""
    for name, value in metrics.items():
        summary = name.startswith(("requests_total", "upstream_errors_total", "request_latency_seconds_count",
                                   "request_latency_seconds_sum", "queue_depth"))
        if summary or (name.startswith("requests_rejected_total") and value):
            print(f"   {name} {value:g}")
