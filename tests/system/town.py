"""town: runs on one machine what a document tells several machines to do.

A machine is a folder below the town's folder. Commands that reach other
machines are stand-ins on PATH: `ssh` and `scp` work on a machine's folder;
`ollama pull` and everything that only a real machine can do (systemctl,
useradd, kubectl, docker) record how they were called. promptcc, its keys, its
coordinator and its workers are real processes; the model servers are this
project's stand-in.

    town = Town(stage, {"tcp://head:5570": "tcp://127.0.0.1:34567"})
    result = town.run(blocks)
    assert town.asked("ollama") == ["pull qwen2.5:7b"]

`words` maps what a document says to what it is here: addresses, ports, paths. A
command that serves until it is ended (`promptcc coordinator`, `promptcc worker`)
runs in the background. After a coordinator, the next command waits until it has
said that it listens.
"""

import os
import re
import signal

import harness

# Each of these gets its own name as $0 and the town's folder as $TOWN.
NOTES = """\
#!/bin/bash
echo "$*" >>"$TOWN/asked.$(basename "$0")"
"""

COMMANDS = {
    "ssh": """\
#!/bin/bash
mkdir -p "$TOWN/$1" && cd "$TOWN/$1" && shift && exec bash -c "$*"
""",
    "scp": """\
#!/bin/bash
to=${!#}
mkdir -p "$TOWN/${to%%:*}" && exec cp "${@:1:$#-1}" "$TOWN/${to%%:*}/${to#*:}"
""",
    "sudo": '#!/bin/bash\nexec "$@"\n',
    # A Slurm node starts `serve`.
    "ollama": NOTES + """\
[ "$1" != serve ] ||
    exec simulated_ollama --port "${OLLAMA_HOST##*:}" --model "$MODEL"
""",
    # Submits nothing, but with $SBATCH_RUNS it runs the first task of an array.
    "sbatch": NOTES + """\
echo $((4710 + $(wc -l <"$TOWN/asked.sbatch")))
if [ -n "$SBATCH_RUNS" ]; then
    SLURM_ARRAY_TASK_ID=1 bash "${!#}" >"$TOWN/task.log" 2>&1 </dev/null &
fi
""",
}

NOTED = ("systemctl", "useradd", "chown", "kubectl", "helm", "docker")

SERVES = re.compile(r"promptcc (coordinator|worker)\b[^&]*$")


def commands_of(block):
    """Returns the commands of a block as (machine, command). Lines that
    continue after a backslash, or until a `done`, make one command. In a block
    with `$ ` prompts, the other lines are output and are left out. A prompt
    with a name (`gpu-1$ `) names the machine."""
    block = re.sub(r"\\\n\s*", " ", block)
    prompt = re.compile(r"([\w-]*)\$ +(.*)")
    lines = block.splitlines()
    if not any(prompt.match(line) for line in lines):
        return [("", line) for line in lines if line.strip()]
    found, open_loop = [], False
    for line in lines:
        match = prompt.match(line)
        if match:
            found.append((match[1], match[2]))
            open_loop = match[2].startswith("for ")
        elif open_loop:
            found[-1] = (found[-1][0], found[-1][1] + "\n" + line)
            open_loop = line.strip() != "done"
    return found


class Town:
    """The folders of the machines, and their commands."""

    def __init__(self, stage, words):
        self.stage, self.words, self.served = stage, words, 0
        self.folder = stage.folder / "town"
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        self.tools = stage.folder / "tools"
        self.tools.mkdir()
        for name in NOTED:
            self.command(name, NOTES)
        for name, text in COMMANDS.items():
            self.command(name, text)
        for program in (harness.PROMPTCC, harness.STAND_IN):
            (self.tools / program.name).symlink_to(program.resolve())
        self.env = {"PATH": f"{self.tools}:{os.environ['PATH']}",
                    "TOWN": str(self.folder), "HOME": str(self.home)}

    def command(self, name, text):
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)

    def asked(self, name):
        path = self.folder / f"asked.{name}"
        return path.read_text().splitlines() if path.exists() else []

    def here(self, text):
        """Translates a text of the document to this machine."""
        for shown, ours in self.words.items():
            text = text.replace(shown, str(ours))
        return text

    def script(self, blocks):
        lines = ["set -e"]
        for number, block in enumerate(blocks, 1):
            lines.append(f"echo '### block {number}' >&2")
            for machine, command in commands_of(block):
                folder = self.folder / machine if machine else self.home
                command = self.here(command)
                server = SERVES.match(command)
                if server:
                    self.served += 1
                    log = self.folder / f"served-{self.served}.log"
                    command = f"{command} >{log} 2>&1 &"
                    if server[1] == "coordinator":
                        command += (f"\nuntil grep -m1 '^listening on' {log}; "
                                    "do kill -0 $! && sleep 0.05; done")
                lines += [f"mkdir -p {folder} && cd {folder}", command]
        return "\n".join(lines) + "\n"

    def run(self, blocks, **env):
        """Runs all blocks in order, in one shell. What they leave in the
        background ends with the stage. A failure names the block."""
        script = self.stage.folder / f"{self.stage.name('blocks')}.sh"
        script.write_text(self.script(blocks))
        process = self.stage.add(harness.Process(
            self.stage, ["bash", script], script.stem, cwd=self.home,
            env={**self.env, **env}))
        self.stage.gates.append(Group(process.pid))
        result = process.wait()
        last = result.err.rsplit("### block ", 1)[-1].splitlines()[0]
        assert result.status == 0, (f"block {last} of {len(blocks)}:\n{result}"
                                    f"\n{self.logs()}")
        return result

    def logs(self):
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}"
                         for path in sorted(self.folder.rglob("*.log")))


class Group:
    """The processes that a script left behind, which the stage ends like a
    gate."""

    def __init__(self, pid):
        self.pid = pid

    def release(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    close = release
