"""What an assessment means: items, person, indicators, dimensions, rules, outcomes.

Sources: DOMAIN rules 2 to 5, 7; research sections 1.3 to 1.5; the doc comments of schema/src/{answer, condition,
outcome, person}.rs and schema/src/pack/{checklist, policy}.rs; content/README.md. Open corners: `corners`.
It must never be written by looking at the product's evaluator: two copies of one mistake agree.
"""

from . import corners
from .kleene import NO, UNKNOWN, WORDS, YES, at_least, opposite, possible, truth

OUTCOMES = ["urgent_safety", "child_protection", "presumed", "concern_unresolved", "labour_rights",
            "return_concern", "none_noted_today"]
AGE, SEX, CHILDREN = "person-age", "person-sex", "person-children"
YES_NO_TESTS = {"foreign": "person-foreign", "unaccompanied": "person-unaccompanied",
                "offence_suspected": "person-offence"}
ADULT_FROM = 18


class Refused(Exception):
    """A pack without meaning here: an unknown name, a circle, a test that has no place in an assessment."""


class Reading:
    """One set of answers read with one policy and one checklist."""

    def __init__(self, policy, checklist, answers):
        self.items = {item["id"]: item for item in [*policy["intake"], *checklist["items"]]}
        self.checklist = checklist
        self.answers = answers
        self.applies_memo = {}
        self.being_read = set()
        self.noted = {i["id"]: self.condition(i["from"]) for i in checklist["indicators"]}
        self.dimensions = {d["id"]: self.dimension(d) for d in checklist["dimensions"]}

    # Items

    def applies(self, item):
        """Whether the item applies: its `when`, and yes without one."""
        if item not in self.items:
            raise Refused(f"no item {item}")
        if item in self.being_read:
            raise Refused(f"{item} depends on itself")
        if item not in self.applies_memo:
            self.being_read.add(item)
            when = self.items[item].get("when")
            self.applies_memo[item] = YES if when is None else self.condition(when)
            self.being_read.discard(item)
        return self.applies_memo[item]

    def excluded(self, item):
        return self.applies(item) == NO

    def known(self, item):
        """The known value of an item that applies or may apply; None when nothing is known."""
        if self.applies(item) == UNKNOWN and not corners.counts_while_applicability_unknown():
            return None
        return self.answers.get(item, {"unknown": "not_asked"}).get("known")

    def answered_with(self, item, word):
        """Whether the item was answered `yes`, or `no`."""
        if self.excluded(item):
            return truth(word == "no")
        value = self.known(item)
        if value is None:
            return UNKNOWN
        return truth(value == word) if value in ("yes", "no") else corners.yes_no_of_another_kind()

    def has(self, item, option):
        if self.excluded(item):
            return NO
        value = self.known(item)
        if value is None:
            return UNKNOWN
        if not isinstance(value, dict):
            return NO
        return truth(value.get("choice") == option or option in value.get("choices", []))

    def number(self, item, low, high):
        if self.excluded(item):
            return NO
        value = self.known(item)
        if value is None:
            return UNKNOWN
        number = value.get("number") if isinstance(value, dict) else None
        return truth(number is not None and (low is None or low <= number) and (high is None or number <= high))

    def answered(self, item):
        if self.excluded(item):
            return corners.answered_when_not_applicable()
        return truth(self.known(item) is not None)

    # The person: from intake items alone; an item that the policy has not is an unknown part.

    def child(self):
        age = None
        if AGE in self.items:
            age = corners.age_when_not_applicable() if self.excluded(AGE) else self.known(AGE)
        return truth(age is None or age["age"]["from"] < ADULT_FROM)

    def person(self, test):
        if test in YES_NO_TESTS:
            item = YES_NO_TESTS[test]
            if item not in self.items:
                return UNKNOWN
            if self.excluded(item):
                return corners.yes_no_person_when_not_applicable()
            said = self.answered_with(item, "yes")
            return corners.unaccompanied(said, self.child) if test == "unaccompanied" else said
        if test == "children_along":
            if CHILDREN not in self.items:
                return UNKNOWN
            return corners.children_along_when_not_applicable() if self.excluded(CHILDREN) else \
                self.number(CHILDREN, 1, None)
        if test in ("female", "male"):
            if SEX not in self.items:
                return UNKNOWN
            return corners.sex_when_not_applicable() if self.excluded(SEX) else self.has(SEX, test)
        raise Refused(f"no test {test} of the person")

    # Conditions

    def condition(self, tree):
        name, of = next(iter(tree.items())) if isinstance(tree, dict) else (tree, None)
        match name:
            case "always":
                return YES
            case "all":
                return min(map(self.condition, of), default=corners.empty_all())
            case "any":
                return max(map(self.condition, of), default=corners.empty_any())
            case "at_least":
                return at_least(of["n"], map(self.condition, of["of"]))
            case "not":
                return opposite(self.condition(of))
            case "possible":
                return possible(self.condition(of))
            case _:
                return self.test(name, of)

    def test(self, name, of):
        match name:
            case "yes" | "no":
                return self.answered_with(of, name)
            case "has":
                return self.has(of["item"], of["option"])
            case "number":
                return self.number(of["item"], of.get("min"), of.get("max"))
            case "answered":
                return self.answered(of)
            case "child":
                return self.child()
            case "person":
                return self.person(of)
            case "indicator":
                return self.noted[of]
            case "noted":
                return self.some_noted(i["id"] for i in self.checklist["indicators"] if i["dimension"] == of)
            case "noted_any":
                return self.some_noted(self.noted)
            case "positive":
                return {"positive": YES, "negative": NO, "undetermined": UNKNOWN}[self.dimensions[of]]
            case _:
                raise Refused(f"{name} has no place in an assessment")

    def some_noted(self, indicators):
        return max((self.noted[i] for i in indicators), default=corners.empty_any())

    # Dimensions and outcomes

    def dimension(self, dimension):
        """By worst case (what is unknown is not there) and best case (all of it is)."""
        def reached(least):
            count = {weight: sum(i["dimension"] == dimension["id"] and i["weight"] == weight
                                 and self.noted[i["id"]] >= least for i in self.checklist["indicators"])
                     for weight in ("strong", "medium", "weak")}
            count["medium_or_weak"] = count["medium"] + count["weak"]
            count["any"] = count["strong"] + count["medium_or_weak"]
            return any(all(count[name] >= n for name, n in threshold.items()) for threshold in dimension["positive"])

        if reached(YES):
            return "positive"
        return "undetermined" if reached(UNKNOWN) else "negative"

    def outcomes(self):
        rules = [(rule["outcome"], self.condition(rule["when"])) for rule in self.checklist["rules"]]
        given = {outcome for outcome, holds in rules if holds == YES}
        if corners.unresolved_is_added(any(holds == UNKNOWN for _, holds in rules), given):
            given.add("concern_unresolved")
        if not given:
            given.add(corners.outcome_of_nothing_given(YES in self.noted.values(), UNKNOWN in self.noted.values()))
        return sorted(given, key=OUTCOMES.index)

    def result(self):
        return {"outcomes": self.outcomes(), "dimensions": self.dimensions,
                "indicators": {name: WORDS[value] for name, value in self.noted.items()}}


def assess(policy, checklist, answers):
    return Reading(policy, checklist, answers).result()
