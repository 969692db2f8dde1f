#!/usr/bin/env python3
"""reference.py [--check] [BUILD]: writes the generated parts of the reference in docs/.

A part is between two comments, which readers do not see:

    <!-- made: message HELLO -->
    ...
    <!-- end -->

It shows what one source says about itself, so that nothing is written twice. The
text and examples around it are written by hand. The kinds of parts are the
functions below that `@part` marks. Their sources are

    the command line, optimizers, messages,  the program's tables (cli/reference.c,
    what operators watch                     from BUILD, build/dev by default)
    views, tables and versions of the store  store/views/*.sql, store/schema_*.sql
    the HTTP API                             web/assets/openapi.json
    keys of the job file                     docs/job.schema.json

Where a source mentions docs/PAGE.md, the page gets a link. With --check nothing is
written, and pages that would change are named (status 1).
"""

import difflib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ["command-line", "http-api", "job-file", "protocol", "store"]

parts = {}


def part(make):
    parts[make.__name__.replace("_", "-")] = make
    return make


# --- Markdown ---

def prose(text):
    """Returns a text of a source as Markdown: pages become links, options
    code."""
    text = re.sub(r"\bdocs/([\w-]+\.md)(#[\w-]+)?", r"[\1](\1\2)", text)
    kept = re.split(r"(`[^`]*`|\]\([^)]*\))", text)
    return "".join(
        one if n % 2 else re.sub(r"(?<![\w`-])(--[a-z][a-z-]*(?:=[\w.:/-]+)?)",
                                 r"`\1`", one) for n, one in enumerate(kept))


def capital(text):
    return text[:1].upper() + text[1:]


def sentence(text):
    """Like prose, with a capital letter and a full stop."""
    text = capital(prose(text.strip()))
    return text + ("" if text.endswith(".") else ".")


def code(text):
    return f"`{text}`"


def table(*rows):
    """Returns a table of rows of cells; the first row is the heading."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
             for row in rows]
    return [lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]


def size(n):
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if n >= unit and n % unit == 0:
            return f"{n // unit} {name}"
    return f"{n} bytes"


def number(value):
    return "2^31-1" if value == 2 ** 31 - 1 else f"{value:,}"


# --- the program's tables ---

class Program:
    """What build/.../cli/reference prints; it runs once."""

    def __init__(self, build):
        self.build, self.said = build, None

    def __getitem__(self, key):
        asked = self.build / "cli" / "reference"
        if self.said is None and not asked.exists():
            sys.exit(f"{asked} is missing: build promptcc first, or name "
                     "another build folder")
        if self.said is None:
            self.said = json.loads(subprocess.run(
                [asked], check=True, stdout=subprocess.PIPE).stdout)
        return self.said[key]


program = Program(ROOT / "build" / "dev")


def option_name(option):
    """Returns `--ollama URL` `[,slots=N]`: parts, between which a line may
    break."""
    argument = option["argument"] or ""
    first, *others = re.split(r"(?=\[,)", argument)
    return " ".join([code(f"--{option['name']}" +
                          ("" if first[:1] in ("", "[") else " ") + first),
                     *map(code, others)])


@part
def commands(group):
    """The commands of a group: what each does, an example, its options."""
    lines = []
    for one in program["commands"]:
        if one["group"] != group:
            continue
        lines += [f"### `{' '.join([one['name'], one['usage']]).strip()}`", "",
                  sentence(one["summary"]) +
                  (" " + prose(one["about"]) if one["about"] else ""), "",
                  "```bash", one["example"], "```", ""]
        if one["options"]:
            lines += ["Options: " + " ".join(code("--" + name) for name in
                                             one["options"]), ""]
        if one["option_help"]:
            lines += ["In this command:", ""]
        for own in one["option_help"]:
            default = (f" (default: {prose(own['default'])})"
                       if own["default"] else "")
            lines.append(f"* {option_name(own)}: {prose(own['help'])}{default}")
        if one["option_help"]:
            lines.append("")
    assert lines, f"there is no group of commands {group}"
    return lines[:-1]


@part
def options():
    """All options by name. Where two share a name, each says which commands it
    belongs to."""
    names = [one["name"] for one in program["options"]]
    rows = [("option", "meaning", "default")]
    for one in sorted(program["options"], key=lambda one: one["name"]):
        meaning = capital(prose(one["help"]))
        if names.count(one["name"]) > 1:
            meaning = f"Of {', '.join(map(code, one['of']))}: {prose(one['help'])}"
        if one["more"]:
            meaning += ". " + prose(one["more"]).rstrip(".")
        rows.append((option_name(one), meaning, prose(one["default"] or "")))
    return table(*rows)


@part
def exit_status():
    return table(("status", "meaning"),
                 *((str(one["status"]), prose(one["meaning"]))
                   for one in program["exit"]))


@part
def documents():
    """The documents that --json prints."""
    return table(("command", "what it prints with `--json`"),
                 *((code(one["name"]), prose(one["document"]))
                   for one in program["commands"] if one["document"]))


@part
def optimizer(name):
    [one] = [one for one in program["optimizers"] if one["name"] == name]
    rows = [("parameter", "default", "meaning")]
    for param in one["params"]:
        meaning = prose(param["help"])
        value = param["default"]
        if param["choices"]:
            meaning += f" ({', '.join(map(code, param['choices']))})"
            value = code(value)
        if param["name"] != "seed":  # the page describes it once for all optimizers
            rows.append((code(param["name"]), "" if value is None else
                         f"{value:g}" if isinstance(value, float) else
                         str(value).lower(), meaning))
    return [f"**`{name}`**: {prose(one['help'])}.", "", *table(*rows)]


# --- the protocol ---

def field_range(field):
    least, most = field["min"], field["max"]
    if field["type"] in ("text", "bytes"):
        return f"at most {size(most)}"
    if field["type"] == "list":
        return f"at most {most}"
    if least == -2 ** 63:
        return "64 bits, signed"
    if most == 2 ** 63 - 1:
        return f"{least} and up"
    if most == least + 1:
        return f"{least} or {most}"
    return f"{number(least)} to {number(most)}"


def fields(rows):
    return table(("key", "type", "range or size", "meaning"),
                 *((code(one["key"]), one["type"], field_range(one),
                    ("required; " if one["required"] else "") +
                    prose(one["about"])) for one in rows))


@part
def message(name):
    [one] = [one for one in program["messages"] if one["name"] == name]
    head = f"### {one['kind']} {name}: "
    assert head in (ROOT / "docs" / "protocol.md").read_text(), f"no `{head}`"
    lines = fields(one["fields"])
    for field in one["fields"]:
        if field["items"]:
            lines += ["", f"Each of `{field['key']}` has", "",
                      *fields(field["items"])]
    return lines


@part
def verbs():
    """The verbs of COMMAND, by name. If two have the same name, the first one
    counts, which is a coordinator's."""
    there = {}
    for one in program["verbs"]:
        there.setdefault(one["name"], (
            code(one["name"]), "yes" if one["of_job"] else "",
            prose(one["argument"] or ""), prose(one["reply"])))
    return table(("verb", "of a job", "members of the argument", "the reply"),
                 *(there[name] for name in sorted(there)))


# --- the store ---

def comment_before(sql, statement):
    """Returns the lines of the comment right above a statement, without their
    dashes."""
    lines = sql[:sql.index(statement)].splitlines()
    taken = []
    while lines and lines[-1].startswith("--"):
        taken.insert(0, lines.pop().removeprefix("--"))
    return taken


def schemas():
    return sorted((ROOT / "store").glob("schema_*.sql"),
                  key=lambda path: int(path.stem.split("_")[1]))


def made_store():
    """Makes a store of the latest version, in memory."""
    db = sqlite3.connect(":memory:")
    for path in [*schemas(), *sorted((ROOT / "store" / "views").glob("*.sql"))]:
        # From version 2 on, the views of version 1 are separate files.
        for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'"
                                ).fetchall():
            if path.stem == name:
                db.execute(f"DROP VIEW {name}")
        db.executescript(path.read_text())
    return db


def columns_of(db, name):
    return [row[1] for row in db.execute(f"PRAGMA table_info({name})")]


@part
def tables():
    db, told = made_store(), {}
    for path in schemas():
        text = path.read_text()
        for name in re.findall(r"^CREATE TABLE (\w+)\(", text, re.M):
            lines = comment_before(text, f"CREATE TABLE {name}(")
            told[name] = re.split(r"\n\s*\n", "\n".join(lines))[0]
    rows = [("table", "one row is", "columns")]
    for name, in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite%' ORDER BY name").fetchall():
        text = " ".join(told[name].split())
        assert text.startswith(name + ": "), \
            f"store/schema_*.sql: no comment above {name} says what a row of it is"
        rows.append((code(name), prose(text.removeprefix(name + ": ").rstrip(".")),
                     " ".join(map(code, columns_of(db, name)))))
    return table(*rows)


@part
def view(name):
    """A view's columns, from the comment above it: a sentence, then names of
    columns, two spaces, and what the columns contain."""
    path = ROOT / "store" / "views" / f"{name}.sql"
    rows = []
    for line in comment_before(path.read_text(), f"CREATE VIEW {name} "):
        first = re.match(r"   (\w+(?:, \w+)*)(?:  +(.*))?$", line)
        if first:
            rows.append([first[1].split(", "), first[2] or ""])
        elif rows:
            rows[-1][1] = f"{rows[-1][1]} {line.strip()}".strip()
    there, said = columns_of(made_store(), name), sum((row[0] for row in rows), [])
    assert sorted(there) == sorted(said), \
        f"{path.name} tells of {sorted(set(said) ^ set(there))}, or twice of one"
    return table(("column", "meaning"),
                 *((", ".join(map(code, names)), prose(text))
                   for names, text in rows))


@part
def versions():
    rows = [("version", "brought")]
    for path in schemas():
        text = " ".join(line.removeprefix("--").strip() for line in
                        path.read_text().split("\n\n")[0].splitlines())
        found = re.match(r"Version (\d+) of a store: (.*?)\.(?: |$)", text)
        assert found, f"{path.name} does not begin with what its version brought"
        rows.append((found[1], prose(found[2])))
    return table(*rows)


# --- the HTTP API ---

def parameters_of(operation):
    for one in operation.get("parameters", []):
        if one["in"] == "query":
            yield one["name"], one.get("schema", {}), one.get("description", "")
    body = operation.get("requestBody", {}).get("content", {})
    for name, schema in body.get("application/json", {}).get("schema", {}).get(
            "properties", {}).items():
        yield name, schema, schema.get("description", "")


@part
def addresses():
    api = json.loads((ROOT / "web" / "assets" / "openapi.json").read_text())
    rows = [("address", "what it gives, and its parameters")]
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            told = [prose(operation["summary"])]
            if "description" in operation:
                told[0] += ". " + prose(operation["description"])
            for name, schema, about in parameters_of(operation):
                if "enum" in schema:
                    about += ": " + ", ".join(map(code, schema["enum"]))
                told.append(f"`{name}`: {prose(about)}")
            rows.append((code(f"{method.upper()} " + path.replace(
                "/api/v1/jobs/{job}/", ".../")), "<br>".join(told)))
    return table(*rows)


@part
def watched():
    """What /metrics reports."""
    rows = [("name", "type", "what it is")]
    for one in program["metrics"]:
        labels = "{" + one["labels"] + "}" if one["labels"] else ""
        rows.append((code("promptcc_" + one["name"] + labels), one["type"],
                     capital(one["help"])))
    return table(*rows)


# --- the job file ---

def job_schema():
    return json.loads((ROOT / "docs" / "job.schema.json").read_text())


def resolved(schema, whole):
    """Returns the schema with all references resolved. If a value may be null, a
    word or a map, returns the map."""
    while "$ref" in schema:
        there = whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        own = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**there, **own}
        if "properties" in there and "properties" in own:
            schema["properties"] = {**own["properties"], **there["properties"]}
    for one in schema.get("anyOf", []):
        if "properties" in one and "tune" not in one["properties"]:
            return {**resolved(one, whole), **{key: schema[key] for key in
                    ("description", "x-type") if key in schema}}
    return schema


def span(schema):
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum")
    if least is None or most is None or most >= 10 ** 9:
        return None
    if "exclusiveMinimum" in schema:
        return f"above {least}, to {most}"
    return f"{least} to {most // 2 ** 20}M" if most >= 2 ** 20 else \
        f"{least} to {most:,}"


TYPES = {"string": "text", "integer": "whole number", "number": "number",
         "boolean": "true, false", "object": "map", "array": "list"}


def type_of(schema, whole):
    """Returns the type in words. If there are several forms, the first is the
    plain one."""
    given = resolved(schema, whole)
    if "x-type" in given:
        return prose(given["x-type"])
    if "enum" in given:
        return ", ".join(map(code, given["enum"]))
    if "anyOf" in given or "oneOf" in given:
        return type_of((given.get("anyOf") or given["oneOf"])[0], whole)
    kind = given.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    return span(given) or TYPES[kind]


def default_of(key, schema, required):
    if key in required:
        return "required"
    if "x-default" in schema:
        return prose(schema["x-default"])
    value = schema.get("default")
    return "" if value is None else \
        value if isinstance(value, str) and " " in value else \
        code(value) if isinstance(value, str) else json.dumps(value)


def key_rows(schema, whole, before=""):
    """Yields a row for each key. A map that is defined at its key, and
    described nowhere else, follows its key."""
    for key, one in schema["properties"].items():
        given = resolved(one, whole)
        yield (code(before + key), type_of(one, whole),
               default_of(key, given, schema.get("required", [])),
               prose(given.get("description", "")))
        if "$ref" not in one and "properties" in given and \
                given.get("additionalProperties") is False:
            yield from key_rows(given, whole, f"{before}{key}.")


@part
def keys(name=None):
    """The keys of the file, or of a map that a definition describes. Keys with
    their own section on the page are linked."""
    whole = job_schema()
    if name:
        return table(("key", "type", "default", "meaning"),
                     *key_rows(resolved({"$ref": f"#/$defs/{name}"}, whole), whole))
    sections = {title.split()[0].lower(): title for title in re.findall(
        r"^## (.+)$", (ROOT / "docs" / "job-file.md").read_text(), re.M)}
    rows = []
    for key, *others, meaning in key_rows(whole, whole):
        title = sections.get(key.strip("`"))
        if title:
            meaning += f"; see [{title}](#{title.lower().replace(' ', '-')})"
        rows.append((key, *others, meaning))
    return table(("key", "type", "default", "meaning"), *rows)


@part
def steps():
    """The kinds of steps, and the keys of each."""
    whole = job_schema()
    rows = [("kind", "its value", "other keys", "what it does")]
    for kind in whole["$defs"]["step"]["oneOf"]:
        name, *others = [key for key in kind["properties"] if key != "when"]
        schema = resolved(kind["properties"][name], whole)
        rows.append((code(name), prose(schema.get("description", "")),
                     " ".join(map(code, others)), prose(kind["description"])))
    return table(*rows)


@part
def metrics():
    whole = job_schema()
    return table(("kind", "value", "score"),
                 *((code(key), type_of(schema, whole),
                    prose(schema["description"])) for key, schema in
                   whole["$defs"]["metric_kinds"]["properties"].items()))


# --- the pages ---

PART = re.compile(r"(<!-- made: ([\w-]+)(?: ([^\n]*?))? -->\n).*?(<!-- end -->)", re.S)


def refill(text):
    def made(match):
        arguments = [match[3]] if match[3] else []
        lines = parts[match[2]](*arguments)
        return match[1] + "\n" + "\n".join(lines) + "\n\n" + match[4]
    return PART.sub(made, text)


def wanted():
    """Returns the parts that some page must contain, so that no view or command
    is left out."""
    yield from (f"view {path.stem}" for path in
                (ROOT / "store" / "views").glob("*.sql"))
    yield from (f"message {one['name']}" for one in program["messages"])
    yield from (f"optimizer {one['name']}" for one in program["optimizers"])
    yield from {f"commands {one['group']}" for one in program["commands"]}
    yield from (name for name in parts
                if name not in ("view", "message", "optimizer", "commands"))


def check_whole():
    text = "".join((ROOT / "docs" / f"{name}.md").read_text() for name in PAGES)
    missing = [one for one in wanted() if f"<!-- made: {one} -->" not in text]
    if missing:
        sys.exit(f"no page of {', '.join(PAGES)} has the parts {missing}: write "
                 f"<!-- made: {missing[0]} --> and <!-- end --> where it belongs")


def main(words):
    check = "--check" in words
    words = [word for word in words if word != "--check"]
    if words:
        program.build = pathlib.Path(words[0])
    check_whole()
    stale = 0
    for name in PAGES:
        path = ROOT / "docs" / f"{name}.md"
        before = path.read_text()
        after = refill(before)
        if before == after:
            continue
        stale += 1
        if check:
            sys.stdout.writelines(difflib.unified_diff(
                before.splitlines(True), after.splitlines(True),
                f"docs/{name}.md", "as its sources have it", n=0))
        else:
            path.write_text(after)
            print(f"docs/{name}.md")
    if check and stale:
        sys.exit("the reference does not say what its sources say: run "
                 "scripts/reference.py and look at what it changes")


if __name__ == "__main__":
    main(sys.argv[1:])
