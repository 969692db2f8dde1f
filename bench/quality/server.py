"""Serves the worlds of worlds.py as models (Ollama's API), on loopback.

    server.py ROWS TEACHER

ROWS and TEACHER are those of run.py. A model's name is WORLD-student or WORLD-teacher. Equal requests get equal
answers; above temperature 0 the seed matters. Prints its address.
"""

import asyncio
import json
import re
import sys

import worlds

FIELD = re.compile(r"^\d+\. `(\w+)`", re.M)
# The part of a prompt, after the instruction, that repeats the labels.
CHOICES = re.compile(r"\n\n(`\w+` is one of: .*\n?)+\Z")
MARK = re.compile(r"^\[\[ ## (\w+) ## \]\]\s*$", re.M)


def sections(text):
    parts = MARK.split(text)
    return {name: value.strip() for name, value in
            zip(parts[1::2], parts[2::2])}


def outputs_of(text):
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return {}
    return sections(text)


def read_system(system):
    """Returns the task, which comes first in JSON and last in chat, and the
    list of outputs with the text after it."""
    head, _, task = system.partition("Your task: ")
    if not head:
        task, start, rest = re.split(r"\n\n(Input|Output) fields:\n", task,
                                     maxsplit=1)
        return task, rest if start == "Output" else \
            rest.partition("Output fields:")[2]
    return CHOICES.sub("", task), head.partition("Output fields:")[2]


def read_prompt(world, messages, heat, seed):
    system = messages[0]["content"]
    task, rest = read_system(system)
    asked = FIELD.findall(rest.split("\n\n", 1)[0])
    demos = []
    turns = messages[1:]
    while len(turns) >= 3 and turns[1]["role"] == "assistant":
        demos.append(("\n".join(sections(turns[0]["content"]).values()),
                      outputs_of(turns[1]["content"])))
        turns = turns[2:]
    inputs = sections(turns[0]["content"].split("\n\nAnswer with one")[0])
    step = step_of(world.name, set(asked))
    return worlds.Prompt(step, task, demos, inputs, asked, heat, seed)


WORLDS = worlds.make_all(int(sys.argv[1]), sys.argv[2])
STEPS = {}
for _world in WORLDS.values():
    for _found in re.finditer(r"^  (\w+):\n((?:    .*\n)+)", _world.job, re.M):
        _outs = _found[2][_found[2].index("outputs:"):]
        _names = re.findall(r"(\w+): \{", _outs)
        _names = [n for n in _names if n not in ("outputs",)]
        STEPS.setdefault(_world.name, {})[_found[1]] = {*_names, "reasoning"}


def step_of(world, asked):
    """Returns the step with these outputs, or "teacher" for outputs that only a
    teacher is asked for. A teacher that completes a row is asked for some of a
    step's outputs."""
    for step, names in STEPS[world].items():
        if asked <= names:
            return step
    return "teacher"


def answer(request):
    name, _, role = request["model"].partition("-")
    world = WORLDS[name]
    options = request.get("options", {})
    heat = options.get("temperature", 0)
    seed = options.get("seed", 0) if heat > 0 else 0
    prompt = read_prompt(world, request["messages"], heat, seed)
    draw = (json.dumps(request["messages"][-1]), seed)
    if prompt.step == "teacher" or world.truth(prompt.text) is None:
        said = worlds.teach(world, prompt, prompt.asked, draw)
    else:
        said = world.answer(prompt, role == "teacher")
        if "reasoning" in prompt.asked:
            said = {"reasoning": "It follows.", **said}
        said = {key: said.get(key, 0.5) for key in prompt.asked}
    if request.get("format"):
        return json.dumps(said)
    if "as one JSON object" in request["messages"][0]["content"]:
        return json.dumps(said)
    return "".join(f"[[ ## {key} ## ]]\n{value}\n\n"
                   for key, value in said.items()) + "[[ ## completed ## ]]"


MODELS = [f"{name}-{role}" for name in WORLDS for role in ("student", "teacher")]


def respond(path, body):
    if path == "/api/version":
        return {"version": "0.0.0-quality"}
    if path == "/api/tags":
        return {"models": [{"name": m, "model": m, "digest": "a" * 64,
                            "details": {"family": "made-up",
                                        "quantization_level": "none"}}
                           for m in MODELS]}
    if path == "/api/show":
        return {"model_info": {"made-up.context_length": 32768},
                "details": {}, "capabilities": ["completion"]}
    if path == "/api/ps":
        return {"models": []}
    if path != "/api/chat":
        return None
    request = json.loads(body)
    return {"model": request["model"], "created_at": "2026-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": answer(request)},
            "done": True, "done_reason": "stop",
            "prompt_eval_count": len(body) // 4, "eval_count": 20}


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line = head.split(b"\r\n", 1)[0].decode().split()
            length = re.search(rb"content-length: *(\d+)", head, re.I)
            body = await reader.readexactly(int(length[1])) if length else b""
            said = respond(line[1], body)
            data = json.dumps(said or {"error": "not found"}).encode()
            writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" %
                         (b"200 OK" if said else b"404 Not Found", len(data)))
            writer.write(data)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 24)
    port = server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
