"""Demos that are picked for each question out of a pool.

The same ones in the same order as `promptcc predict` picks: BM25 of SQLite's
FTS5 over the terms of the inputs, of equal ranks the earlier demo, others of
the pool where too few share a term, and the nearest one last.
"""

import sqlite3

import dspy

from . import fields
from .texts import value_text
from .words import spread, terms

MOST_TERMS = 200  # of a question


class Pool:
    """inputs: names of the step's inputs, in their order."""

    def __init__(self, inputs, pool):
        self.inputs = inputs
        self.nearest = pool["nearest"]
        self.demos = pool["demos"]

    def pick(self, values):
        chosen = self._ranked(self._text(values))
        chosen += [at for at in range(len(self.demos)) if at not in chosen]
        return [dspy.Example(**self.demos[at])
                for at in reversed(chosen[:self.nearest])]

    def _text(self, values):
        return "\n".join(value_text(fields.plain(values[name]))
                         if name in values else "" for name in self.inputs)

    def _ranked(self, question):
        asked = terms(question)[:MOST_TERMS]
        if not asked:
            return []
        with sqlite3.connect(":memory:") as database:
            try:
                database.execute("CREATE VIRTUAL TABLE d USING fts5(text, "
                                 "tokenize='unicode61 remove_diacritics 2')")
            except sqlite3.OperationalError as error:
                raise RuntimeError(
                    "the demos of this file are picked by SQLite's FTS5, which "
                    "this Python comes without: run the file with `promptcc "
                    "serve`") from error
            database.executemany(
                "INSERT INTO d(rowid, text) VALUES(?, ?)",
                [(at, spread(self._text(demo)))
                 for at, demo in enumerate(self.demos)])
            rows = database.execute(
                "SELECT rowid FROM d WHERE d MATCH ? ORDER BY bm25(d), rowid "
                "LIMIT ?", (" OR ".join(f'"{term}"' for term in asked),
                            self.nearest)).fetchall()
        database.close()
        return [row[0] for row in rows]

