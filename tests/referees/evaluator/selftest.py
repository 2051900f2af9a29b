"""Tests of this side alone: the cases by hand, properties against brute force, and whether random cases would
notice a wrong reading at all."""

import itertools
import random
from unittest import mock

from . import build, cases, kleene, meaning, packs, reading
from .kleene import NO, UNKNOWN, YES
from .meaning import agrees, assess, nodes
from .reading import Decided, Kept, Reading

SEED = 20261101
PACKS = 600
ANSWER_SETS = 5


def by_hand():
    for case in cases.all_cases():
        result = assess(case["policy"], case["checklist"], case["answers"])
        yield case["name"], agrees(result, case["expected"])


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
            yield policy, checklist, packs.answers(rng, policy, checklist, packs.FEATURES)


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


def lawful(some):
    """The packs keep to the documents, so that a refusal by the product says something."""
    shown = ordered = accepted = True
    for policy, checklist, _ in some:
        for indicator in checklist["indicators"]:
            shown &= {name for name, *_ in nodes(indicator["from"])} <= {
                "all", "any", "at_least", "yes", "no", "has", "number", "answered"}
        seen = set()
        for item in [*policy["intake"], *checklist["items"]]:
            for name, of, _ in nodes(item.get("when", "always")):
                ordered &= name not in meaning.SIGNS and (name not in ("yes", "no", "answered") or of in seen)
                ordered &= name not in ("has", "number") or of["item"] in seen
            seen.add(item["id"])
        accepted &= "error" not in assess(policy, checklist, {})
    yield "indicators look at items only, without not", shown
    yield "items look at earlier items only", ordered
    yield "no random pack is refused", accepted


def kept_stays(some):
    """More answers change nothing that the kept reading knows, nor make "none noted" untrue."""
    rng = random.Random(SEED)
    stays = said = True
    for policy, checklist, answers in some:
        more = answers | {i["id"]: build.known(packs.value(rng, i["kind"], 0.5))
                          for i in [*policy["intake"], *checklist["items"]]
                          if "known" not in answers.get(i["id"], {}) and rng.random() < 0.5}
        before, after = truths(policy, checklist, answers), truths(policy, checklist, more)
        stays &= all(b in (UNKNOWN, a) for b, a in zip(before, after))
        none = assess(policy, checklist, answers)["outcomes"] == ["none_noted_today"]
        said &= not none or assess(policy, checklist, more)["outcomes"] == ["none_noted_today"]
    yield "what is kept stays", stays
    yield "none noted stays", said


def truths(policy, checklist, answers):
    kept = Kept(policy, checklist, answers)
    meaning.read_signs(checklist["indicators"], Decided(policy, checklist, answers), kept)
    return [*kept.signs.values(), *(kept.condition(r["when"]) for r in checklist["rules"])]


def wrong_items():
    """Wrong readings of items and the person, each as (name, where, attribute, replacement)."""
    def unknown_is_no(self, item, of_value, of_nothing=UNKNOWN, right=Reading.item_test):
        return right(self, item, of_value, NO)

    def stale(self, item, of_value, of_nothing=UNKNOWN):
        return of_nothing if self.known(item) is None else of_value(self.known(item))

    def another_kind_is_no(self, item, word, right=Reading.answered_with):
        return kleene.truth(right(self, item, word) == YES) if self.known(item) else right(self, item, word)

    def unsaid_no(self, item, word, right=Reading.answered_with):
        return kleene.truth(word == "no") if self.applies(item) == NO else right(self, item, word)

    def strictly_within(self, item, low, high, right=Reading.number):
        return right(self, item, None if low is None else low + 1, high)

    def not_applicable_is_open(self, name, right=Reading.counts):
        return None if name in self.intake and self.applies(name) == NO else right(self, name)

    def not_applicable_is_none(self, name, right=Reading.counts):
        off = name == "person-children" and name in self.intake and self.applies(name) == NO
        return {"number": 0} if off else right(self, name)

    def when_like_rule(self, tree, in_when=False, right=Reading.condition):
        return right(self, tree)
    return [
        ("unknown is no", Reading, "item_test", unknown_is_no),
        ("stale answers count", Reading, "item_test", stale),
        ("another kind is no", Reading, "answered_with", another_kind_is_no),
        ("a rule sees an unsaid no", Reading, "answered_with", unsaid_no),
        ("a when does not see an unsaid no", Reading, "condition", when_like_rule),
        ("bounds are not included", Reading, "number", strictly_within),
        ("person that does not apply is open", Reading, "counts", not_applicable_is_open),
        ("children that do not apply are none", Reading, "counts", not_applicable_is_none),
        ("any age is known", reading, "AGE_MOST", 255),
        ("any number of children is known", reading, "CHILDREN_MOST", 999),
    ]


def wrong_readings():
    """The four places in which the two readings differ, each read as in the other, or as in none."""
    return [
        ("doubt about age is an adult", Decided, "child_of", lambda self, low, high: kleene.truth(high < 18)),
        ("doubt about age is not decided", Decided, "child_of", Kept.child_of),
        ("doubt about age is not kept", Kept, "child_of", Decided.child_of),
        ("possible is not decided", Decided, "possible", Kept.possible),
        ("possible is not kept", Kept, "possible", Decided.possible),
        ("answered is not decided", Decided, "answered_nothing", Kept.answered_nothing),
        ("answered is not kept", Kept, "answered_nothing", Decided.answered_nothing),
        ("what may apply is not decided", Decided, "while_open", Kept.while_open),
        ("what may apply is not kept", Kept, "while_open", Decided.while_open),
        ("what may apply is open even with a no", Kept, "while_open", lambda self, result: UNKNOWN),
        ("person that may apply is not decided", Decided, "counts_while_open", Kept.counts_while_open),
        ("person that may apply is not kept", Kept, "counts_while_open", Decided.counts_while_open),
        ("person that may apply is open even with a no", Kept, "counts_while_open", lambda self, value, nothing: None),
    ]


def wrong_outcomes():
    def worst_only(self, dimension, right=Reading.dimension):
        return kleene.truth(right(self, dimension) == YES)

    def signs(read):
        def wrong(indicators, decided, kept, right=meaning.read_signs):
            right(indicators, decided, kept)
            read(indicators, decided, kept)
        return wrong

    def decided_alone(indicators, decided, _):
        decided.signs.update({i["id"]: decided.condition(i["from"]) for i in indicators})
    some_open = "concern_unresolved", "none_noted_today"
    return [
        ("undetermined is negative", Reading, "dimension", worst_only),
        ("at_least counts the unknown", reading, "at_least", lambda n, of: kleene.truth(sum(v > NO for v in of) >= n)),
        ("not of unknown is yes", reading, "opposite", lambda value: kleene.truth(value != YES)),
        ("an indicator is as decided", meaning, "read_signs", signs(decided_alone)),
        ("an indicator is as kept", meaning, "read_signs", signs(lambda _, d, k: d.signs.update(k.signs))),
        ("kept sees the greater", meaning, "read_signs", signs(lambda _, d, k: k.signs.update(d.signs))),
        ("a rule is as kept", meaning, "rule", lambda decided, kept: kept),
        ("a rule is no as decided", meaning, "rule", lambda d, k: d if d != UNKNOWN else min(k, UNKNOWN)),
        ("unknown rules are forgotten", meaning, "unresolved", lambda *_: False),
        ("unresolved beside presumed", meaning, "unresolved",
         lambda rules, given: any(v == UNKNOWN and o not in given for o, v in rules)),
        ("unresolved for what is given", meaning, "unresolved",
         lambda rules, given: "presumed" not in given and any(v == UNKNOWN for _, v in rules)),
        ("unresolved only when nothing is given", meaning, "unresolved",
         lambda rules, given: not given and any(v == UNKNOWN for _, v in rules)),
        ("noted is none", meaning, "of_nothing", lambda signs: some_open[UNKNOWN not in signs]),
        ("unknown is none", meaning, "of_nothing", lambda signs: some_open[YES not in signs]),
        ("a further sign takes presumed away", meaning, "refuse", lambda rules: None),
    ]


def noticed(some):
    """Each wrong reading changes a result of the random sample and breaks a case by hand; else neither would find
    it. What is refused stands in the cases by hand only."""
    right = [assess(*case) for case in some]
    for name, where, attribute, wrong in [*wrong_items(), *wrong_readings(), *wrong_outcomes()]:
        with mock.patch.object(where, attribute, wrong):
            found = next((n for n, case in enumerate(some, 1) if assess(*case) != right[n - 1]), None)
            broken = sum(not kept for _, kept in by_hand())
        yield f"noticed: {name} (random case {found}, {broken} by hand)", broken and (found or attribute == "refuse")


def run():
    some = list(sample())
    failed = passed = 0
    for name, right in [*by_hand(), *best_and_worst(), *properties(some), *lawful(some),
                        *kept_stays(some), *noticed(some)]:
        passed, failed = passed + bool(right), failed + (not right)
        if not right or name.startswith("noticed"):
            print("" if right else "FAILED ", name, sep="")
    print(f"seed {SEED}; {passed} passed, {failed} failed")
    return 1 if failed else 0
