"""Bodies in CBOR for schemathesis: items of RFC 8949 with whatever in them, and bytes that are none."""

import schemathesis
from hypothesis import strategies as st


def head(major, n):
    """The beginning of an item, in its shortest form."""
    if n < 24:
        return bytes([major << 5 | n])
    for more, size in enumerate((1, 2, 4, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | 24 + more]) + n.to_bytes(size, "big")
    raise ValueError(n)


NUMBERS = st.one_of(st.integers(0, 8), st.integers(0, 2**64 - 1))
# Keys, hashes, identifiers and signatures have these lengths.
STRINGS = st.one_of(*(st.binary(min_size=n, max_size=n) for n in (8, 16, 32, 64)), st.binary(max_size=300))
LEAVES = st.one_of(
    NUMBERS.map(lambda n: head(0, n)),
    NUMBERS.map(lambda n: head(1, n)),
    STRINGS.map(lambda b: head(2, len(b)) + b),
    st.text(max_size=40).map(lambda t: head(3, len(t.encode())) + t.encode()),
    st.sampled_from([b"\xf4", b"\xf5", b"\xf6", b"\xf7", b"\x1c", b"\x5f", b"\xff"]),
)


def nested(items):
    lists = st.lists(items, max_size=6).map(lambda many: head(4, len(many)) + b"".join(many))
    pairs = st.lists(st.tuples(st.integers(0, 8), items), max_size=6, unique_by=lambda pair: pair[0])
    maps = pairs.map(lambda many: head(5, len(many)) + b"".join(head(0, k) + v for k, v in sorted(many)))
    # Something signed: payload and signature, the payload an item itself.
    signed = st.tuples(items, st.binary(min_size=64, max_size=64)).map(
        lambda s: head(4, 2) + head(2, len(s[0])) + s[0] + head(2, 64) + s[1]
    )
    return st.one_of(lists, maps, signed)


ITEMS = st.recursive(LEAVES, nested, max_leaves=20)
# A frame: which, and its content.
FRAMES = st.tuples(st.integers(0, 5), ITEMS).map(lambda f: head(4, 2) + head(0, f[0]) + head(4, 1) + f[1])
SEQUENCES = st.lists(st.one_of(FRAMES, ITEMS, st.binary(max_size=64)), max_size=8).map(b"".join)

schemathesis.openapi.media_type("application/cbor", st.one_of(ITEMS, st.binary(max_size=300)))
schemathesis.openapi.media_type("application/cbor-seq", SEQUENCES)


@schemathesis.serializer("application/cbor", "application/cbor-seq")
def as_bytes(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
