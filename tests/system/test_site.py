"""The documents as a site: every page is in its table of contents, and every
relative link leads to a file of the site."""

import re
import subprocess

import harness

PAGES = harness.ROOT / "build" / "pages"


def lay_out():
    """Returns the pages below build/pages, as relative paths."""
    subprocess.run([harness.ROOT / "scripts" / "site.sh"], check=True, timeout=harness.DEADLINE_S)
    return {str(page.relative_to(PAGES)): page.read_text()
            for page in PAGES.rglob("*.md")}


def links(text):
    """Returns a page's links within this site, without the code that is shown
    in it."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    text = re.sub(r"`[^`\n]*`", "", text)
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [link for link in found if "://" not in link]


def test_every_page_is_listed_once_and_every_link_resolves_within_the_site():
    pages = lay_out()
    nav = (harness.ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1]
    named = [line.rsplit(": ", 1)[1].strip() for line in nav.splitlines()
             if line.endswith(".md")]
    assert sorted(named) == sorted(pages)
    lost = [f"{page}: {link}" for page, text in pages.items()
            for link in links(text)
            if not (PAGES / page).parent.joinpath(link).is_file()]
    assert lost == []
    assert sum(len(links(text)) for text in pages.values()) > 100
