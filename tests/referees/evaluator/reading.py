"""A set of answers as it is read: items, person, conditions, dimensions (schema/ASSESSMENT.md).

It must never be written by looking at the product's evaluator: two copies of one mistake agree.
"""

from .kleene import NO, UNKNOWN, YES, at_least, opposite, possible, truth

YES_NO_PERSON = {"foreign": "person-foreign", "unaccompanied": "person-unaccompanied",
                 "offence_suspected": "person-offence"}
ADULT_FROM, AGE_MOST, CHILDREN_MOST = 18, 120, 255


class Refused(Exception):
    """A pack without meaning: an unknown name, a circle, a test or a rule that has no place in an assessment."""


class Reading:
    """One set of answers, read in one of the two ways that `Decided` and `Kept` say."""

    def __init__(self, policy, checklist, answers):
        self.intake = {item["id"]: item for item in policy["intake"]}
        self.items = self.intake | {item["id"]: item for item in checklist["items"]}
        self.checklist = checklist
        self.answers = answers
        self.applies_memo = {}
        self.signs = {}

    # Items

    def applies(self, item):
        """Whether the item applies: its `when`, and yes without one."""
        if item not in self.items:
            raise Refused(f"no item {item}")
        if item not in self.applies_memo:
            self.applies_memo[item] = None
            self.applies_memo[item] = self.condition(self.items[item].get("when", "always"), in_when=True)
        if self.applies_memo[item] is None:
            raise Refused(f"{item} depends on itself")
        return self.applies_memo[item]

    def known(self, item):
        """The known value, or None."""
        return self.answers.get(item, {}).get("known")

    def item_test(self, item, of_value, of_nothing=UNKNOWN):
        """`of_value` says what a known value makes of the test; `of_nothing` is its truth where none is known."""
        applies, value = self.applies(item), self.known(item)
        if applies == NO:
            return NO
        result = of_nothing if value is None else of_value(value)
        return self.while_open(result) if applies == UNKNOWN else result

    def answered_with(self, item, word):
        return self.item_test(item, lambda value: truth(value == word) if value in ("yes", "no") else UNKNOWN)

    def has(self, item, option):
        def held(value):
            match value:
                case {"choice": one}:
                    return truth(one == option)
                case {"choices": many}:
                    return truth(option in many)
            return UNKNOWN
        return self.item_test(item, held)

    def number(self, item, low, high):
        def within(value):
            match value:
                case {"number": n}:
                    return truth((low is None or low <= n) and (high is None or n <= high))
            return UNKNOWN
        return self.item_test(item, within)

    # The person

    def counts(self, name):
        """The value of an intake item as it counts for the person, or None."""
        if name not in self.intake:
            return None
        kind = self.intake[name]["kind"]
        nothing = "no" if kind == "yes_no" else {"choices": []} if "choices" in kind else None
        applies, value = self.applies(name), self.known(name)
        if applies == NO:
            return nothing
        return self.counts_while_open(value, nothing) if applies == UNKNOWN else value

    def child(self):
        match self.counts("person-age"):
            case {"age": {"from": low, "to": high}} if low <= high <= AGE_MOST:
                return self.child_of(low, high)
        return self.child_of(0, AGE_MOST)

    def person(self, test):
        value = self.counts(YES_NO_PERSON.get(test, "person-children" if test == "children_along" else "person-sex"))
        match value:
            case "yes" | "no" if test in YES_NO_PERSON:
                return truth(value == "yes")
            case {"number": n} if test == "children_along" and 0 <= n <= CHILDREN_MOST:
                return truth(n > 0)
            case {"choice": sex} if test in ("female", "male"):
                return truth(sex == test)
        return UNKNOWN

    # Conditions

    def condition(self, tree, in_when=False):
        """The truth of a condition; `in_when` is true for the `when` of an item, where `no(i)` is `not yes(i)`."""
        name, of = next(iter(tree.items())) if isinstance(tree, dict) else (tree, None)
        match name:
            case "always":
                return YES
            case "all":
                return min((self.condition(part, in_when) for part in of), default=YES)
            case "any":
                return max((self.condition(part, in_when) for part in of), default=NO)
            case "at_least":
                return at_least(of["n"], [self.condition(part, in_when) for part in of["of"]])
            case "not":
                return opposite(self.condition(of, in_when))
            case "possible":
                return self.possible(self.condition(of, in_when))
            case "no" if in_when:
                return opposite(self.answered_with(of, "yes"))
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
                return self.item_test(of, lambda _: YES, self.answered_nothing())
            case "child":
                return self.child()
            case "person":
                return self.person(of)
            case "indicator":
                return self.signs[of]
            case "noted":
                return max((self.signs[i["id"]] for i in self.checklist["indicators"] if i["dimension"] == of), default=NO)
            case "noted_any":
                return max(self.signs.values(), default=NO)
            case "positive":
                return self.dimension(next(d for d in self.checklist["dimensions"] if d["id"] == of))
            case _:
                raise Refused(f"{name} has no place in an assessment")

    def dimension(self, dimension):
        """Yes for positive, unknown for undetermined, no for negative."""
        def reached(least):
            count = {weight: sum(i["dimension"] == dimension["id"] and i["weight"] == weight
                                 and self.signs[i["id"]] >= least for i in self.checklist["indicators"])
                     for weight in ("strong", "medium", "weak")}
            count["medium_or_weak"] = count["medium"] + count["weak"]
            count["any"] = count["strong"] + count["medium_or_weak"]
            return any(all(count[name] >= n for name, n in threshold.items()) for threshold in dimension["positive"])
        return YES if reached(YES) else UNKNOWN if reached(UNKNOWN) else NO


class Decided(Reading):
    """Doubt is decided for the person."""

    def child_of(self, low, _):
        return truth(low < ADULT_FROM)

    def possible(self, value):
        return possible(value)

    def answered_nothing(self):
        return NO

    def while_open(self, result):
        return result

    def counts_while_open(self, value, _):
        return value


class Kept(Reading):
    """Doubt stays unknown: what is yes or no stays so however the open answers turn out."""

    def child_of(self, low, high):
        return UNKNOWN if low < ADULT_FROM <= high else truth(low < ADULT_FROM)

    def possible(self, value):
        return value

    def answered_nothing(self):
        return UNKNOWN

    def while_open(self, result):
        return min(result, UNKNOWN)

    def counts_while_open(self, value, nothing):
        return value if value == nothing else None
