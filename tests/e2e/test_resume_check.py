"""scripts/resume_check.py tells streams that go on exactly from those that do not."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "resume_check.py"


def check(*nodes):
    done = subprocess.run([sys.executable, SCRIPT, *(node.url for node in nodes), "--tokens", "12", "--step", "4"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_nodes_that_agree(servers):
    code, output = check(servers.mock("one"), servers.mock("two"))
    assert code == 0 and output.count(" 0 not equal") == 2 and "0 resumed by ids" not in output


def test_nodes_that_answer_otherwise(servers):
    code, output = check(servers.mock("one"), servers.mock("two", "--answer-tokens", "6"))
    assert code == 1 and "  uncut   " in output and "  resumed " in output
