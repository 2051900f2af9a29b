"""Tests of this side alone: the cases by hand, properties against brute force, and whether random cases would
notice a wrong reading at all."""

import itertools
import random
from unittest import mock

from . import build, cases, corners, kleene, meaning, packs
from .meaning import Reading, assess

SEED = 20261101
PACKS = 200
ANSWER_SETS = 10


def by_hand():
    for case in cases.all_cases():
        result = assess(case["policy"], case["checklist"], case["answers"])
        yield case["name"], all(result[part] == value for part, value in case["expected"].items())


def best_and_worst():
    """A dimension is decided iff every way to fill in the unknowns decides it alike (brute force over 3^6)."""
    weights = ["strong", "strong", "medium", "medium", "weak", "weak"]
    names = [f"i{n}" for n in range(6)]
    for number, positive in enumerate([build.ILO, [{"any": 3}], [{"medium": 1, "weak": 2}, {"strong": 2}]]):
        pack = build.checklist([build.item(n) for n in names],
                               [build.indicator(n, "d", w, {"yes": n}) for n, w in zip(names, weights)],
                               [build.dimension("d", positive)], [])

        def verdict(values):
            given = {n: build.known(v) for n, v in zip(names, values) if v != "?"}
            return assess(build.policy([]), pack, given)["dimensions"]["d"]
        known = {values: verdict(values) for values in itertools.product(["yes", "no"], repeat=6)}
        right = True
        for values in itertools.product(["yes", "no", "?"], repeat=6):
            filled = itertools.product(*[["yes", "no"] if v == "?" else [v] for v in values])
            verdicts = {known[f] for f in filled}
            right &= verdict(values) == (verdicts.pop() if len(verdicts) == 1 else "undetermined")
        yield f"best and worst case, thresholds {number}", right


def sample():
    for n in range(PACKS):
        rng = random.Random(f"{SEED}/{n}")
        policy, checklist = packs.Writer(rng, packs.FEATURES).pack()
        for _ in range(ANSWER_SETS):
            yield policy, checklist, packs.answers(rng, policy, checklist)


def properties(some):
    """Nothing but "none noted" stands beside "none noted", and never while something is noted or not known."""
    alone = quiet = silent = ordered = True
    for policy, checklist, answers in some:
        result = assess(policy, checklist, answers)
        none = "none_noted_today" in result["outcomes"]
        alone &= not none or len(result["outcomes"]) == 1
        quiet &= not none or set(result["indicators"].values()) <= {"no"}
        silent &= bool(result["outcomes"])
        ordered &= result["outcomes"] == [o for o in meaning.OUTCOMES if o in result["outcomes"]]
    yield "none noted stands alone", alone
    yield "unknown or noted is never none noted", quiet
    yield "there is always an outcome", silent
    yield "most urgent first", ordered


def nodes(tree, negated=False):
    """Every node of a condition as (name, what it holds, whether it stands under a `not`)."""
    name, of = next(iter(tree.items())) if isinstance(tree, dict) else (tree, None)
    yield name, of, negated
    parts = {"all": of, "any": of, "not": [of], "possible": [of]}.get(name, of["of"] if name == "at_least" else [])
    for part in parts:
        yield from nodes(part, negated or name == "not")


def lawful(some):
    """The packs keep to the documents, so that a refusal by the product says something."""
    signs = {"indicator", "noted", "noted_any", "positive"}
    shown, ordered, monotone = True, True, True
    for policy, checklist, _ in some:
        for indicator in checklist["indicators"]:
            shown &= {name for name, *_ in nodes(indicator["from"])} <= {
                "all", "any", "at_least", "yes", "no", "has", "number", "answered"}
        seen = set()
        for item in [*policy["intake"], *checklist["items"]]:
            for name, of, _ in nodes(item.get("when", "always")):
                ordered &= name not in signs and (name not in ("yes", "no", "answered") or of in seen)
                ordered &= name not in ("has", "number") or of["item"] in seen
            seen.add(item["id"])
        for rule in checklist["rules"]:
            monotone &= rule["outcome"] != "none_noted_today"
            monotone &= not any(under and name in signs for name, _, under in nodes(rule["when"])
                                if rule["outcome"] == "presumed")
    yield "indicators look at items only, without not", shown
    yield "items look at earlier items only", ordered
    yield "nothing takes presumed away", monotone


def mutants():
    """Wrong readings, each as (name, where, attribute, replacement)."""
    def unknown_is_no(self, item, word, right=Reading.answered_with):
        value = right(self, item, word)
        return kleene.truth(word == "no") if value == kleene.UNKNOWN else value

    def without_doubt(self):
        value = self.known("person-age") if "person-age" in self.items else None
        return kleene.truth(value is not None and value["age"]["from"] < 18)

    def adult_possible(self):
        value = self.known("person-age") if "person-age" in self.items else None
        return kleene.truth(value is None or value["age"]["to"] < 18)

    def strictly_within(self, item, low, high, right=Reading.number):
        return right(self, item, None if low is None else low + 1, high)

    def worst_only(self, dimension, right=Reading.dimension):
        return "positive" if right(self, dimension) == "positive" else "negative"
    return [
        ("unknown is no", Reading, "answered_with", unknown_is_no),
        ("stale answers count", Reading, "excluded", lambda self, item: False),
        ("unknown age is an adult", Reading, "child", without_doubt),
        ("doubt about age is an adult", Reading, "child", adult_possible),
        ("bounds are not included", Reading, "number", strictly_within),
        ("undetermined is negative", Reading, "dimension", worst_only),
        ("at_least counts the unknown", meaning, "at_least", lambda n, of: kleene.truth(sum(v > 0 for v in of) >= n)),
        ("possible does nothing", meaning, "possible", lambda value: value),
        ("not of unknown is yes", meaning, "opposite", lambda value: kleene.truth(value != kleene.YES)),
        ("unknown applicability drops the answer", corners, "counts_while_applicability_unknown", lambda: False),
        ("not applicable is answered", corners, "answered_when_not_applicable", lambda: kleene.YES),
        ("not applicable leaves a person open", corners, "yes_no_person_when_not_applicable", lambda: kleene.UNKNOWN),
        ("not applicable leaves children open", corners, "children_along_when_not_applicable", lambda: kleene.UNKNOWN),
        ("not applicable denies both sexes", corners, "sex_when_not_applicable", lambda: kleene.NO),
        ("unaccompanied only as a child", corners, "unaccompanied", lambda answer, child: min(answer, child())),
        ("unknown rules are forgotten", corners, "unresolved_is_added", lambda *_: False),
        ("unresolved beside presumed", corners, "unresolved_is_added", lambda unknown, given: unknown),
        ("unresolved only when nothing is given", corners, "unresolved_is_added", lambda u, given: u and not given),
        ("noted is none", corners, "outcome_of_nothing_given",
         lambda noted, unknown: "concern_unresolved" if unknown else "none_noted_today"),
        ("unknown is none", corners, "outcome_of_nothing_given",
         lambda noted, unknown: "concern_unresolved" if noted else "none_noted_today"),
    ]


def noticed(some):
    """Each wrong reading changes at least one result of the sample; else the sample could not find it."""
    right = [assess(*case) for case in some]
    for name, where, attribute, wrong in mutants():
        with mock.patch.object(where, attribute, wrong):
            found = sum(assess(*case) != result for case, result in zip(some, right))
        yield f"noticed: {name} ({found} of {len(some)})", found > 0


def run():
    some = list(sample())
    failed = passed = 0
    for name, right in [*by_hand(), *best_and_worst(), *properties(some), *lawful(some), *noticed(some)]:
        passed, failed = passed + bool(right), failed + (not right)
        if not right or name.startswith("noticed"):
            print("" if right else "FAILED ", name, sep="")
    print(f"seed {SEED}; {passed} passed, {failed} failed")
    return 1 if failed else 0
