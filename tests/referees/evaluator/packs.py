"""Random packs and random answers, within what the documents allow a pack to say.

Each of `FEATURES` can be left out, to find which one a difference comes from.
"""

from . import build
from .meaning import OUTCOMES

FEATURES = {"intake_refs", "answered_in_from", "not_in_rules", "possible", "always", "when_on_intake",
            "empty_dimensions", "unreachable_at_least", "empty_groups", "odd_answers"}

EXPLOITATION = ["labour", "sexual", "domestic", "begging", "offences", "marriage", "organs", "other"]
AGE_CUTS = [12, 15, 16, 17, 18, 19, 20, 25, 60]
PERSON_ITEMS = {"foreign": "person-foreign", "unaccompanied": "person-unaccompanied",
                "offence_suspected": "person-offence", "children_along": "person-children",
                "female": "person-sex", "male": "person-sex"}
INTAKE_KINDS = {
    "person-age": lambda rng: age_bands(rng),
    "person-sex": lambda rng: {"choice": build.options("female", "male", "other")},
    "person-languages": lambda rng: {"choices": build.options("es", "en", "ht", "pt-br", "ay")},
    "person-children": lambda rng: build.number(0, 20),
    "person-unaccompanied": lambda rng: "yes_no",
    "person-foreign": lambda rng: "yes_no",
    "person-offence": lambda rng: "yes_no",
    "person-exploitation": lambda rng: {"choices": build.options(*EXPLOITATION)},
}


def age_bands(rng):
    """Bands that cover 0 to 120 without overlap; some hold both 17 and 18."""
    starts = [0, *sorted(rng.sample(AGE_CUTS, rng.randint(1, 4)))]
    return {"age": build.bands(*zip(starts, [s - 1 for s in starts[1:]] + [120]))}


# How answers come out: share without any answer, share unknown, share of yes among the known.
PROFILES = [(0, 0, 0), (0, 0, 0), (0, 0, 0.1), (0, 0, 0.5), (0, 0, 1), (1, 0, 0), (0, 1, 0), (0.1, 0.1, 0.05),
            (0.1, 0.1, 0.5), (0.3, 0.2, 0.3), (0, 0.4, 0), (0.3, 0, 1), (0, 0.05, 0), (0.05, 0.05, 0.9)]


class Writer:
    """Writes one pack: conditions over what may be looked at from where they stand. A sober pack has only signs
    that a "no" takes away, as real ones have; without these, nothing noted would hardly ever come out."""

    def __init__(self, rng, features):
        self.rng, self.features, self.sober = rng, features, rng.random() < 0.4

    def item_test(self, item, answered=True):
        rng, name, kind = self.rng, item["id"], item["kind"]
        if answered and rng.random() < 0.07 or kind == "date":
            return {"answered": name}
        if kind == "yes_no":
            return {"yes" if self.sober or rng.random() < 0.75 else "no": name}
        if "choice" in kind or "choices" in kind:
            of = kind.get("choice") or kind["choices"]
            return {"has": {"item": name, "option": rng.choice(of)["id"]}}
        if "number" in kind:
            low, high = kind["number"]["min"], kind["number"]["max"]
            a, b = sorted(rng.randint(low, high) for _ in "ab")
            bounds = rng.choice([{"min": a}, {"max": b}, {"min": a, "max": b}, {"min": a, "max": a}])
            return {"number": {"item": name, **bounds}}
        return {"answered": name}

    def tree(self, depth, leaf, forms):
        """A condition of at most `depth` levels, of the allowed `forms`, with leaves from `leaf(inside_not)`."""
        return self.node(depth, leaf, forms, False)

    def node(self, depth, leaf, forms, negated):
        rng = self.rng
        form = rng.choice(forms) if depth > 1 and rng.random() < 0.6 else "leaf"
        if form == "leaf":
            return leaf(negated)
        if form in ("not", "possible"):
            return {form: self.node(depth - 1, leaf, forms, negated or form == "not")}
        parts = [self.node(depth - 1, leaf, forms, negated) for _ in range(rng.randint(1, 4))]
        if "empty_groups" in self.features and rng.random() < 0.1:
            parts = []
        if form == "at_least":
            most = len(parts) + ("unreachable_at_least" in self.features)
            return {"at_least": {"n": rng.randint(1, max(most, 1)), "of": parts}}
        return {form: parts}

    def forms(self, *names):
        return [n for n in names if n != "possible" or "possible" in self.features]

    def person_leaf(self, seen, whole_intake):
        """A test of the person that looks only at what comes earlier."""
        aged = "person-age" in seen or "person-age" not in whole_intake
        tests = [{"person": t} for t, i in [*PERSON_ITEMS.items(), ("children_along", "person-children")]
                 if (i in seen or i not in whole_intake) and (aged or t != "unaccompanied")]
        if aged:
            tests += ["child"] * 3
        if "always" in self.features:
            tests.append("always")
        return self.rng.choice(tests) if tests else None

    def when(self, earlier, whole_intake):
        seen = {i["id"] for i in earlier}

        def leaf(_):
            person = self.person_leaf(seen, whole_intake)
            if earlier and (person is None or self.rng.random() < 0.55):
                return self.item_test(self.rng.choice(earlier))
            return person
        if not earlier and self.person_leaf(seen, whole_intake) is None:
            return None
        return self.tree(self.rng.randint(1, 3), leaf, self.forms("all", "any", "at_least", "not", "not", "possible"))

    def intake(self):
        rng = self.rng
        names = rng.sample(list(INTAKE_KINDS), rng.choice([0, 2, 4, 6, 8, 8]))
        if "person-age" in names and rng.random() < 0.5:
            names.sort(key=lambda n: n != "person-age")
        items = []
        for name in names:
            conditional = "when_on_intake" in self.features and rng.random() < 0.5
            when = self.when(items, names) if conditional else None
            if name == "person-unaccompanied" and rng.random() < 0.5 and "person-age" in [i["id"] for i in items]:
                when = "child"
            items.append(build.item(name, INTAKE_KINDS[name](rng), when))
        return items

    def kind(self):
        rng = self.rng
        some = build.options(*[f"o{n}" for n in range(rng.randint(2, 4))])
        low = rng.randint(-3, 5)
        return rng.choice(["yes_no"] * 6 + [{"choice": some}, {"choices": some}, build.number(low, low + rng.randint(1, 9)),
                          age_bands(rng), {"short_text": {"chars_max": 40}}, "date"])

    def items(self, intake):
        rng = self.rng
        count = rng.choice([rng.randint(3, 8), rng.randint(3, 25)])
        observed = rng.randint(0, count)
        items = []
        for n in range(count):
            earlier = [*(intake if "intake_refs" in self.features else []), *items]
            when = self.when(earlier, []) if rng.random() < 0.35 else None
            mode = "observe" if n < observed else rng.choice(["ask", "ask", "staff"])
            items.append(build.item(f"i{n}", self.kind(), when, mode))
        return items

    def indicators(self, items, dimensions):
        rng = self.rng
        count = rng.randint(max(1, len(dimensions)), 15)
        answered = "answered_in_from" in self.features and not self.sober
        yes_no = [i for i in items if i["kind"] == "yes_no"] or items
        sources = items if answered else yes_no
        deep = rng.random() < 0.5

        def leaf(_):
            return self.item_test(rng.choice(yes_no if rng.random() < 0.7 else sources), answered)
        made = []
        for n in range(count):
            where = dimensions[n] if n < len(dimensions) else rng.choice(dimensions)
            if "empty_dimensions" in self.features:
                where = rng.choice(dimensions)
            shown_by = self.tree(4 if deep else 1, leaf, ["all", "any", "any", "at_least"])
            made.append(build.indicator(f"s{n}", where, rng.choice(["strong", "medium", "weak"]), shown_by))
        return made

    def thresholds(self):
        rng = self.rng
        if rng.random() < 0.4:
            return build.ILO
        fields = ["strong", "medium", "weak", "medium_or_weak", "any"]
        return [{f: rng.randint(1, 3) for f in rng.sample(fields, rng.choice([1, 1, 2, 3]))}
                for _ in range(rng.randint(1, 4))]

    def rule(self, n, items, indicators, dimensions, plain):
        rng = self.rng
        outcome = rng.choice(OUTCOMES[:-1])
        likely = self.sober and [i for i in items if i["kind"] == "yes_no"] or items

        def leaf(negated):
            what = rng.random()
            if what < 0.55 and not (negated and outcome == "presumed"):
                where = rng.choice(dimensions)
                sign = rng.choice([{"positive": where}, {"positive": where}, {"positive": where}, {"noted": where},
                                   "noted_any", {"indicator": rng.choice(indicators)["id"]}])
                return {"not": sign} if outcome != "presumed" and not plain and rng.random() < 0.4 else sign
            if what < 0.72 or self.sober and what < 0.9:
                return self.item_test(rng.choice(likely), not self.sober)
            return self.person_leaf([], [])
        forms = self.forms("all", "any", "at_least", *([] if plain else ["not", "possible"]))
        return build.rule(f"r{n}", outcome, self.tree(rng.randint(1, 4), leaf, forms))

    def pack(self):
        rng = self.rng
        intake = self.intake()
        items = self.items(intake)
        dimensions = [f"d{n}" for n in range(rng.randint(1, 4))]
        indicators = self.indicators(items, dimensions)
        reachable = [*items, *(intake if "intake_refs" in self.features else [])]
        plain = "not_in_rules" not in self.features or self.sober or rng.random() < 0.3
        rules = [self.rule(n, reachable, indicators, dimensions, plain) for n in range(rng.randint(1, 6))]
        whole = [build.dimension(d, self.thresholds()) for d in dimensions]
        return build.policy(intake), build.checklist(items, indicators, whole, rules)


def value(rng, kind, share_yes):
    if kind == "yes_no":
        return "yes" if rng.random() < share_yes else "no"
    if kind == "date":
        return {"date": f"2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"}
    name, of = next(iter(kind.items()))
    match name:
        case "choice":
            return {"choice": rng.choice(of)["id"]}
        case "choices":
            return {"choices": sorted(o["id"] for o in of if rng.random() < share_yes)}
        case "number":
            return {"number": rng.randint(of["min"], of["max"])}
        case "age":
            band = rng.choice(of)
            return {"age": {"from": band["from"], "to": band["to"]}}
        case "short_text":
            return {"text": "synthetic"}


def odd(rng, item):
    """A value that the item does not take: of another kind, or out of the bounds of the person."""
    options = next(iter(item["kind"].values())) if isinstance(item["kind"], dict) else []
    some = rng.choice(options)["id"] if isinstance(options, list) and options and "id" in options[0] else "x"
    age = {"age": {"from": rng.randint(0, 30), "to": rng.choice([16, 17, 18, 120, 121, 200])}}
    number = {"number": rng.choice([-1, 0, 255, 256, 256])}
    if rng.random() < 0.7 and ("age" in item["kind"] or "number" in item["kind"]):
        return age if "age" in item["kind"] else number
    return rng.choice(["yes", "no", {"choice": some}, {"choices": [some]}, {"choices": []},
                       {"text": "synthetic"}, {"date": "2026-01-11"}, age, number])


def answers(rng, policy, checklist, features):
    """One set of answers; also to items that will not apply, since these must not count."""
    absent, unknown, share_yes = rng.choice(PROFILES)
    strange = "odd_answers" in features and rng.random() < 0.3
    given = {}
    for item in [*policy["intake"], *checklist["items"]]:
        if rng.random() < absent:
            continue
        if rng.random() < unknown:
            given[item["id"]] = build.unknown(rng.choice(build.UNKNOWN_REASONS))
        elif strange and rng.random() < (0.6 if item["id"] in INTAKE_KINDS else 0.3):
            given[item["id"]] = build.known(odd(rng, item))
        else:
            given[item["id"]] = build.known(value(rng, item["kind"], share_yes))
    return given
