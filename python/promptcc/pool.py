"""Demos that are picked out of a pool for each question.

Picks the same demos in the same order as `promptcc predict`: by the BM25 of
SQLite's FTS5 over the terms of the inputs. Of demos with equal ranks the earlier
one wins. If too few demos share a term with the question, other demos of the
pool follow. The nearest demo is shown last.
"""

import sqlite3

import dspy

from . import fields
from .texts import value_text
from .words import spread, terms

MOST_TERMS = 200  # most terms of a question that are searched for


class Pool:
    """inputs: the names of the step's inputs, in their order."""

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
                    "this Python lacks: run the file with `promptcc "
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

