"""Runs llama.cpp's server from the package xllamacpp.

    llama_server.py MODEL.gguf --alias NAME --port N [--slots N]
                    [--context N] [--threads N]

Listens on 127.0.0.1 until it is ended. Each slot has a context of N tokens
(4096). The package contains llama.cpp, compiled for any x86-64 with AVX2, or for
arm64. It serves llama-server's own HTTP API.
"""

import argparse
import signal

import xllamacpp


def parameters(given):
    made = xllamacpp.CommonParams()
    made.model.path = given.model
    made.model_alias = {given.alias}
    made.hostnames = ["127.0.0.1"]
    made.port = given.port
    made.n_parallel = given.slots
    made.n_ctx = given.context * given.slots
    for cpu in (made.cpuparams, made.cpuparams_batch):
        cpu.n_threads = given.threads
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--alias", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--context", type=int, default=4096,
                        help="tokens of each slot")
    parser.add_argument("--threads", type=int, default=1)
    server = xllamacpp.Server(parameters(parser.parse_args()))
    print(f"listening on {server.listening_address}", flush=True)
    while True:  # until a signal ends it
        signal.pause()


if __name__ == "__main__":
    main()
