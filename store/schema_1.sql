-- Version 1 of a store: the first.
--
-- Rows that are written for every call or evaluation are appended by rising id
-- and have no second index, since an index in random order costs four times the
-- row itself. Texts are in separate tables, so that counting does not read them.
-- REFERENCES are for people and their tools: SQLite does not check them, but the
-- order in which rows are written keeps them true.
--
-- The statements of a released version are never edited, because existing stores
-- were made by them. A later version gets its own file (schema.h). The comment
-- above a table says what one row of it is, and scripts/reference.py writes that
-- into docs/store.md.

-- meta: `written_by`, the promptcc that last changed the schema, `views`, a hash
-- of the views that the store has, and `last_call`, the highest id of a call when
-- a job was last removed.
CREATE TABLE meta(
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- jobs: a job: its id, canonical form, state and result (`document` is what
-- `run --json` prints, `compiled` the compiled file). Written when it is first
-- run, and on every change of state.
CREATE TABLE jobs(
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    canonical TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    seed INTEGER NOT NULL,
    replay_version INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    score REAL,
    document TEXT,
    wall_ms INTEGER NOT NULL DEFAULT 0,
    time_limit_trial INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

-- job_models: the digest that the model of a role had when the job first used
-- it.
CREATE TABLE job_models(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY(job_no, role)
) STRICT, WITHOUT ROWID;

-- splits: the row numbers of a share (train, validation, test), a JSON list.
-- Written once, and never changed.
CREATE TABLE splits(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    share TEXT NOT NULL,
    row_numbers TEXT NOT NULL,
    PRIMARY KEY(job_no, share)
) STRICT;

-- submissions: what was submitted: options and folder. Together with
-- `job_files`, it lets a job be resumed without its folder.
CREATE TABLE submissions(
    job_no INTEGER PRIMARY KEY REFERENCES jobs(no),
    options TEXT NOT NULL,
    folder TEXT NOT NULL
) STRICT;

-- job_files: a file of a submitted job, as bytes.
CREATE TABLE job_files(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY(job_no, position)
) STRICT;

-- prefixes: a system message with its demos, as it was sent. Each is stored
-- once.
CREATE TABLE prefixes(
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- instructions: an instruction. Each is stored once, however many candidates
-- use it.
CREATE TABLE instructions(
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- demo_sets: a JSON list of demos. Each is stored once, however many
-- candidates use it.
CREATE TABLE demo_sets(
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    demos TEXT NOT NULL
) STRICT;

-- candidates: a candidate: its hash, its `parents` (a JSON list of ids) and
-- the `reason` why it was made.
CREATE TABLE candidates(
    id INTEGER PRIMARY KEY,
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    hash BLOB NOT NULL,
    parents TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- candidate_parts: what a candidate shows in one step: an instruction and a
-- demo set.
CREATE TABLE candidate_parts(
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    position INTEGER NOT NULL,
    step TEXT NOT NULL,
    instruction_id INTEGER NOT NULL REFERENCES instructions(id),
    instruction_no INTEGER NOT NULL,
    demo_set_id INTEGER NOT NULL REFERENCES demo_sets(id),
    demo_set_no INTEGER NOT NULL,
    PRIMARY KEY(candidate_id, position)
) STRICT, WITHOUT ROWID;

-- trials: a trial: its number, kind, candidate, a hash of the rows that it is
-- scored on, its score and its cost. Written when the trial begins, and when it
-- ends.
CREATE TABLE trials(
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    rows_hash BLOB NOT NULL,
    state TEXT NOT NULL,
    score REAL,
    n INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    PRIMARY KEY(job_no, number)
) STRICT, WITHOUT ROWID;

-- evaluations: one candidate on one row: outcome, score, feedback, `p_right`,
-- `calls` (a JSON list of call ids).
CREATE TABLE evaluations(
    id INTEGER PRIMARY KEY,
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    candidate_id INTEGER NOT NULL REFERENCES candidates(id),
    row INTEGER NOT NULL,
    replicate INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    repairs INTEGER NOT NULL,
    lenient INTEGER NOT NULL,
    score REAL,
    calls TEXT NOT NULL,
    feedback TEXT
) STRICT;

-- call_kinds: what many calls share: role, purpose, step, model, digest,
-- options.
CREATE TABLE call_kinds(
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    role TEXT NOT NULL,
    purpose TEXT NOT NULL,
    step TEXT NOT NULL,
    model TEXT NOT NULL,
    digest TEXT NOT NULL,
    options TEXT NOT NULL
) STRICT;

-- calls: an answer: key, outcome, tokens, times, and who gave it.
CREATE TABLE calls(
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    outcome INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    kind_id INTEGER NOT NULL REFERENCES call_kinds(id),
    prefix_id INTEGER REFERENCES prefixes(id),
    worker TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    hedged INTEGER NOT NULL,
    prompt_us INTEGER NOT NULL,
    generate_us INTEGER NOT NULL,
    load_us INTEGER NOT NULL,
    total_us INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL
) STRICT;

-- call_texts: the texts of a call: the question that was asked
-- (`question_id`; calls of older stores have the turn itself in `tail`), the
-- reply, and how sure the model was of it (`logprobs`, see docs/protocol.md).
CREATE TABLE call_texts(
    id INTEGER PRIMARY KEY REFERENCES calls(id),
    tail TEXT NOT NULL,
    reply TEXT NOT NULL
) STRICT;

-- workers: the latest facts about a worker.
CREATE TABLE workers(
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    slots INTEGER NOT NULL,
    models TEXT NOT NULL,
    calls INTEGER NOT NULL,
    last_fault TEXT NOT NULL,
    seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- events: something that happened to a job: an example was excluded, a fault, a
-- note, a new state, or what the job awaits before it continues automatically.
CREATE TABLE events(
    id INTEGER PRIMARY KEY,
    job_no INTEGER NOT NULL REFERENCES jobs(no),
    kind TEXT NOT NULL,
    row INTEGER NOT NULL,
    text TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

-- Views, for people. The words for outcomes are those of call_outcome_name
-- and run_outcome_name.

CREATE VIEW v_jobs AS SELECT
    j.id AS job,
    j.name,
    j.state,
    j.score,
    j.reason,
    j.simulated,
    (SELECT count(*)
     FROM trials t WHERE t.job_no = j.no AND t.state = 'done') AS trials,
    j.seed,
    j.wall_ms / 1000.0 AS wall_s,
    j.path,
    strftime('%Y-%m-%dT%H:%M:%fZ', j.created_ms / 1000.0, 'unixepoch') AS created,
    strftime('%Y-%m-%dT%H:%M:%fZ', j.updated_ms / 1000.0, 'unixepoch') AS updated
FROM jobs j;

CREATE VIEW v_trials AS SELECT
    j.id AS job,
    t.number AS trial,
    t.state,
    t.kind,
    t.score,
    t.n,
    t.candidate_id AS candidate,
    (SELECT json_group_object(step, instruction_no)
     FROM (SELECT step, instruction_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS instructions,
    (SELECT json_group_object(step, demo_set_no)
     FROM (SELECT step, demo_set_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS demos,
    t.calls,
    t.tokens,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', t.finished_ms / 1000.0, 'unixepoch') AS finished
FROM trials t
    JOIN jobs j ON j.no = t.job_no;

-- Each candidate is listed once, with its first trial on the most rows.
CREATE VIEW v_best AS SELECT
    j.id AS job,
    row_number() OVER (PARTITION BY t.job_no
        ORDER BY t.score DESC, t.number) AS rank,
    t.score,
    t.n,
    t.number AS trial,
    t.kind,
    t.candidate_id AS candidate,
    (SELECT json_group_object(step, instruction_no)
     FROM (SELECT step, instruction_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS instructions,
    (SELECT json_group_object(step, demo_set_no)
     FROM (SELECT step, demo_set_no FROM candidate_parts
           WHERE candidate_id = t.candidate_id ORDER BY position)) AS demos
FROM (SELECT *, row_number() OVER (PARTITION BY job_no, candidate_id
          ORDER BY n DESC, number) AS turn
      FROM trials
      WHERE state = 'done' AND kind IN ('baseline', 'full')) t
    JOIN jobs j ON j.no = t.job_no
WHERE t.turn = 1;

CREATE VIEW v_candidates AS SELECT
    j.id AS job,
    c.id AS candidate,
    p.step,
    p.instruction_no AS instruction_number,
    i.text AS instruction,
    p.demo_set_no AS demo_set_number,
    d.demos,
    c.parents,
    c.reason,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.created_ms / 1000.0, 'unixepoch') AS created
FROM candidates c
    JOIN jobs j ON j.no = c.job_no
    JOIN candidate_parts p ON p.candidate_id = c.id
    JOIN instructions i ON i.id = p.instruction_id
    JOIN demo_sets d ON d.id = p.demo_set_id;

CREATE VIEW v_evaluations AS SELECT
    e.id,
    j.id AS job,
    e.candidate_id AS candidate,
    e.row,
    e.replicate,
    CASE e.outcome
        WHEN 0 THEN 'done'
        WHEN 1 THEN 'format'
        WHEN 2 THEN 'cut'
        WHEN 3 THEN 'empty'
        WHEN 4 THEN 'loop'
        WHEN 5 THEN 'too_long'
        ELSE e.outcome END AS outcome,
    e.score,
    e.feedback,
    e.repairs,
    e.lenient,
    e.calls
FROM evaluations e
    JOIN jobs j ON j.no = e.job_no;

CREATE VIEW v_calls AS SELECT
    c.id,
    j.id AS job,
    k.role,
    k.purpose,
    k.step,
    k.model,
    k.digest,
    k.options,
    CASE c.outcome
        WHEN 0 THEN 'text'
        WHEN 1 THEN 'cut'
        WHEN 2 THEN 'empty'
        WHEN 3 THEN 'loop'
        WHEN 4 THEN 'too_long'
        ELSE c.outcome END AS outcome,
    coalesce(p.text, '') || t.tail AS messages,
    t.reply,
    c.prompt_tokens,
    nullif(c.cached_tokens, -1) AS cached_tokens,
    c.generated_tokens,
    c.worker,
    c.attempts,
    c.hedged,
    c.prompt_us,
    c.generate_us,
    c.load_us,
    c.total_us,
    strftime('%Y-%m-%dT%H:%M:%fZ', c.finished_ms / 1000.0, 'unixepoch') AS finished,
    lower(hex(c.key)) AS key,
    c.prefix_id AS prefix
FROM calls c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id
    JOIN call_texts t ON t.id = c.id
    LEFT JOIN prefixes p ON p.id = c.prefix_id;

CREATE VIEW v_cost AS SELECT
    j.id AS job,
    k.role,
    k.purpose,
    k.model,
    count(*) AS calls,
    sum(c.prompt_tokens) AS prompt_tokens,
    sum(nullif(c.cached_tokens, -1)) AS cached_tokens,
    sum(c.generated_tokens) AS generated_tokens,
    sum(c.hedged) AS hedged,
    sum(c.total_us) / 1e6 AS model_s
FROM calls c
    JOIN jobs j ON j.no = c.job_no
    JOIN call_kinds k ON k.id = c.kind_id
GROUP BY c.job_no, k.role, k.purpose, k.model;
