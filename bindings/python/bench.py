"""What a call costs from Python, how many bytes a screen takes, and what each part of the shipped library weighs.

    python3 bindings/python/bench.py SHIPPED_LIBRARY PACKAGE_FOLDER

`cargo xtask bindings --bench` builds both and calls this. Prints; asserts nothing. Everything in it is synthetic.
"""

import collections
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
#: Crates that are one part of the table; what is named nowhere is its own crate.
PARTS = {
    "std": "the standard library", "core": "the standard library", "alloc": "the standard library",
    "hashbrown": "the standard library", "gimli": "the standard library", "addr2line": "the standard library",
    "object": "the standard library", "miniz_oxide": "the standard library", "rustc_demangle": "the standard library",
    "amparo_core": "core", "amparo_schema": "schema", "amparo": "bindings", "uniffi_core": "bindings",
    "serde_json": "JSON and CBOR", "serde": "JSON and CBOR", "serde_core": "JSON and CBOR", "minicbor": "JSON and CBOR",
    "ciborium": "JSON and CBOR", "coset": "JSON and CBOR", "ciborium_ll": "JSON and CBOR",
    "jiff": "time (jiff)", "rusqlite": "SQLite with SQLCipher",
}
CRYPTO = re.compile(r"aes|sha\d|hmac|hkdf|hpke|25519|curve|chacha|poly1305|cipher|digest|pbkdf|argon|blake|ghash|ed25519|aead|crypto|universal|signature|block_buffer")


def part(symbol: str) -> str:
    """The part of the table that a symbol belongs to."""
    if "::" not in symbol:
        if symbol.startswith(("uniffi_", "ffi_")):
            return "bindings"
        if re.match(r"ZSTD|HUF|FSE|XXH|HIST|COVER|ZDICT", symbol):
            return "zstd"
        return "the standard library" if symbol.startswith(("rust_", "_Unwind", "__rust")) else "SQLite with SQLCipher"
    crates = [re.sub(r"^[<&*\[(]*(?:dyn |mut )?", "", words).split("::")[0].split("<")[0] for words in symbol.split(" as ")[:2]]
    # A type of the standard library that is made to do another crate's work is of that crate.
    crate = crates[-1] if PARTS.get(crates[0]) == "the standard library" else crates[0]
    return PARTS.get(crate, "cryptography" if CRYPTO.search(crate) else "others")


def weigh(library: pathlib.Path) -> None:
    """Bytes of the stripped library, and of its code by part."""
    with tempfile.TemporaryDirectory() as folder:
        stripped = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", stripped, library], check=True)
        print(f"stripped library: {stripped.stat().st_size / 1e6:.2f} MB")
        sections = subprocess.run(["size", "-A", stripped], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in sections.splitlines() if line.startswith(".")]
    sizes = sorted(((int(row[1]), row[0]) for row in rows), reverse=True)
    print("  sections: " + ", ".join(f"{name} {size / 1e3:.0f} kB" for size, name in sizes[:7]))
    symbols = subprocess.run(["nm", "-C", "-S", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    parts: "collections.Counter[str]" = collections.Counter()
    for line in symbols.splitlines():
        found = re.match(r"[0-9a-f]+ ([0-9a-f]+) [tTwW] (.+)", line)
        if found:
            parts[part(found[2])] += int(found[1], 16)
    text = next(size for size, name in sizes if name == ".text")
    print(f"  code of {text / 1e3:.0f} kB: " + ", ".join(f"{name} {size / 1e3:.0f} kB" for name, size in parts.most_common()))


def calls() -> None:
    """The same rows as `Cost.kt`."""
    import amparo
    from amparo import amparo as generated
    from conftest import KEY, PACKS, an_answer, request, start, to_the_end

    def size(view) -> int:
        buffer = generated._UniffiFfiConverterTypeScreeningView.lower(view)
        length = buffer.len
        buffer.free()
        return length

    def cost(what, times, work):
        for _ in range(times):
            work()
        wall, cpu = [], []
        for _ in range(9):
            began, spent = time.perf_counter(), time.thread_time()
            for _ in range(times):
                work()
            wall.append((time.perf_counter() - began) / times * 1e6)
            cpu.append((time.thread_time() - spent) / times * 1e6)
        print(f"{what:<24} {statistics.median(cpu):10.1f} us of processor, {statistics.median(wall):10.1f} us in all "
              f"(medians of 9 batches of {times})")

    # On the disk of the checkout: the temporary folder of a system is often memory, which does not sync.
    with tempfile.TemporaryDirectory(dir=ROOT / "target") as folder:
        device = amparo.Device.create(request(folder), KEY, None)
        device.install_packs(PACKS, None)
        view = start(device)
        screening, item = view.line.id, view.next.question.item
        cost("isLocked", 2_000, device.is_locked)
        cost("screenings(0, 10)", 200, lambda: device.screenings(0, 10))
        cost("lookup(trata, 5)", 100, lambda: device.lookup("trata", "CL", "es", 5))
        cost("screening", 50, lambda: device.screening(screening))
        ages = iter(range(10**6))
        age = lambda: amparo.AnswerValue.AGE(lowest=18 + next(ages) % 40, highest=70)  # noqa: E731
        cost("answer (on disk)", 30, lambda: device.answer(screening, item, age()))
        sizes = []

        def answer(question):
            sizes.append(size(device.screening(screen.line.id)))
            return an_answer(question)

        screen = start(device)
        sizes.append(size(screen))
        end = to_the_end(device, screen, answer)
        cost("screening at the end", 50, lambda: device.screening(end.line.id))
        cost("contacts", 20, lambda: device.contacts(end.line.id, []))
        print(f"a change of screen: 1 call; {len(sizes)} screens, {min(sizes)} to {max(sizes)} bytes, median {statistics.median(sizes):.0f}; "
              f"at the end {size(device.screening(end.line.id))}, with contacts {size(device.contacts(end.line.id, []))}")
        device.lock()


if __name__ == "__main__":
    weigh(pathlib.Path(sys.argv[1]))
    os.environ["AMPARO_PYTHON"] = sys.argv[2]
    sys.path.insert(0, str(pathlib.Path(__file__).parent / "tests"))
    import conftest  # noqa: F401 - finds the package

    calls()
