#!/usr/bin/env python3
"""Referee: schemathesis against headquarters' HTTP, by its own description.

Starts `amparo-hq serve` on a loopback port and a folder of its own, attacks it within a bound, and ends it. Fails on
any 5xx, any answer that hq/openapi.yaml does not allow, and when the server did not live to the end.

    pip install schemathesis
    cargo build -p amparo-hq
    python3 tests/referees/http_contract.py [--examples N] [--seed N] [path of amparo-hq]
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import urllib.request

import schemathesis  # noqa: F401  (the referee cannot run without it)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 45


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--examples", type=int, default=40)
    words.add_argument("--seed", type=int, default=random.randrange(2**32))
    words.add_argument("program", nargs="?", default=os.path.join(ROOT, "target/debug/amparo-hq"))
    words = words.parse_args()
    print(f"seed {words.seed}")
    with tempfile.TemporaryDirectory() as folder:
        home = ["--home", os.path.join(folder, "hq")]
        subprocess.run([words.program, *home, "init"], check=True, stdout=subprocess.DEVNULL, timeout=60)
        serve = [words.program, *home, "serve", "--listen", "127.0.0.1:0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
            try:
                passed = attack(server, folder, words)
            finally:
                server.send_signal(signal.SIGTERM)
                ended = server.wait(timeout=60)
    print("the server ended well" if ended == 0 else f"FAIL the server ended with {ended}")
    return 0 if passed and ended == 0 else 1


def attack(server, folder, words):
    url = server.stdout.readline().split()[-1]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.yaml", "--url", url]
    # What a description calls binary is more than CBOR that is signed: most of it must be refused.
    command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples", str(words.examples), "--seed", str(words.seed)]
    command += ["--max-time", str(SECONDS), "--workers", "2", "--no-color"]
    hooks = {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__)), "SCHEMATHESIS_HOOKS": "http_hooks"}
    run = subprocess.run(command, cwd=folder, env=os.environ | hooks, timeout=3 * SECONDS)
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        counted = answer.read().decode()
    failed = [line for line in counted.splitlines() if 'status="5' in line]
    print("\n".join(["no answer of 5xx was counted"] if not failed else ["FAIL " + line for line in failed]))
    return run.returncode == 0 and not failed


if __name__ == "__main__":
    sys.exit(main())
