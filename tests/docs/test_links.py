"""What the documents point to exists."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text())
    gone = [link for link in links if "://" not in link and not (folder / link).exists()]
    assert gone == []


@pytest.mark.parametrize("page", PAGES)
def test_scripts_that_are_named_exist(page):
    named = re.findall(r"\b(?:scripts|include/llmroute|tests|cmake)/[\w/]+\.(?:sh|py|hpp|cmake)\b", (ROOT / page).read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []
