"""docs/job.schema.json and the parser agree on what a job file is.

tests/unit/test_job.c reads the same files: those in good/ load, those in bad/
give the findings in their first lines. Here the schema judges them. A file in
bad/ says in its first line whether a schema can detect its mistake.
"""

import json
import pathlib

import pytest

jsonschema = pytest.importorskip(
    "jsonschema", reason="needs the package python3-jsonschema")
yaml = pytest.importorskip("yaml", reason="needs the package python3-yaml")

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOBS = ROOT / "tests" / "data" / "jobs"
SCHEMA = json.loads((ROOT / "docs" / "job.schema.json").read_text())


class Core(yaml.SafeLoader):
    """YAML 1.2's core types, which editors and the parser use."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
     "-+.0123456789"),
    ("merge", r"<<", "<"),
]:
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag,
                               yaml.resolver.re.compile(f"^(?:{pattern})$"),
                               list(first))
Core.add_constructor("tag:yaml.org,2002:float",
                     lambda loader, node: float(node.value))
Core.add_constructor("tag:yaml.org,2002:int",
                     lambda loader, node: int(node.value))


def fits_schema(path):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return validator.is_valid(yaml.load(path.read_text(), Core))


def files(folder):
    found = sorted((JOBS / folder).glob("*.yaml"))
    assert found
    return [pytest.param(path, id=path.stem) for path in found]


def test_the_schema_is_a_valid_json_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def objects(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_every_top_level_key_is_described():
    for key, value in SCHEMA["properties"].items():
        target = value
        if "$ref" in value:
            target = SCHEMA["$defs"][value["$ref"].split("/")[-1]]
        assert target.get("description"), key


@pytest.mark.parametrize("path", files("good"))
def test_the_schema_accepts_a_good_job(path):
    jsonschema.Draft202012Validator(SCHEMA).validate(
        yaml.load(path.read_text(), Core))


@pytest.mark.parametrize("path", files("bad"))
def test_the_schema_refuses_detectable_mistakes(path):
    first = path.read_text().splitlines()[0]
    assert first in ("# in the schema", "# beyond the schema")
    try:
        fits = fits_schema(path)
    except yaml.YAMLError:
        assert first == "# beyond the schema"
        return
    assert fits == (first == "# beyond the schema")


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.parent.name)
             for path in sorted((ROOT / "jobs").glob("*/job.yaml"))])
def test_the_schema_accepts_shipped_jobs(path):
    assert fits_schema(path)
