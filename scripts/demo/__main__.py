"""The demo: three nodes and a gateway, twenty requests at once, one node killed half-way and brought back.

    demo [--real]              mock nodes: fast, slow, flaky; --real: three llama.cpp servers
    VLLM_NODES=URL,URL demo    your own nodes: nothing is killed, nothing fails on purpose

Nothing here is left to luck. The node that dies is frozen before the first ten requests, so that it surely holds
some of them, unanswered; the second ten go out only after its death, and round robin sends some of them to its closed
port. The flaky node refuses every third request, and round robin gives it at least three.
Exit code 0: every answer was whole, and each node that was made to fail shows up in a failed attempt.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

if __package__ in (None, ""):  # run as `python3 scripts/demo`
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from demo import report  # noqa: E402
from demo.client import Question, Wave, ask  # noqa: E402
from demo.processes import ROOT, eventually  # noqa: E402
from demo.servers import Gateway, MockNode, RealNode, fetch_json, prepare_real_nodes  # noqa: E402

WAVE = 10  # two of them make the twenty
SUBJECTS = ("rain", "rivers", "bridges", "clocks", "bread", "maps", "salt", "glass", "paper", "wind")

# Quick enough to watch. The budget covers every failure that the demo can cause, also in the unluckiest order.
CONFIG = """
[router]
strategy = "round_robin"
retry_budget = 1

[health]
interval = "500ms"
timeout = "2s"
healthy_threshold = 2

[breaker]
open = "1s"
"""


def questions(first, model):
    """Ten different prompts, every second one streamed."""
    return [Question(f"demo-{first + i:02}", f"Tell me something about {SUBJECTS[i]}, part {first + i}.",
                     stream=i % 2 == 1, model=model) for i in range(WAVE)]


def run_and_kill(gateway, victim):
    """The twenty requests, with the victim's death between the tens; the answers."""
    report.heading(f"{WAVE} requests at once, half of them streamed; {victim.name} is frozen and answers nothing")
    victim.freeze()
    first = Wave(gateway.url, questions(1, "tiny"))

    def all_stand():
        held = gateway.node(victim.name)["in_flight"]
        return held if held and held + first.finished() == WAVE else 0

    held = eventually(all_stand, f"{victim.name} holds all that is unanswered", 30)
    victim.kill()
    report.heading(f"{victim.name} died (kill -9) with {held} requests; {WAVE} more while it is down")
    second = Wave(gateway.url, questions(WAVE + 1, "tiny"))
    return first.wait() + second.wait()


def bring_back(gateway, victim):
    """Starts the victim again and asks until it is the one that answers; those answers."""
    report.heading(f"{victim.name} comes back on port {victim.port}")
    victim.start()
    began = time.monotonic()
    answers = []

    def answered():
        answers.append(ask(gateway.url, Question(f"more-{len(answers) + 1:02}", "Are you there again?", stream=True)))
        return answers[-1].node == victim.name

    eventually(answered, f"{victim.name} answers again", 20, pause=0.2)
    print(f"   it answers again, {time.monotonic() - began:.1f} s after its start")
    return answers


def show(gateway, answers):
    """The tables; request id -> failed attempts."""
    def all_logged():
        calls = {line["request_id"]: line for line in gateway.log("call")}
        return calls if all(answer.request_id in calls for answer in answers) else None

    calls = eventually(all_logged, "the gateway logs every call")
    failures = report.failed_attempts(gateway)
    report.heading("decisions")
    report.decisions(answers, failures, calls)
    report.heading("/stats")
    report.node_figures(gateway.stats())
    report.heading("/metrics")
    report.metric_figures(gateway.metrics())
    return failures


def mistakes(answers, failures, must_fail, expected):
    """What was not as it has to be, in words."""
    found = [f"{answer.request_id}: {answer.problem or 'not whole'}" for answer in answers if not answer.whole()]
    found += [f"{answer.request_id}: another text than a node gives when asked directly" for answer in answers
              if answer.whole() and expected.get(answer.request_id, answer.text) != answer.text]
    failed_nodes = {line["node"] for lines in failures.values() for line in lines}
    found += [f"{name}: no failed attempt" for name in sorted(must_fail - failed_nodes)]
    return found


def mock_demo(start, directory):
    nodes = {name: start(MockNode(name, directory, *args)) for name, args in (
        ("fast", ("--prefill-us-per-token", "200", "--decode-us", "1000")),
        ("slow", ("--prefill-us-per-token", "20000", "--decode-us", "20000")),
        ("flaky", ("--prefill-us-per-token", "200", "--decode-us", "1000", "--fault", "status=503,every=3")))}
    gateway = start(Gateway(directory, nodes.values(), CONFIG))
    report.heading("three mock nodes behind one gateway")
    report.table(("name", "url", "manner"), [
        ("fast", nodes["fast"].url, "answers in some milliseconds"),
        ("slow", nodes["slow"].url, "answers in half a second; will be killed"),
        ("flaky", nodes["flaky"].url, "answers every third request with 503"),
        ("gateway", gateway.url, "round robin, at most two retries a request")])
    asked = questions(1, "tiny") + questions(WAVE + 1, "tiny")
    expected = {one.request_id: ask(nodes["fast"].url, one).text for one in asked}
    answers = run_and_kill(gateway, nodes["slow"])
    later = bring_back(gateway, nodes["slow"])
    failures = show(gateway, answers + later)
    return mistakes(answers + later, failures, {"slow", "flaky"}, expected)


def real_demo(start, directory):
    model = prepare_real_nodes()
    nodes = [start(RealNode(f"llama-{i}", directory, model)) for i in (1, 2, 3)]
    gateway = start(Gateway(directory, nodes, CONFIG))
    report.heading("three llama.cpp servers behind one gateway")
    report.table(("name", "server", "owned by", "model", "url"),
                 [(node.name, *node.identity(), node.url) for node in nodes])
    answers = run_and_kill(gateway, nodes[1])
    later = bring_back(gateway, nodes[1])
    failures = show(gateway, answers + later)
    found = mistakes(answers + later, failures, {"llama-2"}, {})
    if len({answer.node for answer in answers}) < 2:
        found.append("only one node answered")
    return found


def own_demo(start, directory):
    """The reader's nodes: VLLM_NODES and the other variables go to the gateway as they are."""
    (directory / "own.env").write_text("")
    without_token = {name: value for name, value in os.environ.items() if name != "AUTH_TOKEN"}
    gateway = Gateway(directory, (), "", without_token)
    gateway.command[gateway.command.index("llmroute.toml")] = "own.env"
    start(gateway)
    models = eventually(lambda: fetch_json(gateway.url + "/v1/models")["data"], "a node tells its models", 10)
    model = os.environ.get("MODEL_NAME") or models[0]["id"]
    report.heading(f"{2 * WAVE} requests for {model}, half of them streamed")
    answers = Wave(gateway.url, questions(1, model) + questions(WAVE + 1, model)).wait()
    return mistakes(answers, show(gateway, answers), set(), {})


def main():
    parser = argparse.ArgumentParser(prog="demo.sh", description="Three nodes, one gateway, one of them killed.")
    parser.add_argument("--real", action="store_true", help="llama.cpp servers in place of mock nodes")
    parser.add_argument("--logs", type=pathlib.Path, default=ROOT / "build" / "demo", help="where the logs go")
    options = parser.parse_args()
    directory = options.logs.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*.log"):
        log.unlink()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, _: sys.exit(128 + got))
    own = os.environ.get("VLLM_NODES")
    run = real_demo if options.real else own_demo if own else mock_demo
    programs = []

    def start(program):
        programs.append(program)
        return program.start()

    try:
        found = run(start, directory)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:  # TimeoutError is an OSError
        found = [f"{error}; logs: {directory}"]
    finally:
        for program in reversed(programs):
            program.stop()
    report.heading("every answer was whole" if not found else "not as it has to be")
    for line in found:
        print("   " + line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
