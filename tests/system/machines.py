"""machines: machines that share nothing but what a test lets through.

Each `Machine` is a network namespace with its own loopback, made by `unshare`.
It goes away with the process that holds it. The only connection between two
machines is a `Link`: a proxy that listens in one and connects in the other, and
that can be broken, cut, held and slowed. Needs root; without it the test is
skipped.

    here, there = Machine(stage), Machine(stage)
    link = Link(here, there, 5570)      port 5570 of `there` is reached here
    link.cut()                          nothing passes, connections end
    link.heal()
"""

import ctypes
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

import harness

CLONE_NEWNET = 0x40000000
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection
libc = ctypes.CDLL(None, use_errno=True)


def need_namespaces():
    """Skips the test where network namespaces cannot be made."""
    if os.geteuid() != 0 or not shutil.which("unshare") or \
            not shutil.which("nsenter") or not shutil.which("ip"):
        pytest.skip("needs root, and unshare, nsenter and ip, to make network "
                    "namespaces")
    if subprocess.run(["unshare", "--net", "true"],
                      capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make network namespaces")


class Machine:
    def __init__(self, stage):
        self.stage = stage
        self.holder = self.start_as(["unshare", "--net", "sh", "-c",
                                     "ip link set lo up && echo up && "
                                     "exec sleep infinity"], "machine")
        self.holder.wait_for_line("up")

    def start_as(self, command, name):
        return self.stage.add(harness.Process(self.stage, command,
                                              self.stage.name(name)))

    def start(self, program, *words):
        """Starts a program in this machine. nsenter becomes the program, so
        both have the same process id."""
        return self.start_as(["nsenter", "-t", self.holder.pid, "-n", program,
                              *words], str(words[0]).strip("-"))

    def enter(self):
        """Moves this thread, and those that it starts, into the machine."""
        with open(f"/proc/{self.holder.pid}/ns/net") as ns:
            if libc.setns(ns.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def run(self, function):
        """Runs the function in this machine and returns its result."""
        result = []

        def inside():
            self.enter()
            result.append(function())

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return result[0]


class Link:
    """Makes a port of `there` reachable in `here` under the same number.

    `seen` lists what matched `pattern` in the bytes from `there`, each with its
    time. The bytes were sent, whether or not they arrive.
    """

    def __init__(self, here, there, port, pattern=None):
        self.seen, self._pattern = [], pattern
        self._port, self._there = port, there
        self._state = threading.Condition()
        self._cut, self._held, self._delay_s = False, False, 0
        self._open = []
        self._listener = here.run(
            lambda: socket.create_server(("127.0.0.1", port)))
        threading.Thread(target=self._accept, daemon=True).start()

    # What a test does to the link.

    def break_off(self):
        """Ends all connections, so that what was on its way is lost. New
        connections are accepted."""
        with self._state:
            broken, self._open = self._open, []
            self._state.notify_all()
        for one in broken:
            self._reset(one)

    def cut(self):
        with self._state:
            self._cut = True
        self.break_off()

    def hold(self):
        """Lets nothing pass, without either side noticing."""
        with self._state:
            self._held = True

    def slow(self, delay_s):
        with self._state:
            self._delay_s = delay_s

    def heal(self):
        with self._state:
            self._cut, self._held, self._delay_s = False, False, 0
            self._state.notify_all()

    # What the stage calls, as on a gate.

    def release(self):
        self.heal()

    def close(self):
        self._listener.close()
        self.cut()

    @staticmethod
    def _reset(one):
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def _accept(self):
        self._there.enter()  # connections to the far side are made there
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._cut:
                    raise OSError("cut")
                far = socket.create_connection(("127.0.0.1", self._port), 5)
                far.settimeout(None)
            except OSError:
                self._reset(near)
                continue
            with self._state:
                self._open += [near, far]
            for source, target, looks in ((near, far, False),
                                          (far, near, True)):
                threading.Thread(target=self._pass, daemon=True,
                                 args=(source, target, looks)).start()

    def _pass(self, source, target, looks):
        tail = b""
        try:
            while data := source.recv(65536):
                if looks and self._pattern:
                    tail = self._look(tail + data)
                with self._state:
                    self._state.wait_for(lambda: not self._held or
                                         source not in self._open)
                    delay_s = self._delay_s
                if delay_s:
                    time.sleep(delay_s)
                target.sendall(data)
        except OSError:
            pass
        with self._state:
            self._open = [one for one in self._open
                          if one not in (source, target)]
            self._state.notify_all()
        for one in (source, target):
            self._reset(one)

    def _look(self, data):
        end = 0
        for match in re.finditer(self._pattern, data, re.DOTALL):
            self.seen.append((time.time(), match[1]))
            end = match.end()
        return data[end:][-64:]
