"""Small builders of pack JSON with every field that the schema requires. Everything here is synthetic."""

WORDS = {"es": "x"}
FACT = {"sources": [], "review": "reference"}
UNKNOWN_REASONS = ["not_asked", "refused", "not_observable", "interrupted", "does_not_know"]
ILO = [{"strong": 2}, {"strong": 1, "medium_or_weak": 1}, {"medium": 3}, {"medium": 2, "weak": 1}]


def options(*ids):
    return [{"id": i, "label": WORDS} for i in ids]


def bands(*ranges):
    return [{"from": low, "to": high, "label": WORDS} for low, high in ranges]


def number(low, high):
    return {"number": {"min": low, "max": high, "unit": WORDS}}


def item(name, kind="yes_no", when=None, mode="ask"):
    made = {"id": name, "mode": mode, "prompt": WORDS, "kind": kind, **FACT}
    return made if when is None else {**made, "when": when}


def indicator(name, dimension, weight, shown_by):
    return {"id": name, "label": WORDS, "dimension": dimension, "weight": weight, "from": shown_by, **FACT}


def dimension(name, positive):
    return {"id": name, "label": WORDS, "positive": positive}


def rule(name, outcome, when):
    return {"id": name, "outcome": outcome, "when": when, "because": WORDS, **FACT}


def policy(intake):
    return {"intake": intake, "gate": [], "consents": [], "outcomes": {}, "code_words": {}, "last_resort": WORDS,
            "custodian": {"name": "synthetic", "public_key": "ab" * 32},
            "retention": {"plaintext_hours": 1, "observation_days": 1, "open_hours": 1}, "review": "reference"}


def checklist(items, indicators, dimensions, rules):
    return {"settings": ["border"], "population": "anyone", "validation": WORDS, "enabled": True, "items": items,
            "indicators": indicators, "dimensions": dimensions, "rules": rules}


def known(value):
    return {"known": value}


def unknown(reason="not_asked"):
    return {"unknown": reason}
