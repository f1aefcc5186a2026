"""The configuration page has every key there is, with the default that the struct has."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/guide/configuration.md").read_text()
CORE = "include/llmroute/core/"

# Heading of the page: the struct with the defaults, its header, the file and function that read the keys.
SECTIONS = {
    "[router]": ("RouterConfig", "include/llmroute/config.hpp", "src/config.cpp", "read_router"),
    "[timeouts]": ("TimeoutsConfig", "include/llmroute/config.hpp", "src/config.cpp", "read_timeouts"),
    "[backpressure]": ("AdmissionOptions", CORE + "admission_queue.hpp", "src/config.cpp", "read_backpressure"),
    "[health]": ("HealthOptions", CORE + "health_tracker.hpp", "src/config.cpp", "read_health"),
    "[breaker]": ("BreakerOptions", CORE + "circuit_breaker.hpp", "src/config.cpp", "read_breaker"),
    "[hedge]": ("HedgeOptions", CORE + "hedge_policy.hpp", "src/config.cpp", "read_hedge"),
    "[[nodes]]": ("NodeConfig", CORE + "node_config.hpp", "src/config.cpp", "read_node"),
    "tls": ("TlsConfig", CORE + "node_config.hpp", "src/config.cpp", "read_tls"),
    "[[models]]": ("ModelConfig", CORE + "node_config.hpp", "src/config.cpp", "read_model"),
    "[server]": ("ServerOptions", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_server"),
    "server.tls": ("ServerTls", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_server_tls"),
    "[auth]": ("AuthOptions", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_auth"),
    "[store]": ("StoreOptions", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_store"),
    "[reload]": ("ReloadOptions", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_reload"),
    "[logging]": ("LoggingOptions", "examples/gateway/options.hpp", "examples/gateway/sections.cpp", "read_logging"),
}
UNITS = {"milliseconds": "ms", "seconds": "s", "minutes": "m", "hours": "h"}


def table(heading):
    """The page's rows below a heading: first cell -> second cell, bare of backticks."""
    found = re.search(r"^#+ " + re.escape(heading) + r"\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    rows = [[cell.strip() for cell in line.split("|")] for line in found[1].splitlines() if line.startswith("|")]
    return {row[1]: row[2].strip("`") for row in rows[2:]}


def keys_read(path, function):
    """The keys that a function of the source asks for, in order."""
    body = re.search(r" " + function + r"\(.*?\) \{\n(.*?)^\}", (ROOT / path).read_text(), re.MULTILINE | re.DOTALL)
    return re.findall(r"\b(?:in|section)\.\w+\(\s*\"(\w+)\"", body[1])


def written(value, kind):
    """A C++ default as the page spells it."""
    if chrono := re.fullmatch(r"std::chrono::(\w+)\((\d+)\)", value):
        return f'"{chrono[2]}{UNITS[chrono[1]]}"'
    if value == "":
        if kind == "Duration":
            return "0"
        if kind.startswith("std::vector"):
            return "[]"
        if kind.startswith("std::optional"):
            return '"p95"' if "Duration" in kind else '"auto"'
        return '""' if kind == "std::string" else "{}"
    if size := re.fullmatch(r"(\d+) << 20", value):
        return f'"{size[1]}MB"'
    if "::" in value:
        return '"%s"' % value.rsplit("::", 1)[1].replace("automatic", "auto")
    return value


def defaults(struct, header):
    """The fields of a struct: name -> default."""
    text = re.sub(r"//.*", "", (ROOT / header).read_text())
    body = re.search(r"^struct " + struct + r" \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL)[1]
    body = re.split(r"\n[^;\n]*\w\([^;]*?\{", body)[0]  # up to the first function
    fields = re.findall(r"^\s*([\w:<>, ]+?)\s+(\w+)\s*(?:\{\}|=\s*([^;]+?));", body, re.MULTILINE)
    return {name: written(value.strip(), kind) for kind, name, value in fields if name != "operator"}


def test_every_section_is_on_the_page_and_known_to_the_gateway():
    library = set(re.findall(r"in\.(?:section|list)\(\"(\w+)\"", (ROOT / "src/config.cpp").read_text())) - {"tls", "per_tenant_model", "transforms"}
    passed_on = (ROOT / "examples/gateway/sections.cpp").read_text()
    passed_on = re.search(r"library_sections\(\) \{\n  return \{(.*?)\}", passed_on, re.DOTALL)[1]
    assert set(re.findall(r'"(\w+)"', passed_on)) == library
    assert library - {"limits"} <= {heading.strip("[]") for heading in SECTIONS}  # they have a page of their own


def test_every_key_is_on_the_page():
    for heading, (_, _, source, function) in SECTIONS.items():
        assert list(table(heading)) == keys_read(source, function), heading


def test_the_defaults_are_those_of_the_structs():
    for heading, (struct, header, _, _) in SECTIONS.items():
        assert table(heading) == defaults(struct, header), heading


def test_every_variable_is_on_the_page():
    source = (ROOT / "examples/gateway/variables.cpp").read_text()
    rows = source[source.index("constexpr std::array variables"):source.index("Error bad(")]
    found = {}
    for row in re.findall(r"Variable\{((?:[^{}]|\{\})*)\}", rows):
        cells = [cell.strip() for cell in row.split(",")]
        found[cells[0].strip('"')] = cells[4].strip('"') if len(cells) > 4 else ""
    assert table("Variables") == found
