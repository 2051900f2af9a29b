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
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, aad)


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


def unwrap(grant, secret, header_hash):
    segment, reader, encapsulated, wrapped = grant
    assert segment == header_hash and reader == reader_id(public_of(secret))
    return hpke_open(secret, encapsulated, b"amparo-grant-1" + header_hash, b"", wrapped)


def decompressor(dictionary):
    if dictionary == 0:
        return zstandard.ZstdDecompressor()
    words = (ROOT / "schema" / "dictionary" / f"{dictionary}.zdict").read_bytes()
    return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(words))


def open_segment(data, device_key, key):
    header_bytes, signature, ciphertext = canonical(data)
    verify(device_key, b"amparo-segment-1", header_bytes, signature)
    header = canonical(header_bytes)
    assert header[:2] == [1, 1]
    assert header[7] == len(ciphertext) and header[8] == sha256(ciphertext)
    zeroed = cbor2.dumps(header[:8] + [bytes(32)] + header[9:])
    padded = ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, zeroed)
    encoded = decompressor(header[2]).decompressobj().decompress(unpad(padded))
    plain = canonical(encoded)
    prk = extract(b"", key)
    salts = [expand(prk, b"amparo-event-salt-1" + i.to_bytes(4, "big"), 32) for i in range(len(plain[3]))]
    leaves = [sha256(salt + cbor2.dumps(event)) for salt, event in zip(salts, plain[3])]
    assert merkle(leaves) == header[9], "events' root"
    return header, plain, encoded


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


def check_chain(all_of_it, who, secrets, shapes):
    previous = labelled(b"amparo-segment-1", who["device_key"])
    by_hash = {}
    for number, link in enumerate(all_of_it["chain"]):
        data = bytes.fromhex(link["segment"])
        header, plain, encoded = open_segment(data, who["device_key"], bytes.fromhex(link["key"]))
        assert shapes.holds("plain", encoded)
        assert (header[3], header[5], header[6]) == (who["device"], number, previous)
        assert plain[2] == number, "the example seals the compartments in their order"
        assert (plain[0] is None) == (plain[1] is None) == (plain[2] == 3)
        assert plain[3] == [[n, bytes.fromhex(fact)] for n, fact in link["events"]]
        assert all(shapes.holds("fact", fact) and canonical(fact) for _, fact in plain[3])
        previous = labelled(b"amparo-segment-1", cbor2.loads(data)[0])
        by_hash[previous] = bytes.fromhex(link["key"])
    readers = {reader_id(public_of(secrets[k])): secrets[k] for k in ("custodian", "agency")}
    for grant in all_of_it["grants"]:
        grant = canonical(bytes.fromhex(grant))
        assert unwrap(grant, readers[grant[1]], grant[0]) == by_hash[grant[0]]
    assert len(by_hash) == 4 and len(all_of_it["grants"]) == 6
    return len(by_hash) + len(all_of_it["grants"])


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
    proof = hmac.digest(secret, b"amparo-enrol-proof-1" + b"".join(request[:4]), "sha256")
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
        header_hash = labelled(b"amparo-segment-1", cbor2.loads(segment)[0])
        open_segment(segment, device_key, unwrap(grant, secrets["agency"], header_hash))
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
