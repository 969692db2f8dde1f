"""The HTTP API has the shape of the OpenAPI file, lets in those that it should,
and cannot be exhausted."""

import http.client
import json
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

from harness import DEADLINE_S, ROOT, Stage, wait_until

jsonschema = pytest.importorskip(
    "jsonschema", reason="needs the package python3-jsonschema")

OPENAPI = json.loads((ROOT / "web/assets/openapi.json").read_text())


class Site:
    """Sends requests to a dashboard's server."""

    def __init__(self, process):
        self.process = process
        found = wait_until(
            lambda: re.search(r"dashboard at http://([\d.]+):(\d+)",
                              process.output() + process.errors())
            or not process.running, "dashboard's address")
        assert found is not True, process.result()
        self.host, self.port = found[1], int(found[2])

    def ask(self, path, method="GET", body=None, **headers):
        """Returns status, headers and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=DEADLINE_S)
        try:
            headers = {k.replace("_", "-"): v for k, v in headers.items()}
            if body is not None and "Content-Type" not in headers:
                headers["Content-Type"] = "application/json"
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def get(self, path, expect=200, **headers):
        status, _, body = self.ask(path, **headers)
        assert status == expect, (path, status, body)
        return json.loads(body)

    def post(self, path, body="{}", expect=200, **headers):
        status, _, text = self.ask(path, "POST", body, **headers)
        assert status == expect, (path, status, text)
        return json.loads(text)


@pytest.fixture(scope="module")
def module_stage(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("web"))
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def store(module_stage):
    """A store with a finished job."""
    job = module_stage.job(optimizer="{miprov2: {auto: light, seed: 9, "
                           "num_candidates: 3, num_trials: 4, "
                           "max_bootstrapped_demos: 2, max_labeled_demos: 2}}")
    result = module_stage.promptcc("run", job, "--simulate", "--json")
    assert result.status == 0, result
    return job.parent / "promptcc.db"


@pytest.fixture(scope="module")
def site(module_stage, store):
    return Site(module_stage.coordinator(store, "--http", "127.0.0.1:0"))


# --- the shape ---

def routes_of_the_server():
    text = (ROOT / "web/routes.c").read_text()
    table = text[text.index("static const struct route routes[]"):]
    table = table[:table.index("};")]
    names = {"API": "/api/v1", "JOB": "/api/v1/jobs/{job}"}
    found = set()
    for method, words in re.findall(
            r'\{"(GET|POST)",\s*((?:(?:API|JOB|"[^"]*")\s*)+)[,\n]', table):
        path = "".join(names.get(w, w.strip('"'))
                       for w in re.findall(r'API|JOB|"[^"]*"', words))
        found.add((method, path))
    return found


def test_the_openapi_file_lists_exactly_the_existing_routes():
    listed = {(method.upper(), path) for path, methods in
              OPENAPI["paths"].items() for method in methods}
    of_the_page = {("GET", "/"), ("GET", "/assets/{number}")}
    assert listed == routes_of_the_server() - of_the_page


def schema_of(path, method, status):
    responses = OPENAPI["paths"][path][method]["responses"]
    assert str(status) in responses, (path, status)
    response = responses[str(status)]
    if "$ref" in response:
        response = OPENAPI["components"]["responses"][
            response["$ref"].rsplit("/", 1)[1]]
    return {**response["content"]["application/json"]["schema"],
            "components": OPENAPI["components"]}


def check_shape(path, method, status, body):
    jsonschema.Draft202012Validator(
        schema_of(path, method, status)).validate(json.loads(body))


READS = [path for path, methods in OPENAPI["paths"].items()
         if "get" in methods and "application/json" in
         methods["get"]["responses"]["200"]["content"]]


@pytest.mark.parametrize("path", READS)
def test_responses_match_the_openapi_file(site, path):
    url = path.replace("{job}", "shop").replace(
        "{number}", "1" if re.search("(evaluations|calls)/{", path)
        else "best")
    status, headers, body = site.ask(url)
    assert status == 200, body
    assert headers["Content-Type"] == "application/json"
    check_shape(path, "get", 200, body)
    if "{job}" in path:
        status, _, body = site.ask(url.replace("shop", "nobody-knows-it"))
        assert status == 404
        check_shape(path, "get", 404, body)


def test_command_errors_match_the_openapi_file(site):
    for verb in ("pause", "stop", "resume"):
        path = f"/api/v1/jobs/{{job}}/{verb}"
        status, _, body = site.ask(path.replace("{job}", "nobody-knows-it"),
                                   "POST", "{}")
        assert status == 404, body
        check_shape(path, "post", 404, body)


# --- what it says ---

def test_a_job_document_agrees_with_the_output_of_run(site, store,
                                                      module_stage):
    summary = site.get("/api/v1/jobs/shop")
    shown = module_stage.promptcc("show", "--store", store, "--json").json
    assert summary["document"] == shown["document"]
    document = summary["document"]
    comparison = site.get("/api/v1/jobs/shop/compare?limit=1000")
    same = document.get("same_rows") or document
    for side, name in (("a", "baseline"), ("b", "compiled")):
        assert comparison[side]["score"] == pytest.approx(same[name]["score"])
        assert comparison[side]["low"] == pytest.approx(same[name]["low"])
    assert comparison["won"] + comparison["lost"] + comparison["same"] == \
        comparison["n"] == len(comparison["examples"])
    for example in comparison["examples"]:
        change = example["b"]["score"] - example["a"]["score"]
        assert example["change"] == ("won" if change > 0 else
                                     "lost" if change < 0 else "same")


def test_intervals_of_graded_scores_are_those_of_the_job(stage):
    """They are resampled, so they depend on the seed and on the order of the
    examples."""
    store = stage.folder / "graded.db"
    ran = stage.promptcc("run", ROOT / "jobs/legal_clauses", "--simulate",
                         "--seed", 752, "--optimizer", "bootstrap_few_shot",
                         "--store", store, "--out", stage.folder / "graded",
                         "--json")
    assert ran.status == 0, ran
    same = ran.json["same_rows"] or ran.json
    listed = stage.promptcc("trials", "--store", store, "--json").json
    site = Site(stage.coordinator(store, "--http", "127.0.0.1:0"))
    of_job = f"/api/v1/jobs/{ran.json['job']}"

    compared = site.get(f"{of_job}/compare")
    for side, name in (("a", "baseline"), ("b", "compiled")):
        for member in ("score", "low", "high"):
            assert compared[side][member] == same[name][member], (side, member)
    assert compared["p_value"] == site.get(of_job)["best"]["p_value"]

    intervals = {t["trial"]: (t["low"], t["high"]) for t in listed}
    points = site.get(f"{of_job}/curve")["points"]
    page = site.get(f"{of_job}/trials?limit=1000")["trials"]
    lengths = site.get(f"{of_job}/tokens")
    assert len(page) == len(listed) and points and lengths
    for shown in page + points + lengths:
        assert intervals[shown["trial"]] == (shown["low"], shown["high"])


def listed_values():
    """Every parameter of the openapi file that takes one of several words."""
    for path, methods in OPENAPI["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            for value in parameter.get("schema", {}).get("enum", []):
                yield path, parameter["name"], value


def test_only_the_listed_values_of_a_parameter_are_taken(site):
    listed = list(listed_values())
    assert {name for _, name, _ in listed} == {"sort", "order", "state",
                                              "share", "show"}
    for path, name, value in listed:
        address = path.replace("{job}", "shop").replace("{number}", "best")
        site.get(f"{address}?{name}={value}")
        for wrong in (value[:-1] or "-", value + "x", f"{value}|{value}"):
            said = site.get(f"{address}?{name}={wrong}", expect=400)
            assert wrong in said["error"]["text"], said
    site.get("/api/v1/jobs/shop/trials?order=asc|desc", expect=400)


def test_all_shares_are_compared_together(site):
    parts = [site.get(f"/api/v1/jobs/shop/compare?share={share}")["n"]
             for share in ("val", "test")]
    everything = site.get("/api/v1/jobs/shop/compare?share=all")
    assert everything["share"] == "all" and min(parts) > 0
    assert everything["n"] == sum(parts)


@pytest.mark.parametrize("number", ["0", "999999"])
def test_a_candidate_without_a_number_of_its_own_is_unknown(site, number):
    site.get(f"/api/v1/jobs/shop/candidates/{number}", expect=404)
    said = site.get(f"/api/v1/jobs/shop/compare?a={number}", expect=400)
    assert f"no candidate {number}" in said["error"]["text"], said


def test_trials_are_paged_sorted_and_filtered(site, store, module_stage):
    listed = module_stage.promptcc("trials", "--store", store, "--json").json
    whole = site.get("/api/v1/jobs/shop/trials?limit=1000")
    assert whole["total"] == len(listed)
    assert [t["score"] for t in whole["trials"]] == \
        [t["score"] for t in listed]
    pages = []
    for offset in range(0, len(listed), 2):
        page = site.get("/api/v1/jobs/shop/trials?sort=score&order=desc"
                        f"&limit=2&offset={offset}")
        assert page["total"] == len(listed) and len(page["trials"]) <= 2
        pages += page["trials"]
    assert len({t["trial"] for t in pages}) == len(listed)
    scores = [t["score"] for t in pages]
    assert scores == sorted(scores, reverse=True)
    only = site.get("/api/v1/jobs/shop/trials?kind=baseline")
    assert only["total"] == sum(t["kind"] == "baseline" for t in listed)
    assert {t["kind"] for t in only["trials"]} == {"baseline"}
    least = sorted(scores)[-1]
    above = site.get(f"/api/v1/jobs/shop/trials?above={least}")
    assert above["total"] == scores.count(least)
    assert "score" in site.get("/api/v1/jobs/shop/trials?sort=scoer",
                               expect=400)["error"]["text"]
    site.get("/api/v1/jobs/shop/trials?limit=many", expect=400)


def test_the_baseline_in_prompt_lengths_is_that_of_the_job(site):
    """This holds even where other forms of answer are tried before it."""
    baseline = site.get("/api/v1/jobs/shop")["baseline"]
    first, = site.get("/api/v1/jobs/shop/trials?kind=baseline")["trials"]
    assert first["trial"] > 1
    told, = [row for row in site.get("/api/v1/jobs/shop/tokens")
             if row["kind"] == "baseline"]
    assert told["candidate"] == baseline["candidate"] == first["candidate"]


def test_a_score_leads_to_the_messages_that_were_sent(tmp_path):
    stage = Stage(tmp_path)
    try:
        gate = stage.gate(stage.stand_in())
        job = stage.job(n=12)
        result = stage.promptcc("run", job, "--ollama", gate.url, "--json")
        assert result.status == 0, result
        site = Site(stage.coordinator(job.parent / "promptcc.db", "--http",
                                      "127.0.0.1:0"))
        sent = [json.dumps(r["messages"]) for r in gate.requests]
        rows = site.get("/api/v1/jobs/shop/candidates/best/evaluations")
        assert rows
        for row in rows[:3]:
            evaluation = site.get("/api/v1/jobs/shop/evaluations/"
                                  f"{row['evaluation']}")
            assert evaluation["calls"]
            for call in evaluation["calls"]:
                assert json.dumps(call["messages"]) in sent
                assert call["reply"] == evaluation["answer"]
    finally:
        stage.close()


def plain(text):
    return " ".join(text.split())


def test_prompts_lead_to_the_calls_that_they_came_from(site):
    """A demo leads to the reply that it shows, a sentence to the reply of the
    teacher."""
    candidates = {t["candidate"] for t in
                  site.get("/api/v1/jobs/shop/trials")["trials"]}
    found = {"demos": 0, "instructions": 0}
    for number in candidates:
        url = f"/api/v1/jobs/shop/candidates/{number}"
        origins = site.get(url + "/origins")["parts"]
        for part, origin in zip(site.get(url)["parts"], origins, strict=True):
            assert part["step"] == origin["step"]
            assert len(part["demos"]) == len(origin["demos"])
            for id_ in origin["instruction"]:
                call = site.get(f"/api/v1/jobs/shop/calls/{id_}")
                assert call["role"] == "teacher" and call["purpose"] == "propose"
                last = plain(part["instruction"]).split(". ")[-1]
                found["instructions"] += last in plain(call["reply"])
            for demo, id_ in zip(part["demos"], origin["demos"]):
                if id_ is None:
                    continue
                call = site.get(f"/api/v1/jobs/shop/calls/{id_}")
                texts = plain(call["messages"][-1]["content"] + call["reply"])
                for value in demo.values():
                    assert plain(str(value)) in texts, (demo, call)
                found["demos"] += 1
        if all(part["instruction_number"] == 0 for part in site.get(url)["parts"]):
            assert not any(origin["instruction"] for origin in origins)
    assert found["demos"] and found["instructions"], found


def test_a_demo_from_the_data_has_no_call(stage):
    """This holds even where a run of the student gave the same answer."""
    job = stage.job(optimizer="{labeled_few_shot: {k: 4}}",
                    data="{examples: examples.jsonl}")
    assert stage.promptcc("run", job, "--simulate").status == 0
    site = Site(stage.coordinator(job.parent / "promptcc.db", "--http",
                                  "127.0.0.1:0"))
    shown = [t["candidate"] for t in
             site.get("/api/v1/jobs/shop/trials")["trials"] if t["demos"]["sort"]]
    part, = site.get(f"/api/v1/jobs/shop/candidates/{shown[0]}/origins")["parts"]
    assert part["demos"] == [None] * 4 and part["instruction"] == []




def test_an_unknown_call_is_reported(site):
    status, _, body = site.ask("/api/v1/jobs/shop/calls/999999")
    assert status == 404 and "call of that number" in body


def test_a_repeated_example_counts_as_one_failure(site, store):
    best = "/api/v1/jobs/shop/candidates/best"
    rows = site.get(f"{best}/evaluations?limit=1000")
    assert any(r["replicate"] > 0 for r in rows)
    wrong = {(r["row"], r["reason"]) for r in rows if r["score"] < 1}
    groups = site.get(f"{best}/failures")["groups"]
    assert groups
    for group in groups:
        assert group["n"] == len(group["evaluations"]) == \
            sum(reason == group["reason"] for _, reason in wrong)


@pytest.mark.parametrize("path", [
    "candidates/9999", "candidates/9999/lineage", "candidates/9999/failures",
    "candidates/9999/evaluations", "compare?b=9999", "compare?a=9999"])
def test_an_unknown_candidate_is_reported(site, path):
    expect = 400 if "?" in path else 404
    told = site.get(f"/api/v1/jobs/shop/{path}", expect)["error"]["text"]
    assert "no candidate 9999" in told


def test_the_compiled_file_is_the_one_written_by_run(site, store):
    status, headers, body = site.ask("/api/v1/jobs/shop/compiled")
    assert status == 200 and "attachment" in headers["Content-Disposition"]
    assert body == (store.parent / "compiled.json").read_text()


def test_metrics_are_valid_prometheus_text(site):
    _, headers, text = site.ask("/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    values, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) promptcc_\w+ .+", line), line
            if line.startswith("# TYPE"):
                typed.add(line.split()[2])
            continue
        found = re.fullmatch(r"(promptcc_\w+)(\{[^}]*\})? ([\d.e+-]+)", line)
        assert found, line
        assert re.sub(r"_(bucket|sum|count)$", "", found[1]) in typed or \
            found[1] in typed, line
        values[found[1] + (found[2] or "")] = float(found[3])
    calls = sum(c["calls"] for c in site.get("/api/v1/jobs/shop/cost"))
    assert values["promptcc_up"] == 1
    assert sum(v for k, v in values.items()
               if k.startswith("promptcc_calls_total")) == calls
    assert values["promptcc_call_duration_seconds_count"] == calls
    for name in ("promptcc_tasks_pending", 'promptcc_workers{state="serving"}',
                 "promptcc_leases", "promptcc_faults_total",
                 "promptcc_utilization_ratio"):
        assert values[name] == 0
    # A second scrape adds up what is new, which is nothing.
    _, _, again = site.ask("/metrics")
    assert [line for line in again.splitlines() if "calls_total" in line] == \
        [line for line in text.splitlines() if "calls_total" in line]


def test_health_and_readiness_probes_answer(site):
    assert site.ask("/healthz")[0] == 200
    assert site.ask("/readyz")[0] == 200


# --- a job that runs ---

class Events(threading.Thread):
    """Follows the stream."""

    def __init__(self, site, **headers):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port,
                                                     timeout=DEADLINE_S)
        self.connection.request("GET", "/api/v1/stream", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.seen = []
        self.start()

    def run(self):
        try:
            for line in self.response:
                if line.startswith(b"data: "):
                    self.seen.append(json.loads(line[6:]))
        except (OSError, http.client.HTTPException, AttributeError):
            pass


@pytest.mark.parametrize("command, body", [
    ("stop", "{}"), ("pause", "{}"), ("resume", "{}"),
    ("try", '{"inputs": {"message": "x"}}')])
def test_command_errors_tell_unknown_jobs_from_wrong_states(site, command,
                                                            body):
    """404 and 409, so a program can tell a mistyped name from a job that has
    ended."""
    for job, expect in (("nobody-knows-it", 404), ("shop", 409)):
        if (command, job) in (("try", "shop"), ("resume", "shop")):
            continue  # these are finished
        status, _, answer = site.ask(f"/api/v1/jobs/{job}/{command}", "POST",
                                     body)
        assert status == expect, answer
        check_shape(f"/api/v1/jobs/{{job}}/{command}", "post", expect, answer)


def test_a_running_job_is_shown_stopped_and_resumed(stage):
    gate = stage.gate(stage.stand_in())
    gate.hold_after(8)
    job = stage.job()
    store = job.parent / "promptcc.db"
    coordinator = stage.coordinator(store, "--http", "127.0.0.1:0")
    site = Site(coordinator)
    events = Events(site)
    stage.worker(coordinator.endpoint, gate.url, "w1")
    submitted = stage.promptcc("submit", job, "--coordinator",
                               coordinator.endpoint, "--json")
    assert submitted.status == 0, submitted
    wait_until(lambda: gate.held, "held call")
    wait_until(lambda: events.seen and events.seen[-1]["status"] and
               events.seen[-1]["status"]["jobs"] and
               events.seen[-1]["status"]["jobs"][0]["done"] > 0,
               "progress in the stream")
    status = site.get("/api/v1/status")
    check_shape("/api/v1/status", "get", 200, json.dumps(status))
    assert status["jobs"][0]["job"].startswith("shop-")
    # The worker may just have been silent for seconds.
    wait_until(lambda: (now := site.get("/api/v1/status"))["calls"]["leased"]
               >= 1 and now["slots"] == 1, "call of the worker")
    workers = site.get("/api/v1/workers")
    check_shape("/api/v1/workers", "get", 200, json.dumps(workers))
    assert workers[0]["name"] == "w1"
    wait_until(lambda: site.get("/api/v1/workers")[0]["open"] >= 1, "open call")
    assert "promptcc_jobs_running 1" in site.ask("/metrics")[2]

    paused = site.post("/api/v1/jobs/shop/pause")
    check_shape("/api/v1/jobs/{job}/pause", "post", 200, json.dumps(paused))
    wait_until(lambda: site.get("/api/v1/jobs")[0]["state"] == "paused",
               "paused job")
    assert "pause" in site.get("/api/v1/jobs")[0]["reason"]
    # The store knows it a moment before the coordinator's loop is done with it.
    wait_until(lambda: site.get("/api/v1/status")["jobs"] == [], "no job")
    assert site.get("/api/v1/workers")[0]["name"] == "w1"
    resumed = stage.promptcc("resume", "shop", "--coordinator",
                             coordinator.endpoint)
    assert resumed.status == 0, resumed
    wait_until(lambda: site.get("/api/v1/status")["jobs"], "resumed job")

    done = site.post("/api/v1/jobs/shop/stop")
    check_shape("/api/v1/jobs/{job}/stop", "post", 200, json.dumps(done))
    wait_until(lambda: site.get("/api/v1/jobs")[0]["state"] == "stopped",
               "stopped job")
    wait_until(lambda: events.seen[-1]["jobs"][0]["state"] == "stopped",
               "stopped job in the stream")
    gate.release()
    site.post("/api/v1/jobs/shop/resume")
    wait_until(lambda: events.seen[-1]["jobs"][0]["state"] == "done",
               "done job in the stream")
    assert site.get("/api/v1/jobs/shop")["document"]["finish_reason"] == \
        "trials_done"
    assert coordinator.terminate().status == 0
    events.join(DEADLINE_S)
    assert not events.is_alive(), "the stream outlived its server"


def test_a_paused_job_shows_its_best_so_far(stage):
    gate = stage.gate(stage.stand_in())
    gate.hold_after(60)
    job = stage.job(n=24)
    coordinator = stage.coordinator(job.parent / "promptcc.db", "--http",
                                    "127.0.0.1:0")
    site = Site(coordinator)
    stage.worker(coordinator.endpoint, gate.url, "w1")
    submitted = stage.promptcc("submit", job, "--coordinator",
                               coordinator.endpoint)
    assert submitted.status == 0, submitted
    wait_until(lambda: gate.held, "held call")
    wait_until(lambda: site.get("/api/v1/jobs/shop")["best"], "finished trial")
    site.post("/api/v1/jobs/shop/pause")
    wait_until(lambda: site.get("/api/v1/jobs")[0]["state"] == "paused",
               "paused job")
    best = site.get("/api/v1/jobs/shop")["best"]
    listed = site.get("/api/v1/jobs")
    check_shape("/api/v1/jobs", "get", 200, json.dumps(listed))
    assert listed[0]["score"] == best["score"]
    assert listed[0]["low"] < best["score"] < listed[0]["high"]
    assert listed[0]["n"] == best["n"]
    to = ["--coordinator", coordinator.endpoint]
    one = stage.promptcc("show", "shop", *to, "--json").json
    assert one.pop("document") is not None
    assert one == stage.promptcc("jobs", *to, "--json").json[0] == listed[0]
    assert site.get("/api/v1/jobs/shop")["score"] == best["score"]
    none = stage.promptcc("export", "shop", *to)
    assert none.status == 2 and "it is paused; the dashboard of its " \
        "coordinator exports the best so far" in none.err, none
    site.get("/api/v1/jobs/shop/compiled")
    shown = stage.promptcc("show", "shop", *to)
    assert f"best so far  {100 * best['score']:.1f} % (" in shown.out
    shown = stage.promptcc("jobs", "--coordinator", coordinator.endpoint)
    assert f"{100 * best['score']:.1f} %" in shown.out
    gate.release()


def test_each_running_job_reports_its_own_calls(stage):
    """All slots are taken by the first job, whose calls are held."""
    gate = stage.gate(stage.stand_in(slots=2))
    store = stage.folder / "store.db"
    port = stage.reserve_port()
    coordinator = stage.coordinator(store, "--http", "127.0.0.1:0", port=port)
    site = Site(coordinator)
    stage.worker(coordinator.endpoint, gate.url, "w1", slots=2)

    def submit(name):
        job = stage.job(name, instruction=f"Sort the mail of the {name}.")
        done = stage.promptcc("submit", job, "--coordinator",
                              coordinator.endpoint)
        assert done.status == 0, done
        return done.out.strip()

    def running():
        return {j["job"]: j for j in site.get("/api/v1/status")["jobs"]}

    gate.hold_after(9)
    first = submit("first")
    wait_until(lambda: gate.held == 2, "two held calls")
    second = submit("second")
    wait_until(lambda: second in running() and
               site.get("/api/v1/status")["calls"]["queued"] > 0,
               "queued calls of the second job")
    wait_until(lambda: running()[first]["calls"] == 9, "nine answers")
    now = running()
    assert now[first]["in_flight"] == 2 and now[second]["in_flight"] == 0

    # The tokens are of all sessions, as the calls are.
    before = now[first]
    assert before["prompt_tokens"] > 0
    coordinator.kill()
    coordinator = stage.coordinator(store, "--http", "127.0.0.1:0", port=port)
    site = Site(coordinator)
    after = wait_until(lambda: running().get(first), "resumed job")
    for member in ("calls", "prompt_tokens", "generated_tokens"):
        assert after[member] == before[member], member
    gate.release()


def test_web_pages_need_no_key_for_their_own_coordinator(stage):
    keys = stage.folder / "keys"
    for name in ("ann", "bob"):
        made = stage.promptcc("keys", "client", name, "--keys", keys)
        assert made.status == 0, made
    coordinator = stage.coordinator(stage.folder / "s.db", "--http",
                                    "127.0.0.1:0", "--keys", keys)
    site = Site(coordinator)
    assert site.get("/api/v1/status")["jobs"] == []
    events = Events(site)
    wait_until(lambda: events.seen and events.seen[-1]["status"], "status")
    # A change of the allowed keys cuts off those without one, except us.
    assert stage.promptcc("keys", "revoke", "bob", "--keys",
                          keys).status == 0
    seen = len(events.seen)
    stage.promptcc("workers", "--coordinator", coordinator.endpoint, "--keys",
                   keys / "ann.key")
    assert site.get("/api/v1/workers") == []
    assert site.ask("/readyz")[0] == 200
    assert len(events.seen) >= seen


def test_a_custom_message_is_tried_on_the_best_program(stage):
    """It works while the job runs, after it was stopped, and when it is done.
    Each time the model gets what `predict` would send."""
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(40)
    job = stage.job(n=100)
    store = job.parent / "promptcc.db"
    coordinator = stage.coordinator(store, "--http", "127.0.0.1:0")
    site = Site(coordinator)
    mine = "Does the warranty pay for a broken box?"
    path = "/api/v1/jobs/shop/try"

    def attempt(expect=200):
        return site.post(path, json.dumps({"inputs": {"message": mine}}),
                         expect=expect)
    assert "no job" in attempt(404)["error"]["text"]
    submitted = stage.promptcc("submit", job, "--coordinator",
                               coordinator.endpoint, "--json")
    assert submitted.status == 0, submitted
    coordinator.wait_for_line("job-begun", errors=True)
    assert "no finished trial" in attempt(409)["error"]["text"]
    worker = stage.worker(coordinator.endpoint, gate.url, "w1", slots=2)
    wait_until(lambda: gate.held, "held call")
    assert site.get("/api/v1/jobs")[0]["state"] == "running"
    # A slow one, since the job must not end yet.
    slow = stage.stand_in(slots=1, latency_ms=300)
    free = stage.worker(coordinator.endpoint, slow.url, "w2")
    wait_until(lambda: site.ask("/api/v1/jobs/shop/candidates/best")[0] == 200,
               "finished trial")
    assert attempt()["outcome"] == "done"
    free.terminate()
    so_far = stage.folder / "so-far.json"
    so_far.write_text(site.ask("/api/v1/jobs/shop/compiled")[2])
    assert stage.promptcc("predict", so_far, "--ollama", sim.url,
                          f"message={mine}").status == 0
    site.post("/api/v1/jobs/shop/stop")
    wait_until(lambda: site.get("/api/v1/jobs")[0]["state"] == "stopped",
               "stopped job")
    gate.release()
    calls = sum(c["calls"] for c in site.get("/api/v1/jobs/shop/cost"))
    said = attempt()
    check_shape("/api/v1/jobs/{job}/try", "post", 200, json.dumps(said))
    assert said["outcome"] == "done" and set(said["outputs"]) == {"topic"}
    best = site.get("/api/v1/jobs/shop/candidates/best")["parts"][0]
    assert best["instruction"] in said["calls"][0]["messages"][0]["content"]
    assert mine in said["calls"][0]["messages"][-1]["content"]
    assert json.dumps(said["calls"][0]["messages"]) in \
        [json.dumps(r["messages"]) for r in gate.requests]
    # The call does not count as part of the job.
    assert calls == sum(c["calls"] for c in site.get("/api/v1/jobs/shop/cost"))
    site.post("/api/v1/jobs/shop/resume")
    wait_until(lambda: site.get("/api/v1/jobs")[0]["state"] == "done",
               "done job")
    said = attempt()
    compiled = stage.folder / "compiled.json"
    compiled.write_text(site.ask("/api/v1/jobs/shop/compiled")[2])
    predicted = stage.promptcc("predict", compiled, "--ollama", gate.url,
                               f"message={mine}", "--json")
    assert predicted.json["outputs"] == said["outputs"], predicted
    assert json.dumps(gate.requests[-1]["messages"]) == \
        json.dumps(said["calls"][0]["messages"])
    # Wrong inputs, and a missing worker.
    assert "message" in site.post(path, '{"inputs": {}}',
                                  expect=409)["error"]["text"]
    site.post(path, '{"other": {}}', expect=400)
    worker.terminate()
    assert "promptcc worker" in attempt(409)["error"]["text"]


def test_run_serves_while_it_runs(stage):
    gate = stage.gate(stage.stand_in())
    gate.hold_after(5)
    run = stage.start("run", stage.job(), "--ollama", gate.url, "--http",
                      "127.0.0.1:0", "--json")
    site = Site(run)
    wait_until(lambda: gate.held, "held call")
    assert site.get("/api/v1/status")["jobs"][0]["run"] is True
    gate.release()
    assert run.wait().status == 0


# --- who is let in ---

def test_access_from_beyond_this_machine_requires_a_token(stage):
    refused = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                             "--store", stage.folder / "s.db", "--http",
                             "0.0.0.0:0")
    assert refused.status == 2 and "--http-token" in refused.err


@pytest.fixture(scope="module")
def guarded(module_stage, store):
    token_file = module_stage.folder / "token"
    copy = module_stage.folder / "guarded.db"
    copy.write_bytes(store.read_bytes())
    site = Site(module_stage.coordinator(copy, "--http", "127.0.0.1:0",
                                         "--http-token", token_file))
    site.token = token_file.read_text().strip()
    site.token_file = token_file
    return site


def test_a_new_token_file_is_readable_only_by_its_owner(guarded):
    assert len(guarded.token) == 64
    assert stat.S_IMODE(guarded.token_file.stat().st_mode) == 0o600


def test_a_token_file_readable_by_others_is_refused(stage):
    path = stage.folder / "token"
    path.write_text("a" * 40 + "\n")
    path.chmod(0o644)
    refused = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                             "--store", stage.folder / "s.db", "--http",
                             "127.0.0.1:0", "--http-token", path)
    assert refused.status == 2 and "chmod 600" in refused.err


def test_nothing_is_served_without_the_token(guarded):
    for path, methods in OPENAPI["paths"].items():
        url = path.replace("{job}", "shop").replace("{number}", "1")
        for method in methods:
            status, _, body = guarded.ask(
                url, method.upper(), "{}" if method == "post" else None)
            if url in ("/healthz", "/readyz", "/api/v1/openapi.json"):
                assert status == 200
            else:
                assert status == 401, (url, body)
                assert "shop" not in body
    for wrong in ("", "x", guarded.token[:-1], guarded.token + "0"):
        guarded.get("/api/v1/jobs", expect=401,
                    Authorization="Bearer " + wrong)
    assert guarded.get("/api/v1/jobs",
                       Authorization="Bearer " + guarded.token)


def test_the_login_cookie_is_unusable_by_scripts_and_other_sites(guarded):
    status, headers, body = guarded.ask(
        "/api/v1/login", "POST", json.dumps({"token": guarded.token}))
    assert status == 200
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert guarded.token not in cookie
    cookie, csrf = cookie.split(";")[0], json.loads(body)["csrf"]
    assert guarded.get("/api/v1/jobs", Cookie=cookie)
    assert guarded.get("/api/v1/jobs", Cookie="other=1; " + cookie)
    guarded.get("/api/v1/jobs", expect=401, Cookie=cookie[:-1])
    # The cookie alone cannot change anything.
    stop = "/api/v1/jobs/shop/stop"
    guarded.post(stop, expect=403, Cookie=cookie)
    guarded.post(stop, expect=403, Cookie=cookie,
                 X_Promptcc_Csrf="0" * len(csrf))
    guarded.post(stop, expect=409, Cookie=cookie, X_Promptcc_Csrf=csrf)


# --- other sites ---

def test_requests_for_other_host_names_are_refused(site):
    """This is what a page does whose name is made to point here (DNS
    rebinding)."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example",
                 "localhost.evil.example", "localhost:80.evil.example"):
        status, _, body = site.ask("/api/v1/jobs", Host=host)
        assert status == 421 and "shop" not in body, host
    for host in ("localhost", f"localhost:{site.port}", "[::1]:1234"):
        assert site.ask("/api/v1/jobs", Host=host)[0] == 200


def test_another_site_cannot_make_a_browser_change_anything(site):
    stop = "/api/v1/jobs/shop/stop"
    here = f"http://127.0.0.1:{site.port}"
    csrf = site.get("/api/v1/session")["csrf"]
    site.post(stop, expect=409)  # a local program may; but the job is done
    for origin in ("http://evil.example", "null", here + ".evil.example",
                   f"http://127.0.0.1:{site.port + 1}", "https://"):
        site.post(stop, expect=403, Origin=origin, X_Promptcc_Csrf=csrf)
    for where in ("cross-site", "same-site"):
        site.post(stop, expect=403, Sec_Fetch_Site=where,
                  X_Promptcc_Csrf=csrf)
    site.post(stop, expect=403, Origin=here)  # no CSRF token
    site.post(stop, expect=403, Origin=here, X_Promptcc_Csrf="")
    site.post(stop, expect=409, Origin=here, X_Promptcc_Csrf=csrf)
    for kind in ("text/plain", "application/x-www-form-urlencoded",
                 "multipart/form-data; boundary=x", "application/jsonx"):
        site.post(stop, expect=415, Content_Type=kind)


def test_unsupported_parameters_of_a_route_are_reported(site):
    trials = "/api/v1/jobs/shop/trials"
    for query, words in [("limit=5&limit=6", "`limit` is given twice"),
                         ("limt=5", "no parameter `limt`"),
                         ("lim=5", "no parameter `lim`"),
                         ("limit=five", "`limit` takes a number")]:
        told = site.get(f"{trials}?{query}", expect=400)["error"]
        assert words in told["text"], told
    stop = "/api/v1/jobs/shop/stop"
    for body, words in [("[null]", "must be a JSON object"),
                        ('{"a": 12345678901234567890123}', "integer"),
                        ("{", "line 1")]:
        told = site.post(stop, body, expect=400)["error"]
        assert words in told["text"], told


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/api/v1/jobs", "GET, HEAD"), ("GET", "/api/v1/jobs/shop/stop",
                                            "POST"),
    ("TRACE", "/healthz", "GET, HEAD")])
def test_the_error_for_a_wrong_method_names_the_right_one(site, method, path,
                                                          allowed):
    status, headers, _ = site.ask(path, method)
    assert (status, headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("body, words", [
    ('{"exclude": "7"}', "numbers of examples"),
    ('{"exclude": [0, -1]}', "numbers of examples"),
    ('{"exclude": [0, 100000]}', "no example 100000"),
    ('{"exclude": [' + "0," * 20000 + '0]}', "at most 10000"),
    ('{"exlude": [7]}', "but not `exlude`"),
    ('{"priority": 101}', "a number from 1 to 100"),
    ('{"max_workers": "all"}', "a number from 1 to 10000")])
def test_an_invalid_exclusion_is_reported_and_stores_nothing(site, store, body,
                                                             words):
    told = site.post("/api/v1/jobs/shop/resume", body, expect=409)["error"]
    assert words in told["text"], told
    with sqlite3.connect(store) as history:
        assert history.execute("SELECT count(*) FROM events WHERE kind ="
                               " 'exclude'").fetchone() == (0,)


def test_pages_cannot_load_anything_from_other_sites(site):
    for path in ("/", "/api/v1/jobs", "/nowhere"):
        headers = site.ask(path)[1]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


# --- bounds ---

def test_a_request_is_bounded_in_size(site):
    for length in (1 << 20, 1 << 40):
        with socket.create_connection(("127.0.0.1", site.port),
                                      DEADLINE_S) as s:
            s.sendall(b"POST /api/v1/jobs/shop/stop HTTP/1.1\r\n"
                      b"Host: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % (length + 1))
            assert b" 413 " in s.recv(4096).split(b"\r\n")[0]
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=DEADLINE_S)
    connection.putrequest("GET", "/api/v1/jobs")
    connection.putheader("X-Long", "x" * 60000)
    try:
        connection.endheaders()
        assert connection.getresponse().status in (413, 431)
    except (OSError, http.client.HTTPException):
        pass  # cut off while it was still sending
    connection.close()
    assert site.ask("/healthz")[0] == 200


def test_nonsense_is_answered_or_disconnected(site):
    host = b" HTTP/1.1\r\nHost: localhost\r\n"
    for words in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 1000,
                  b"GET /healthz%00x" + host + b"\r\n",
                  b"GET /healthz?a=%ff" + host + b"\r\n",
                  b"GET /healthz?a=%00" + host + b"\r\n",
                  b"GET /%ff%fe" + host + b"\r\n",
                  b"GET /assets/..%2f..%2fetc%2fpasswd" + host + b"\r\n",
                  b"GET /assets/../../etc/passwd" + host + b"\r\n",
                  b"POST /api/v1/login" + host + b"Content-Length: -5\r\n\r\n",
                  b"POST /api/v1/login" + host +
                  b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
        with socket.create_connection(("127.0.0.1", site.port),
                                      DEADLINE_S) as s:
            s.sendall(words)
            s.shutdown(socket.SHUT_WR)
            assert b" 200 " not in s.recv(4096).split(b"\r\n")[0], words
    assert site.ask("/healthz")[0] == 200


def idle_connections(port, n, words=b""):
    held = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        s.sendall(words)
        held.append(s)
    return held


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
def test_silent_connections_do_not_delay_probes(stage, words):
    """All connections are taken, and more clients wait. A probe of the process
    must not fail for that, or somebody restarts the process."""
    site = Site(stage.coordinator(stage.folder / "s.db", "--http",
                                  "127.0.0.1:0"))

    def quick():
        """Silent connections end after ten seconds; an answer that came before
        did not wait for them."""
        held = idle_connections(site.port, 64, words)
        began = time.monotonic()
        assert site.ask("/healthz")[0] == 200
        took = time.monotonic() - began
        for s in held:
            s.close()
        return took < 3

    wait_until(quick, "quick answer")


def ask_and_stop(coordinator, path, after_ms):
    """Returns the answer to a POST that is sent so long before the coordinator
    is told to stop; None if it was not accepted by then."""
    connection = http.client.HTTPConnection("127.0.0.1", Site(coordinator).port,
                                            timeout=DEADLINE_S)
    connection.request("POST", path, b"{}", {"Content-Type": "application/json"})
    time.sleep(after_ms / 1000)
    coordinator.signal(signal.SIGTERM)
    try:
        response = connection.getresponse()
        return response.status, response.read().decode()
    except OSError:
        return None
    finally:
        connection.close()
        assert coordinator.wait().status == 0


@pytest.mark.parametrize("after_ms", [20, 60, 150])
def test_an_accepted_request_is_answered_while_the_server_stops(stage,
                                                                after_ms):
    """A job of 8,000 rows is read again, which takes longer than a signal."""
    def start():
        return stage.coordinator(stage.folder / "s.db", "--http", "127.0.0.1:0")

    coordinator = start()
    words = ("--coordinator", coordinator.endpoint, "--json")
    job = stage.promptcc("submit", stage.job(n=8000), *words).json["job"]
    assert stage.promptcc("stop", job, *words).status == 0
    wait_until(lambda: stage.promptcc("jobs", *words)
               .json[0]["state"] == "stopped", "a job that has stopped")
    path = f"/api/v1/jobs/{job}/resume"
    # A busy machine may accept it only later.
    status, body = ask_and_stop(coordinator, path, after_ms) or \
        ask_and_stop(start(), path, 2000) or ask_and_stop(start(), path, 20000)
    assert status == 200 or (status == 503 and
                             json.loads(body)["error"]["code"] == "stopped"), \
        body


def test_the_number_of_streams_is_limited(stage):
    site = Site(stage.coordinator(stage.folder / "s.db", "--http",
                                  "127.0.0.1:0"))
    events = [Events(site) for _ in range(32)]
    status, _, body = site.ask("/api/v1/stream")
    assert status == 503 and "too many" in body
    assert site.ask("/healthz")[0] == 200
    events[0].connection.sock.shutdown(socket.SHUT_RDWR)
    events[0].connection.close()
    # Its end is noticed when there is something to send.
    wait_until(lambda: site.ask("/readyz")[0] == 200 and
               opens_a_stream(site), "free place for a stream")


def opens_a_stream(site):
    with socket.create_connection(("127.0.0.1", site.port),
                                      DEADLINE_S) as s:
        s.sendall(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return b" 200 " in s.recv(200)


def test_the_commands_in_the_documentation_work(site, tmp_path):
    text = (ROOT / "docs/http-api.md").read_text()
    commands = re.findall(r"^curl .*$", text, re.M)
    assert len(commands) >= 4
    for command in commands:
        command = command.replace("localhost:8070", f"localhost:{site.port}")
        command = command.replace("customer-care", "shop")
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path,
                              capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, (command, done)
        answer = json.loads(done.stdout or
                            (tmp_path / "compiled.json").read_text())
        if "error" in answer:  # the job is done, and cannot be stopped
            assert "/stop" in command and "not running" in \
                answer["error"]["text"], (command, answer)
