"""`report`: a job as one HTML file or as Markdown, whatever a model wrote."""

import csv
import html.parser
import json
import re
import sqlite3

import pytest

from harness import Stage

HOSTILE = ("<img src=x onerror=alert(1)><script>alert(1)</script>\"'>"
           "</td></table></style>\u202egnirts &amp; | **x** `y` <b>\n# z")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A stage, its store, and the document of the run."""
    stage = Stage(tmp_path_factory.mktemp("report"))
    job = stage.job(n=40, optimizer="{miprov2: {auto: light, seed: 9, "
                    "num_candidates: 4, num_trials: 8, "
                    "max_bootstrapped_demos: 2, max_labeled_demos: 2}}")
    result = stage.promptcc("run", job, "--simulate", "--json")
    assert result.status == 0, result
    yield stage, job.parent / "promptcc.db", result.json
    stage.close()


class Page(html.parser.HTMLParser):
    """Checks that the tags of a page are balanced; collects its attributes and
    text."""

    VOID = {"meta", "br", "hr", "img", "input", "link"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open[-3:], tag)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)


TAGS = {"html", "head", "meta", "title", "style", "body", "main", "div", "h1",
        "h2", "h3", "h4", "p", "span", "b", "section", "svg", "line", "circle",
        "path", "text", "table", "thead", "tbody", "tr", "th", "td", "ins",
        "del", "details", "summary", "dl", "dt", "dd",
        "code"}


def check_alone(page):
    assert page.tags <= TAGS, page.tags - TAGS
    for name, value in page.attributes:
        assert name not in ("src", "href", "style") and \
            not name.startswith("on"), name
        assert "http" not in (value or "").replace("http-equiv", ""), value


def test_the_html_is_self_contained_and_agrees_with_run(done):
    stage, store, document = done
    out = stage.folder / "report.html"
    result = stage.promptcc("report", "--store", store, "--out", out)
    assert result.status == 0, result
    page = Page(out.read_text())
    check_alone(page)
    same = document.get("same_rows") or document
    for side in ("baseline", "compiled"):
        assert f"{100 * same[side]['score']:.1f} %" in page.text
    for words in ("What was gained, and how sure that is", "What ran",
                  "What changed in the prompts", "Which examples flipped",
                  "What still goes wrong", "What it cost", "stand-in",
                  "may add up to more than 100 %"):
        assert words in page.text, words
    assert {"svg", "circle", "path"} <= page.tags
    assert "[[ ##" not in page.text
    assert ">-0<" not in out.read_text()


def test_both_plots_mark_the_baseline(done):
    """The baseline is not the first trial, since other forms of answer are
    tried before it."""
    stage, store, _ = done
    out = stage.folder / "plots.html"
    told = stage.promptcc("report", "--store", store, "--json")
    made = stage.promptcc("report", "--store", store, "--out", out)
    assert told.status == 0 and made.status == 0, (told, made)
    baseline, = [p for p in told.json["curve"]["points"]
                 if p["kind"] == "baseline"]
    assert baseline["trial"] > 1
    # One plot is over trials, the other over the length of the prompt.
    assert out.read_text().count('<circle class="base"') == 2


def test_a_job_in_another_folder_is_found_in_that_folders_store(done):
    stage, store, _ = done
    for job in (store.parent, store.parent / "job.yaml"):
        result = stage.promptcc("report", job, "--out", stage.folder / "r.html")
        assert result.status == 0, result


def test_the_markdown_report_agrees_with_run(done):
    stage, store, document = done
    out = stage.folder / "report.md"
    assert stage.promptcc("report", "--store", store, "--out",
                          out).status == 0
    text = out.read_text()
    same = document.get("same_rows") or document
    assert f"| best | {100 * same['compiled']['score']:.1f} %" in text
    assert text.startswith("# shop\n") and "## What it cost" in text


def test_the_json_report_is_complete(done):
    stage, store, document = done
    report = stage.promptcc("report", "--store", store, "--json").json
    assert set(report) == {"summary", "curve", "cost", "compare", "before",
                           "after", "tokens", "importance", "failures"}
    assert report["summary"]["document"] == document or \
        report["summary"]["document"]["job"] == document["job"]


def test_the_json_is_printed_and_also_written_to_a_named_file(done):
    stage, store, _ = done
    alone = stage.promptcc("report", "--store", store, "--json")
    both = stage.promptcc("report", "--store", store, "--json", "--out", "r.md")
    assert both.status == 0 and both.json == alone.json, both
    assert (stage.folder / "r.md").read_text().startswith("# shop\n")


def test_a_cluster_produces_the_same_report(done):
    stage, store, _ = done
    copy = stage.folder / "copy.db"
    copy.write_bytes(store.read_bytes())
    coordinator = stage.coordinator(copy)
    here, there = stage.folder / "here.html", stage.folder / "there.html"
    assert stage.promptcc("report", "shop", "--store", store, "--out",
                          here).status == 0
    assert stage.promptcc("report", "shop", "--coordinator",
                          coordinator.endpoint, "--out", there).status == 0
    assert here.read_text() == there.read_text()


def test_text_from_a_model_is_escaped(done):
    stage, store, _ = done
    hostile = stage.folder / "hostile.db"
    hostile.write_bytes(store.read_bytes())
    db = sqlite3.connect(hostile)
    for table, column in (("instructions", "text"), ("call_texts", "reply"),
                          ("evaluations", "feedback"), ("jobs", "reason"),
                          ("jobs", "name"), ("call_kinds", "model"),
                          ("call_kinds", "purpose"), ("job_models", "name")):
        db.execute(f"UPDATE {table} SET {column} = ?", [HOSTILE])
    nasty = json.dumps({HOSTILE: HOSTILE})
    db.execute("UPDATE examples SET inputs = ?, labels = ?", [nasty, nasty])
    db.execute("UPDATE demo_sets SET demos = ? WHERE demos <> '[]'",
               [f"[{nasty}]"])
    db.commit()
    db.close()
    out = stage.folder / "hostile.html"
    assert stage.promptcc("report", "--store", hostile, "--out",
                          out).status == 0
    page = Page(out.read_text())
    check_alone(page)
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in out.read_text()
    out = out.with_suffix(".md")
    assert stage.promptcc("report", "--store", hostile, "--out",
                          out).status == 0
    text = out.read_text()
    assert "<" not in text and "\u202e" not in text
    for line in text.splitlines():
        assert not line.startswith("# z")
        if line.startswith("| won") or line.startswith("| lost"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line


def test_quotes_in_sentences_are_rendered_as_code(done):
    """This holds for both forms, and nothing of the quote is lost."""
    stage, store, _ = done
    other = stage.folder / "quotes.db"
    other.write_bytes(store.read_bytes())
    db = sqlite3.connect(other)
    db.execute("UPDATE evaluations SET feedback = ?",
               ["`a_b` is `x | y`, not `c*d` but ` or `<i>`"])
    db.commit()
    db.close()
    out = stage.folder / "quotes.html"
    assert stage.promptcc("report", "--store", other, "--out", out).status == 0
    assert "<code>a_b</code> is <code>x | y</code>, not <code>c*d</code> but " \
        "<code> or </code>&lt;i&gt;`" in out.read_text()
    out = out.with_suffix(".md")
    assert stage.promptcc("report", "--store", other, "--out", out).status == 0
    assert r"`a_b` is \`x \| y\`, not `c*d` but ` or `&lt;i\>\`" in \
        out.read_text()


def test_a_report_works_for_a_job_that_has_just_begun(stage):
    gate = stage.gate(stage.stand_in())
    gate.hold_after(2)
    job = stage.job()
    run = stage.start("run", job, "--ollama", gate.url)
    gate.wait_held(run)
    for name in ("early.html", "early.md"):
        result = stage.promptcc("report", "--store",
                                job.parent / "promptcc.db", "--out",
                                stage.folder / name)
        assert result.status == 0, result
    page = Page((stage.folder / "early.html").read_text())
    check_alone(page)
    assert "not scored yet" in page.text


def test_a_report_works_for_an_evaluation(stage):
    job = stage.job(n=24)
    scored = stage.promptcc("eval", job, "--simulate", "--json")
    assert scored.status == 0, scored
    for name in ("eval.html", "eval.md"):
        result = stage.promptcc("report", "--store",
                                job.parent / "promptcc.db", "--out",
                                stage.folder / name)
        assert result.status == 0, result
        text = (stage.folder / name).read_text()
        if name.endswith("html"):
            text = Page(text).text
        assert f"{100 * scored.json['score']:.1f} %" in text
        assert f"on {scored.json['n']} examples" in text


@pytest.mark.parametrize("name", ["report.pdf", "report.JSON"])
def test_a_report_name_with_the_wrong_extension_is_refused(done, name):
    stage, store, _ = done
    out = stage.folder / name
    result = stage.promptcc("report", "--store", store, "--out", out)
    assert result.status == 2 and "a report is HTML" in result.err, result
    assert not out.exists()


def test_a_report_does_not_overwrite_the_store(done):
    stage, store, _ = done
    result = stage.promptcc("report", "--store", store, "--out", store)
    assert result.status == 2 and store.stat().st_size > 10000


@pytest.mark.parametrize("command", ["trials", "jobs", "workers"])
def test_lists_can_be_csv(done, command):
    stage, store, _ = done
    words = [command, "--store", store] + ["--all"] * (command == "workers")
    listed = stage.promptcc(*words, "--json").json
    table = list(csv.DictReader(stage.promptcc(*words, "--csv").out.splitlines()))
    assert len(table) == len(listed) > 0
    for row, entry in zip(table, listed):
        assert list(row) == list(entry)
        for key, value in entry.items():
            if isinstance(value, str):
                assert row[key] == value
            elif isinstance(value, dict):
                assert json.loads(row[key]) == value
