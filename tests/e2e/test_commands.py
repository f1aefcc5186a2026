"""The gateway's commands beside `run`, as an operator meets them."""

import re
import signal
import subprocess

import pytest
from demo.processes import BIN, eventually
from demo.servers import clean_environment
from left_running import left_running

GATEWAY = BIN / "llmroute-gateway"


def start(directory, *arguments, **env):
    return subprocess.Popen([GATEWAY, *arguments], cwd=directory, env={**clean_environment(), **env}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(directory, *arguments, **env):
    """Exit code, standard output, standard error."""
    program = start(directory, *arguments, **env)
    out, err = program.communicate(timeout=60)
    return program.returncode, out, err


@pytest.fixture
def folder(tmp_path):
    """For temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return temporary


def test_the_demo_shows_decisions_limits_and_fallbacks(tmp_path, folder):
    code, out, err = run(tmp_path, "demo", TMPDIR=str(folder))
    assert code == 0, out + err
    rows = re.findall(r"^   (demo-\d\d)  (tenant-[ab])  (gpt-\w+) +(\d+)  (\S+)", out, re.MULTILINE)
    assert len(rows) == 20
    refused = [row for row in rows if row[3] == "429"]
    assert refused and all(row[1] == "tenant-a" for row in refused)
    assert all(row[3] == "200" for row in rows if row not in refused)
    hits = re.search(r"^Rate-limit hits: (\d+)", out, re.MULTILINE)
    assert int(hits[1]) == len(refused)
    assert int(re.search(r"^Fallbacks: (\d+)", out, re.MULTILINE)[1]) > 0
    assert 'requests_rejected_total{reason="rate_limit"} %d' % len(refused) in out
    assert 'upstream_errors_total{node="flaky-openai",code="503"}' in out
    for provider in ("fast-vllm", "slow-triton", "flaky-openai"):
        assert re.search(rf"^   {provider} +http://127", out, re.MULTILINE)
    assert left_running(tmp_path) == [] and list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path, folder, number):
    demo = start(tmp_path, "demo", TMPDIR=str(folder))
    eventually(lambda: list(folder.iterdir()), "it has begun")
    demo.send_signal(number)
    demo.communicate(timeout=20)
    assert demo.returncode == 128 + number
    assert left_running(tmp_path) == [] and list(folder.iterdir()) == []


def test_a_killed_demo_leaves_no_process_behind(tmp_path, folder):
    demo = start(tmp_path, "demo", TMPDIR=str(folder))
    eventually(lambda: len(left_running(tmp_path)) > 1, "a server runs")
    demo.kill()
    demo.communicate(timeout=20)
    eventually(lambda: left_running(tmp_path) == [], "its servers are gone")


def test_the_demo_needs_the_mock_node_beside_it(tmp_path, folder):
    alone = tmp_path / "llmroute-gateway"
    alone.write_bytes(GATEWAY.read_bytes())
    alone.chmod(0o755)
    done = subprocess.run([alone, "demo"], cwd=tmp_path, env={**clean_environment(), "TMPDIR": str(folder)},
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "llmroute-mock-node" in done.stderr


def test_init_writes_what_check_config_calls_good(tmp_path):
    code, out, _ = run(tmp_path, "init")
    assert code == 0 and "llmroute.toml" in out
    assert run(tmp_path, "check-config")[0] == 0
    code, _, err = run(tmp_path, "init")
    assert code == 1 and "--force" in err
    assert run(tmp_path, "init", "--force")[0] == 0
    assert run(tmp_path, "init", "other.toml")[0] == 0
    assert (tmp_path / "other.toml").read_text() == (tmp_path / "llmroute.toml").read_text()


def test_check_config_says_what_it_understood_and_masks_secrets(tmp_path):
    (tmp_path / "p.yaml").write_text('providers: [{ name: a, url: "http://127.0.0.1:9", api_key: hush1 }]\n'
                                     "tenants: { hush2: tenant-a }\nauth: { admin_key: hush3, auth_token: hush4 }\n")
    code, out, err = run(tmp_path, "check-config", "p.yaml")
    assert (code, err) == (0, "")
    assert "p.yaml: good (provider YAML)" in out and "http://127.0.0.1:9" in out and "tenant-a" in out
    assert "hush" not in out and "****" in out


def test_check_config_names_every_mistake(tmp_path):
    (tmp_path / "bad.toml").write_text('[[nodes]]\nurl = "http://a:1"\n[router]\nmax_retrys = 1\n[server]\nprot = 1\n')
    code, out, err = run(tmp_path, "check-config", "--config", "bad.toml")
    assert (code, out) == (2, "")
    assert "bad.toml:4" in err and "bad.toml:6" in err and err.count("\n") == 2


def test_the_configuration_is_named_by_a_flag_or_without_but_not_twice(tmp_path):
    (tmp_path / "a.toml").write_text('[[nodes]]\nurl = "http://127.0.0.1:9"\n')
    for command in ("check-config", "run", "serve"):
        code, _, err = run(tmp_path, command, "a.toml", "--config", "a.toml")
        assert code == 2 and "--config" in err
    assert run(tmp_path, "check-config", "a.toml")[0] == 0


def test_every_command_has_help_with_examples(tmp_path):
    found = []

    def look(*words):
        code, out, _ = run(tmp_path, *words, "--help")
        assert code == 0
        examples = out.split("Examples:")[1]
        assert " ".join(("llmroute-gateway", *words)) in examples
        found.append(" ".join(words))
        commands = out.split("Subcommands:")[1].split("Examples:")[0] if "Subcommands:" in out else ""
        for command in re.findall(r"^  ([a-z-]+)  ", commands, re.MULTILINE):
            look(*words, command)

    look()
    assert {"run", "serve", "check-config", "init", "demo", "completions", "migrate up", "keys revoke"} <= set(found)


def completed(directory, *words):
    """What bash offers for the last of these words."""
    listed = " ".join(f"'{word}'" for word in ("llmroute-gateway", *words))
    script = (f"source <({GATEWAY} completions bash); COMP_WORDS=({listed}); COMP_CWORD={len(words)}; "
              '_llmroute_gateway; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], cwd=directory, env=clean_environment(), capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == ""
    return set(done.stdout.split())


def test_bash_completes_commands_flags_and_files(tmp_path):
    (tmp_path / "my.toml").write_text("")
    assert {"run", "serve", "check-config", "init", "demo", "completions", "--version"} <= completed(tmp_path, "")
    assert completed(tmp_path, "ru") == {"run"}
    assert completed(tmp_path, "run", "--po") == {"--port"}
    assert completed(tmp_path, "run", "--config", "m") == {"my.toml"}
    assert "my.toml" in completed(tmp_path, "check-config", "m")
    assert completed(tmp_path, "run", "--host", "") == set()
    assert completed(tmp_path, "completions", "z") == {"zsh"}
    assert "--force" in completed(tmp_path, "init", "--")


def test_other_shells_have_scripts_too(tmp_path):
    for shell, sign in (("zsh", "#compdef llmroute-gateway"), ("fish", "complete -c llmroute-gateway")):
        code, out, _ = run(tmp_path, "completions", shell)
        assert code == 0 and sign in out and "check-config" in out
    assert run(tmp_path, "completions", "tcsh")[0] == 2
    assert run(tmp_path, "completions")[0] == 2
