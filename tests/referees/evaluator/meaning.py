"""What an assessment says: indicators, rules and outcomes from the two readings (schema/ASSESSMENT.md).

It must never be written by looking at the product's evaluator: two copies of one mistake agree.
"""

from .kleene import NO, UNKNOWN, WORDS, YES
from .reading import Decided, Kept, Refused

OUTCOMES = ["urgent_safety", "child_protection", "presumed", "concern_unresolved", "labour_rights",
            "return_concern", "none_noted_today"]
SIGNS = {"indicator", "noted", "noted_any", "positive"}


def nodes(tree, negated=False):
    """Every node of a condition as (name, what it holds, whether it stands under a `not`)."""
    name, of = next(iter(tree.items())) if isinstance(tree, dict) else (tree, None)
    yield name, of, negated
    parts = {"all": of, "any": of, "not": [of], "possible": [of]}.get(name, of["of"] if name == "at_least" else [])
    for part in parts:
        yield from nodes(part, negated or name == "not")


def refuse(rules):
    for one in rules:
        if one["outcome"] == "none_noted_today":
            raise Refused("no rule gives none_noted_today")
        if one["outcome"] == "presumed" and any(under and name in SIGNS for name, _, under in nodes(one["when"])):
            raise Refused("a further sign must never take presumed away")


def read_signs(indicators, decided, kept):
    """The truth of each indicator as the rules see it: the greater one in the decided reading, else its own."""
    for sign in indicators:
        name, shown_by = sign["id"], sign["from"]
        kept.signs[name] = kept.condition(shown_by)
        decided.signs[name] = max(decided.condition(shown_by), kept.signs[name])


def rule(decided, kept):
    return YES if decided == YES else NO if kept == NO else UNKNOWN


def unresolved(rules, given):
    return "presumed" not in given and any(value == UNKNOWN and outcome not in given for outcome, value in rules)


def of_nothing(signs):
    return "none_noted_today" if all(value == NO for value in signs) else "concern_unresolved"


def outcomes(rules, signs):
    """`rules` are pairs of outcome and truth, `signs` the truths of the indicators."""
    given = {outcome for outcome, value in rules if value == YES}
    if unresolved(rules, given):
        given.add("concern_unresolved")
    return sorted(given or {of_nothing(signs)}, key=OUTCOMES.index)


def assess(policy, checklist, answers):
    """The result as JSON values; an error where the pack is refused."""
    try:
        refuse(checklist["rules"])
        decided, kept = Decided(policy, checklist, answers), Kept(policy, checklist, answers)
        read_signs(checklist["indicators"], decided, kept)
        rules = [(r["outcome"], rule(decided.condition(r["when"]), kept.condition(r["when"])))
                 for r in checklist["rules"]]
    except Refused as why:
        return {"error": str(why)}
    return {"outcomes": outcomes(rules, decided.signs.values()),
            "dimensions": {d["id"]: ("negative", "undetermined", "positive")[decided.dimension(d)]
                           for d in checklist["dimensions"]},
            "indicators": {name: WORDS[value] for name, value in decided.signs.items()}}


def agrees(result, expected):
    """Equal in every part that is stated; of an error only that there is one."""
    if "error" in result or "error" in expected:
        return "error" in result and "error" in expected
    return all(result.get(part) == value for part, value in expected.items())
