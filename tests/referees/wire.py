#!/usr/bin/env python3
"""A second reader of the wire, written from schema/WIRE.md and schema/wire.cddl alone.

It takes what the product's example program `wire` prints: one of every object, with the keys that open it. Each object
is held against the CDDL (zcbor) and must be the deterministic encoding of what it says (cbor2); a changed form must be
refused by the CDDL. Then everything is opened with other libraries (cryptography, zstandard) and other code: signatures,
chains, grants, segments with their Merkle roots, letters, feeds, the ticket, the proof, both volumes.

    cargo build -p amparo-seal --example wire
    python3 tests/referees/wire.py                 # the kept file, and 20 seeds
    python3 tests/referees/wire.py --seeds 500
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import io
import json
import pathlib
import subprocess
import sys
import urllib.parse

import cbor2
import zcbor
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROOT = pathlib.Path(__file__).resolve().parents[2]


def sha256(data):
    return hashlib.sha256(data).digest()


def labelled(label, *parts):
    """H(label, a, b, ..)"""
    return sha256(label + b"\0" + b"".join(len(p).to_bytes(8, "big") + p for p in parts))


def u64(n):
    return n.to_bytes(8, "big")


# ---- HKDF and HPKE, by hand -------------------------------------------------------------------------------------------


def extract(salt, ikm):
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def expand(prk, info, length):
    out, block, n = b"", b"", 0
    while len(out) < length:
        n += 1
        block = hmac.digest(prk, block + info + bytes([n]), "sha256")
        out += block
    return out[:length]


def public_of(secret):
    return secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def hpke_open(secret, encapsulated, info, aad, sealed):
    key, nonce, _ = hpke_context(secret, encapsulated, info)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, aad)


def hpke_context(secret, encapsulated, info):
    """Key and nonce of the first message, and what exports."""
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"

    def l_extract(who, salt, label, ikm):
        return extract(salt, b"HPKE-v1" + who + label + ikm)

    def l_expand(who, prk, label, context, length):
        return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + who + label + context, length)

    dh = secret.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    shared = l_expand(
        kem, l_extract(kem, b"", b"eae_prk", dh), b"shared_secret", encapsulated + public_of(secret), 32
    )
    context = b"\0" + l_extract(suite, b"", b"psk_id_hash", b"") + l_extract(suite, b"", b"info_hash", info)
    prk = l_extract(suite, shared, b"secret", b"")
    key = l_expand(suite, prk, b"key", context, 32)
    nonce = l_expand(suite, prk, b"base_nonce", context, 12)
    exporter = l_expand(suite, prk, b"exp", context, 32)
    return key, nonce, lambda what, length: l_expand(suite, exporter, b"sec", what, length)


# ---- what WIRE.md says ------------------------------------------------------------------------------------------------


def verify(key, context, payload, signature):
    covered = cbor2.dumps(["Signature1", bytes.fromhex("a10127"), context, payload])
    Ed25519PublicKey.from_public_bytes(key).verify(signature, covered)


def open_signed(key, context, signed):
    payload, signature = signed
    verify(key, context, payload, signature)
    return canonical(payload)


def canonical(data):
    value = cbor2.loads(data)
    assert cbor2.dumps(value, canonical=True) == data, "not deterministic"
    assert no_null_at_end(value), "an array ends with null"
    return value


def no_null_at_end(value):
    if isinstance(value, (list, tuple)):
        return (not value or value[-1] is not None) and all(no_null_at_end(v) for v in value)
    return True


def sequence(data):
    stream, out = io.BytesIO(data), []
    while stream.tell() < len(data):
        start = stream.tell()
        cbor2.CBORDecoder(stream).decode()
        out.append(data[start : stream.tell()])
    return out


def unpad(padded):
    length = int.from_bytes(padded[:4], "big")
    whole = length + 4
    bucket = 128 if whole <= 1024 else 256
    assert len(padded) == -(-whole // bucket) * bucket, "not its bucket"
    assert not any(padded[whole:]), "pad bytes that are not zero"
    return padded[4:whole]


def reader_id(public):
    return sha256(public)[:8]


def merkle(leaves):
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + merkle(leaves[:k]) + merkle(leaves[k:]))


def unwrap(grant, secret, named):
    segment, reader, encapsulated, wrapped = grant
    assert segment == named and reader == reader_id(public_of(secret))
    export = hpke_context(secret, encapsulated, b"amparo-grant-1")[2]
    return ChaCha20Poly1305(export(b"amparo-grant-key-1" + named, 32)).decrypt(bytes(12), wrapped, None)


def ascending(values):
    return all(a < b for a, b in zip(values, values[1:]))


def take_apart(disclosure):
    """Grants and withheld pairs, from the one order that they may have."""
    segments, shares, stopped = disclosure[3:]
    given = [(at, reader) for reader, _, keys in shares for at, _ in keys]
    stopped = [tuple(pair) for pair in stopped]
    assert ascending(segments) and ascending([tuple(share[:2]) for share in shares]) and ascending(stopped)
    assert all(keys and ascending([at for at, _ in keys]) for _, _, keys in shares)
    assert len(set(given + stopped)) == len(given + stopped), "a pair stands twice"
    assert {at for at, _ in given + stopped} == set(range(len(segments))), "a segment that nothing names, or no segment"
    grants = [[segments[at], reader, sent, key] for reader, sent, keys in shares for at, key in keys]
    return grants, [(segments[at], reader) for at, reader in stopped]


def expanded(packed, dictionary):
    words = None
    if dictionary:
        file = ROOT / "schema" / "dictionary" / f"{dictionary}.zdict"
        words = zstandard.ZstdCompressionDict(file.read_bytes())
    frame = zstandard.get_frame_parameters(packed, format=zstandard.FORMAT_ZSTD1_MAGICLESS)
    assert not frame.dict_id and not frame.has_checksum
    assert frame.content_size == zstandard.CONTENTSIZE_UNKNOWN and frame.window_size <= 1 << 24
    reader = zstandard.ZstdDecompressor(dict_data=words, format=zstandard.FORMAT_ZSTD1_MAGICLESS).decompressobj()
    out = reader.decompress(packed)
    assert reader.eof and not reader.unused_data, "one frame"
    return out


def signed64(n):
    n %= 1 << 64
    return n - (1 << 64) if n >> 63 else n


def column(differences, length):
    """The numbers of a column: the first, then each by its difference to the one before; zeros at the end are left out."""
    assert len(differences) <= length and (not differences or differences[-1] != 0)
    assert all(-(1 << 63) <= d < 1 << 63 for d in differences)
    out, now = [], 0
    for difference in differences + [0] * (length - len(differences)):
        now = signed64(now + difference)
        out.append(now)
    return out


def events(plain):
    """[counter, compartment, fact] of each fact, from the columns."""
    *columns, bodies = plain[2:]
    assert len(columns) == 6 and bodies
    out = []
    for place, row in enumerate(zip(*(column(c, len(bodies)) for c in columns), bodies, strict=True)):
        compartment, counter, wall, offset, steady, doubt, body = row
        stamp = [wall, offset, (steady + wall) % (1 << 64)] + ([doubt - 1] if doubt else [])
        assert compartment in range(4) and doubt in range(5) and -(1 << 15) <= offset < 1 << 15
        out.append([(counter + place) % (1 << 64), compartment, cbor2.dumps([stamp, body], canonical=True)])
    counters = [counter for counter, _, _ in out]
    assert counters == sorted(set(counters)), "counters ascend"
    assert len({(0, 1, 1, 3)[compartment] for _, compartment, _ in out}) == 1, "one lane"
    return out


def header_hash(segment):
    header_bytes, _, ciphertext = cbor2.loads(segment)
    return labelled(b"amparo-segment-1", header_bytes, sha256(ciphertext))


def open_segment(data, device_key, key):
    header_bytes, signature, ciphertext = canonical(data)
    verify(device_key, b"amparo-segment-1", header_bytes + sha256(ciphertext), signature)
    header = canonical(header_bytes)
    assert header[:2] == [1, 1] and len(header) == 8
    padded = ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, header_bytes)
    encoded = expanded(unpad(padded), header[2])
    plain = canonical(encoded)
    prk = extract(b"", key)
    facts = events(plain)
    salts = [expand(prk, b"amparo-event-salt-1" + i.to_bytes(4, "big"), 32) for i in range(len(facts))]
    leaves = [sha256(salt + cbor2.dumps(event)) for salt, event in zip(salts, facts)]
    assert merkle(leaves) == header[7], "events' root"
    return header, plain, facts, encoded


# ---- the checks -------------------------------------------------------------------------------------------------------


class Shapes:
    """The rules of wire.cddl."""

    def __init__(self):
        text = (ROOT / "schema" / "wire.cddl").read_text()
        self.rules = zcbor.DataTranslator.from_cddl(text, 1 << 16).my_types

    def holds(self, rule, data):
        # It prints every branch that does not hold, and keeps them all.
        rule = self.rules[rule]
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                return rule.validate_str(data)
            except zcbor.CddlValidationError:
                rule.errors.clear()
                return False

    def check(self, rule, data):
        assert self.holds(rule, data), f"{rule} is not what wire.cddl says: {data.hex()}"
        value = canonical(data)
        # A form that is none: one element more, one less, and the first byte string a byte longer.
        for changed in (value + [0], value[:-1], longer(value)):
            if changed is not None and not (rule == "note" and changed == value[:-1]):
                assert not self.holds(rule, cbor2.dumps(changed)), f"wire.cddl takes a changed {rule}: {changed}"


def longer(value):
    for i, part in enumerate(value):
        if isinstance(part, bytes) and len(part) in (8, 16, 32, 64):
            return value[:i] + [part + b"\0"] + value[i + 1 :]
    return None


SIGNED = {
    "hello": "device",
    "disclosure": "device",
    "enrol-request": "device",
    "certificate": "headquarters",
    "revocation": "headquarters",
    "receipt": "headquarters",
    "letter": "agency",
}


def check(all_of_it, shapes):
    """Every check on one print of the example; gives how many there were."""
    who = {k: bytes.fromhex(v) for k, v in all_of_it["parties"].items()}
    secrets = {
        k: X25519PrivateKey.from_private_bytes(who[f"{k}_secret"]) for k in ("custodian", "agency", "bundle", "letters")
    }
    done = 0
    signed_of = {}
    for thing in all_of_it["objects"]:
        rule, data = thing["rule"], bytes.fromhex(thing["bytes"])
        if rule == "signed":
            payload, signature = canonical(data)
            signed_of[payload] = signature
            continue
        shapes.check(rule, data)
        done += 1
        name = {"request": "enrol-request"}.get(rule, rule)
        if name in SIGNED:
            verify(who[f"{SIGNED[name]}_key"], f"amparo-{name}-1".encode(), data, signed_of.pop(data))
            done += 1
    assert not signed_of

    done += check_chain(all_of_it, who, secrets, shapes)
    done += check_enrolment(all_of_it["enrolment"], who, secrets)
    done += check_down(all_of_it, who, secrets)
    for way, reader, rule in (("up", "bundle", "frame"), ("down", "letters", "reply")):
        form, encapsulated, sealed = canonical(bytes.fromhex(all_of_it[way]["volume"]))
        assert form == 1
        opened = unpad(hpke_open(secrets[reader], encapsulated, f"amparo-bundle-{way}-1".encode(), b"", sealed))
        assert opened == bytes.fromhex(all_of_it[way]["sequence"])
        parts = sequence(opened)
        assert len(parts) > 5
        for part in parts:
            shapes.check(rule, part)
        done += len(parts) + 1
    return done


def of_kind(fact):
    """The compartment that a fact has by its kind."""
    kind = fact[1][0]
    return 0 if kind == 12 else 2 if 4 <= kind <= 7 else 3 if kind >= 16 else 1


def check_chain(all_of_it, who, secrets, shapes):
    previous = labelled(b"amparo-segment-1", who["device_key"])
    by_hash = {}
    for number, link in enumerate(all_of_it["chain"]):
        data = bytes.fromhex(link["segment"])
        header, plain, facts, encoded = open_segment(data, who["device_key"], bytes.fromhex(link["key"]))
        assert shapes.holds("plain", encoded)
        assert (header[3], header[5], header[6]) == (who["device"], number, previous)
        lanes = [{0}, {1, 2}, {3}]
        assert {compartment for _, compartment, _ in facts} == lanes[number], "the example seals one of each lane"
        assert (plain[0] is None) == (plain[1] is None) == (number == 2)
        assert [[n, fact] for n, _, fact in facts] == [[n, bytes.fromhex(fact)] for n, fact in link["events"]]
        assert all(compartment == of_kind(canonical(fact)) for _, compartment, fact in facts)
        assert all(shapes.holds("event", cbor2.dumps(event)) for event in facts)
        previous = header_hash(data)
        by_hash[previous] = bytes.fromhex(link["key"])
    readers = {reader_id(public_of(secrets[k])): secrets[k] for k in ("custodian", "agency")}
    for grant in all_of_it["grants"]:
        grant = canonical(bytes.fromhex(grant))
        assert unwrap(grant, readers[grant[1]], grant[0]) == by_hash[grant[0]]
    assert len(by_hash) == 3 and len(all_of_it["grants"]) == 4
    done = check_hellos(all_of_it, who)
    told = [bytes.fromhex(thing["bytes"]) for thing in all_of_it["objects"] if thing["rule"] == "disclosure"]
    for disclosure in told:
        grants, stopped = take_apart(canonical(disclosure))
        assert sorted(map(cbor2.dumps, grants)) == sorted(bytes.fromhex(grant) for grant in all_of_it["grants"])
        assert len(stopped) == 1 and stopped[0][0] in by_hash and stopped[0][1] in readers
        refused_out_of_order(disclosure)
    return len(by_hash) + len(all_of_it["grants"]) + len(told) + done


def in_brief(receipt):
    _, _, epoch, stored, last, ranges, durable, delivered, horizon, disclosures, _, log_size, log_root = receipt
    return [epoch, stored, last[:8], ranges, durable, delivered, horizon, disclosures, log_size, log_root]


def check_hellos(all_of_it, who):
    """Three: without a receipt, with a whole one, and with the same in brief; each at the start of its feeds."""
    hellos = [canonical(bytes.fromhex(thing["bytes"])) for thing in all_of_it["objects"] if thing["rule"] == "hello"]
    shown = [hello[2] for hello in hellos]
    assert shown[0] is None and shown[1][0] == 0 and shown[2][0] == 1
    receipt = open_signed(who["headquarters_key"], b"amparo-receipt-1", shown[1][1][0])
    assert receipt[:2] == hellos[1][:2] and shown[2][1] == [in_brief(receipt)]
    ids = labelled(b"amparo-feed-device-1", who["device"]), labelled(b"amparo-feed-packs-1")
    own, packs = ([0, labelled(b"amparo-feed-1", feed)[:8]] for feed in ids)
    assert [hello[3:5] for hello in hellos] == [[own, packs], [own, None], [own, packs]]
    return len(hellos)


def refused_out_of_order(disclosure):
    """A list turned round, or with its last twice, is another spelling."""
    for at in (3, 4, 5):
        for changed in (lambda old: old[::-1], lambda old: old + old[-1:]):
            spelled = cbor2.loads(disclosure)
            spelled[at] = changed(spelled[at])
            if spelled != cbor2.loads(disclosure):
                try:
                    take_apart(spelled)
                except (AssertionError, IndexError):
                    continue
                raise AssertionError(f"a second spelling, list {at}")


def check_enrolment(told, who, secrets):
    prefix, text = told["ticket"].split(":")
    assert prefix == "AMPARO1" and text == text.upper()
    headquarters, ticket, secret, _ = canonical(base64.b32decode(text + "=" * (-len(text) % 8)))
    address = urllib.parse.urlsplit(headquarters[0])
    assert address.scheme == "https" or (address.scheme, address.hostname) == ("http", "127.0.0.1")
    assert address.username is None and address.hostname
    assert headquarters[1] == who["headquarters_key"] and headquarters[2] == public_of(secrets["bundle"])
    signed = canonical(bytes.fromhex(told["request"]))
    request = open_signed(cbor2.loads(signed[0])[2], b"amparo-enrol-request-1", signed)
    assert request[:4] == [ticket, who["device"], who["device_key"], public_of(secrets["letters"])]
    proof = hmac.digest(secret, b"amparo-enrol-proof-1" + b"".join(request[:4] + headquarters[1:3]), "sha256")
    assert proof == request[4]
    return 2


def check_down(all_of_it, who, secrets):
    for told in all_of_it["letters"]:
        signed = canonical(bytes.fromhex(told["letter"]))
        letter, device, author, encapsulated, sealed = open_signed(who["agency_key"], b"amparo-letter-1", signed)
        assert (device, author) == (who["device"], who["agency_key"])
        padded = hpke_open(secrets["letters"], encapsulated, b"amparo-letter-1", letter + device, sealed)
        assert unpad(padded) == bytes.fromhex(told["note"])
    ids = [
        labelled(b"amparo-feed-device-1", who["device"]),
        labelled(b"amparo-feed-recipient-1", reader_id(public_of(secrets["agency"]))),
        labelled(b"amparo-feed-packs-1"),
    ]
    entries = 0
    for feed, told in zip(ids, all_of_it["feeds"], strict=True):
        begins, page, head = canonical(bytes.fromhex(told["page"]))
        link = labelled(b"amparo-feed-1", feed)
        assert begins == [feed, 0, link] == canonical(bytes.fromhex(told["start"])) and head == len(page)
        for n, entry in enumerate(page):
            link = labelled(b"amparo-feed-entry-1", link, u64(n), entry)
            entries += check_entry(canonical(entry), who, secrets)
        assert canonical(bytes.fromhex(told["end"])) == [feed, len(page), link]
    return len(all_of_it["letters"]) + entries


def check_entry(entry, who, secrets):
    kind, fields = entry
    if kind == 0:
        segment, grant, certificate = fields
        device_key = open_signed(who["headquarters_key"], b"amparo-certificate-1", certificate)[1]
        open_segment(segment, device_key, unwrap(grant, secrets["agency"], header_hash(segment)))
    elif kind == 2:
        open_signed(who["agency_key"], b"amparo-letter-1", fields[0])
    elif kind == 3:
        assert open_signed(who["headquarters_key"], b"amparo-revocation-1", fields[0])[0] == who["device"]
    return 1


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seeds", type=int, default=20)
    words.add_argument("--product", default=str(ROOT / "target/debug/examples/wire"))
    words = words.parse_args()
    shapes = Shapes()
    kept = json.loads((ROOT / "tests/vectors/wire.json").read_text())
    passed = check(kept, shapes)
    for seed in range(1, words.seeds + 1):
        printed = subprocess.run([words.product, str(seed)], check=True, capture_output=True).stdout
        try:
            passed += check(json.loads(printed), shapes)
        except Exception:
            print(f"seed {seed}:", file=sys.stderr)
            raise
    print(f"{passed} objects and openings, the kept file and {words.seeds} seeds: all as WIRE.md says")


if __name__ == "__main__":
    main()
