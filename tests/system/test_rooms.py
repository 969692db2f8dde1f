"""The files of a room are in layers: calls never lead from a file back to itself.

The files of a ring can only be understood, tested and changed together. The
linker knows best who uses what, so the test reads the symbols of each room's
library. Tables of rows count as well: a file with the table, and what the rows
need, are two files.
"""

import collections
import re
import shutil
import subprocess

import pytest

import harness

# `man` and `completion` print the table of commands, and are rows of it.
ALLOWED = {"cli": {"command_list", "cmd_completion", "cmd_man"}}


def libraries():
    return sorted(path for path in harness.BUILD.rglob("lib*.a")
                  if "tests" not in path.parts and "bench" not in path.parts)


def uses(library):
    """Returns {file: {file: symbol}} within a static library."""
    listed = subprocess.run(["nm", "-A", "--format=posix", library],
                            check=True, text=True, capture_output=True).stdout
    home, wants = {}, collections.defaultdict(set)
    for line in listed.splitlines():
        where, symbol = line.split(": ", 1)
        file = where[where.rindex("[") + 1:-1].split(".")[0]
        name, kind = symbol.split()[:2]
        if kind == "U":
            wants[file].add(name)
        elif kind in "TDRB":
            home[name] = file
    arrows = collections.defaultdict(dict)
    for file, names in wants.items():
        for name in names & home.keys():
            if home[name] != file:
                arrows[file][home[name]] = name
    return arrows


def ring_of(arrows):
    """Returns the files of one ring, each with what it uses of the next; [] if
    there is none."""
    done, path = set(), []

    def walk(file):
        if file in path:
            return path[path.index(file):]
        if file in done:
            return []
        path.append(file)
        for after in sorted(arrows.get(file, {})):
            if ring := walk(after):
                return ring
        done.add(path.pop())
        return []

    for file in sorted(arrows):
        if ring := walk(file):
            return [f"{one} uses {arrows[one][two]} of {two}"
                    for one, two in zip(ring, ring[1:] + ring[:1])]
    return []


def test_a_dependency_cycle_is_found_and_described():
    assert ring_of({"a": {"b": "f"}, "b": {"c": "g"}}) == []
    assert ring_of({"z": {"a": "e"}, "a": {"b": "f"}, "b": {"a": "g"}}) == [
        "a uses f of b", "b uses g of a"]


@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm here")
@pytest.mark.parametrize("library", libraries(), ids=lambda path: path.stem)
def test_no_file_depends_on_itself(library):
    arrows = uses(library)
    for file in ALLOWED.get(library.stem.removeprefix("lib"), ()):
        arrows.pop(file, None)
    assert ring_of(arrows) == []


def test_every_header_is_guarded_by_its_own_name():
    """If two headers have one guard, a file that includes both gets only the
    first."""
    for path in harness.ROOT.rglob("*.h"):
        name = path.relative_to(harness.ROOT)
        if name.parts[0].startswith(".") or \
                name.parts[0] in ("build", "library", "tests"):
            continue
        guard = re.search(r"#ifndef (\w+)\n#define (\w+)\n", path.read_text())
        wanted = re.sub(r"[/.]", "_", str(name)).upper()
        assert guard and guard.groups() == (wanted, wanted), name


def test_only_the_clock_module_reads_the_wall_clock():
    """If a wait, a lease or an age used a clock that people set, it could last
    for hours when they set it."""
    for path in harness.ROOT.rglob("*.c"):
        name = path.relative_to(harness.ROOT)
        if name.parts[0].startswith(".") or \
                name.parts[0] in ("build", "tests", "bench"):
            continue
        text = path.read_text()
        assert "CLOCK_REALTIME" not in text or str(name) == "common/clock.c", name
        if "pthread_cond_timedwait" in text:
            assert "cond_init(" in text and "cond_deadline(" in text, name


def test_a_struct_shared_between_folders_has_a_unique_name():
    """A search for `struct question` finds one thing. A header that only its
    own folder includes is not checked."""
    sources, homes, shared = {}, collections.defaultdict(list), set()
    for path in harness.ROOT.rglob("*.[ch]"):
        name = path.relative_to(harness.ROOT)
        if name.parts[0].startswith(".") or \
                name.parts[0] in ("build", "tests", "bench"):
            continue
        sources[str(name)] = path.read_text()
    for name, text in sources.items():
        for struct in re.findall(r"^struct (\w+) \{", text, re.MULTILINE):
            homes[struct].append(name)
        folder = name.rpartition("/")[0]
        for header in re.findall(r'#include "([\w/]+\.h)"', text):
            if header.rpartition("/")[0] != folder:
                shared.add(header)
    twice = {struct: files for struct, files in homes.items()
             if len(files) > 1 and shared & set(files)}
    assert twice == {}
