"""Runs llama.cpp's own HTTP server in this process: serve.py --model FILE [--name NAME] [--embeddings] [--port PORT].

Prints `listening on http://127.0.0.1:PORT` once it answers, and serves until it is killed or told to end.
"""

import argparse
import os
import signal

import xllamacpp


def parameters(options):
    settings = xllamacpp.CommonParams()
    settings.model.path = options.model
    settings.model_alias = {options.name}
    settings.hostnames = ["127.0.0.1"]
    settings.port = options.port
    settings.n_ctx = 4096
    settings.n_parallel = 4
    settings.cpuparams.n_threads = 1
    settings.use_jinja = True
    settings.endpoint_metrics = True
    if options.embeddings:
        settings.embedding = True
        settings.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return settings


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--name", default="tiny")
    parser.add_argument("--embeddings", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    # Blocked before the server starts its threads, so that the signal waits for sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server = xllamacpp.Server(parameters(parser.parse_args()))
    # The server's log comes to the same place in pieces: one write, and a line of its own.
    os.write(1, f"\nlistening on {server.listening_address}\n".encode())
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
