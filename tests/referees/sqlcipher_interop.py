#!/usr/bin/env python3
"""Referee: a stock SQLCipher 4 (OpenSSL, from the Python package sqlcipher3-binary) against our provider.

Both directions: it opens a store that we made, and we open one that it made. Wrong keys and wrong page
seals must fail, so that a file which is not encrypted at all cannot pass.

    pip install sqlcipher3-binary
    cargo build -p amparo-core --example sqlcipher_interop
    python3 tests/referees/sqlcipher_interop.py [path of the example]
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile

import sqlcipher3

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/debug/examples/sqlcipher_interop")
RESULTS = []


def check(name, passed, detail=""):
    RESULTS.append(bool(passed))
    print(("ok   " if passed else "FAIL ") + name + (f" ({detail})" if detail else ""))


def ours(*args):
    return subprocess.run([EXAMPLE, *args], capture_output=True, text=True, timeout=60)


def theirs(path, key, hmac="HMAC_SHA256"):
    conn = sqlcipher3.connect(path)
    conn.execute("PRAGMA cipher_log_level = NONE")
    conn.execute(f"PRAGMA key = \"x'{key}'\"")
    if hmac:
        conn.execute(f"PRAGMA cipher_hmac_algorithm = {hmac}")
    return conn


def opens(path, key, hmac="HMAC_SHA256"):
    conn = theirs(path, key, hmac)
    try:
        return conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except sqlcipher3.DatabaseError:
        return None
    finally:
        conn.close()


def copy_beside(path, name, new):
    shutil.copy(path + name, new + name)


def ours_to_theirs(folder):
    path, key = os.path.join(folder, "ours.db"), secrets.token_hex(32)
    made = ours("make", path, key)
    check("we make a store", made.returncode == 0, made.stderr.strip())
    with open(path, "rb") as file:
        check("without SQLite's header", not file.read(16).startswith(b"SQLite format"))
    conn = theirs(path, key)
    version = conn.execute("PRAGMA cipher_version").fetchone()[0]
    provider = conn.execute("PRAGMA cipher_provider").fetchone()[0]
    check("the referee is not our provider", provider != "rustcrypto", f"{provider}, SQLCipher {version}")
    bodies = [bytes(row[0]) for row in conn.execute("SELECT body FROM fact ORDER BY counter")]
    check("it reads our facts", bodies == [b"synthetic one", b"synthetic two", b"synthetic three"])
    check("it finds every page sealed", conn.execute("PRAGMA cipher_integrity_check").fetchall() == [])
    check("it finds the structure sound", conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
    conn.execute("INSERT INTO setting (name, value) VALUES ('referee', x'01')")
    conn.commit()
    conn.close()
    seen = ours("verify", path, key).stdout.strip()
    check("we read what it wrote into our store", seen == "facts=3 faults=0 findings=0", seen)
    check("another key does not open it", opens(path, secrets.token_hex(32)) is None)
    check("another page seal does not open it", opens(path, key, "HMAC_SHA512") is None)
    return path, key


def theirs_to_ours(folder, template, template_key):
    """A store written whole by the referee: our schema and rows, its ciphers, another key."""
    path, key = os.path.join(folder, "theirs.db"), secrets.token_hex(32)
    source = theirs(template, template_key)
    conn = theirs(path, key)
    for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"):
        conn.execute(sql)
    tables = [row[0] for row in source.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        for row in source.execute(f"SELECT * FROM {table}"):
            conn.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    conn.execute(f"PRAGMA user_version = {source.execute('PRAGMA user_version').fetchone()[0]}")
    conn.commit()
    conn.close()
    source.close()
    # Without a head file of this key: one finding is right, and no fault.
    seen = ours("verify", path, key)
    check("we open a store that it made", seen.stdout.strip() == "facts=3 faults=0 findings=1", seen.stdout + seen.stderr)
    check("we append to it", ours("saves", path, key, "5").returncode == 0)
    conn = theirs(path, key)
    check("it reads what we appended", conn.execute("SELECT count(*) FROM fact").fetchone()[0] == 8)
    check("and finds every page sealed", conn.execute("PRAGMA cipher_integrity_check").fetchall() == [])
    conn.close()
    check("another key does not open it for us", ours("verify", path, secrets.token_hex(32)).returncode != 0)


def log_to_theirs(folder, path, key):
    """Our log, not yet moved into the file, as after a crash."""
    live = subprocess.Popen([EXAMPLE, "saves", path, key, "100000"], stdout=subprocess.DEVNULL)
    wal, dead = path + "-wal", os.path.join(folder, "dead.db")
    while live.poll() is None and (not os.path.exists(wal) or os.path.getsize(wal) < 200_000):
        pass
    live.kill()
    live.wait()
    shutil.copy(path, dead)
    copy_beside(path, "-wal", dead)
    conn = theirs(dead, key)
    there = conn.execute("SELECT count(*), max(counter) FROM fact").fetchone()
    check("it reads our log after we were killed", there[0] == there[1] and there[0] > 3, f"{there[0]} facts")
    conn.close()
    seen = ours("verify", path, key).stdout.strip()
    check("and so do we, with nothing lost", seen == f"facts={there[0]} faults=0 findings=0", seen)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path, key = ours_to_theirs(folder)
        theirs_to_ours(folder, path, key)
        log_to_theirs(folder, path, key)
    print(f"{sum(RESULTS)} passed, {len(RESULTS) - sum(RESULTS)} failed")
    sys.exit(0 if all(RESULTS) else 1)


main()
