"""Cases written by hand; each expected result was reasoned from the documents, none was computed.

A case is a map with `name`, `policy`, `checklist`, `answers` and `expected`, of which only the parts that the
case is about are stated. All persons are synthetic.
"""

from .build import (ILO, UNKNOWN_REASONS, bands, checklist, dimension, indicator, item, known, number, options, policy,
                    rule, unknown)

YES, NO, OPEN = known("yes"), known("no"), unknown()
NONE, OPEN_CONCERN = ["none_noted_today"], ["concern_unresolved"]


def age(low, high):
    return known({"age": {"from": low, "to": high}})


AGE_ITEM = item("person-age", {"age": bands((0, 11), (12, 16), (17, 17), (17, 19), (18, 18), (18, 24), (25, 120))})
UNACCOMPANIED = item("person-unaccompanied", when="child")

# A small pack in the shape of the Palermo Protocol: act, means, exploitation; a child needs no means.
POLICY = policy([AGE_ITEM, UNACCOMPANIED, item("person-foreign")])
ELEMENTS = ["act", "means", "exploitation"]
CHECKLIST = checklist(
    [item(i) for i in ["hurt", *ELEMENTS, "wage", "fear"]],
    [indicator(f"sign-{e}", e, "strong", {"yes": e}) for e in ELEMENTS],
    [dimension(e, [{"strong": 1}]) for e in ELEMENTS],
    [rule("urgent", "urgent_safety", {"yes": "hurt"}),
     rule("child", "child_protection", {"all": ["child", {"possible": "noted_any"}]}),
     rule("adult", "presumed", {"all": [{"positive": e} for e in ELEMENTS]}),
     rule("no-means", "presumed", {"all": ["child", {"positive": "act"}, {"positive": "exploitation"}]}),
     rule("labour", "labour_rights", {"yes": "wage"}),
     rule("return", "return_concern", {"yes": "fear"})])
ADULT_ALL_NO = {"person-age": age(25, 120), "person-foreign": NO} | {i["id"]: NO for i in CHECKLIST["items"]}


def palermo():
    def case(name, outcomes, changes, **more):
        answers = {k: v for k, v in (ADULT_ALL_NO | changes).items() if v is not None}
        return {"name": name, "policy": POLICY, "checklist": CHECKLIST, "answers": answers,
                "expected": {"outcomes": outcomes, **more}}

    no_means = {"act": YES, "exploitation": YES}
    yield case("all known, nothing noted", NONE, {})
    yield case("all known, nothing noted, a child", NONE, {"person-age": age(12, 16)})
    yield case("nothing answered at all", ["child_protection", "concern_unresolved"], dict.fromkeys(ADULT_ALL_NO),
               dimensions=dict.fromkeys(ELEMENTS, "undetermined"))
    for reason in UNKNOWN_REASONS:
        yield case(f"one sign {reason}, the rest no", OPEN_CONCERN, {"exploitation": unknown(reason)},
                   indicators={"sign-act": "no", "sign-means": "no", "sign-exploitation": "unknown"})
    yield case("one sign without an answer", OPEN_CONCERN, {"act": None})
    yield case("adult: act, means, exploitation", ["presumed"], {**no_means, "means": YES})
    yield case("adult without means", OPEN_CONCERN, no_means)
    yield case("adult of exactly 18 without means", OPEN_CONCERN, {**no_means, "person-age": age(18, 18)})
    for name, answer in [("a child", age(12, 16)), ("17", age(17, 17)), ("17 to 19", age(17, 19)),
                         ("age refused", unknown("refused")), ("age without an answer", None)]:
        yield case(f"means not needed: {name}", ["child_protection", "presumed"], {**no_means, "person-age": answer})
    yield case("transit: act and means, exploitation unknown", OPEN_CONCERN,
               {"act": YES, "means": YES, "exploitation": unknown("not_observable")},
               dimensions={"act": "positive", "means": "positive", "exploitation": "undetermined"})
    yield case("transit: act, the rest unknown", OPEN_CONCERN, {"act": YES, "means": OPEN, "exploitation": OPEN})
    yield case("transit: act, no means, exploitation unknown", OPEN_CONCERN, {"act": YES, "exploitation": OPEN})
    yield case("transit of a child", ["child_protection", "concern_unresolved"],
               {"act": YES, "exploitation": OPEN, "person-age": age(12, 16)})
    yield case("urgent alone", ["urgent_safety"], {"hurt": YES})
    yield case("urgent not known", OPEN_CONCERN, {"hurt": unknown("interrupted")})
    yield case("labour rights alone", ["labour_rights"], {"wage": YES})
    yield case("fear of return refused", OPEN_CONCERN, {"fear": unknown("refused")})
    yield case("labour rights while fear of return is unknown", ["concern_unresolved", "labour_rights"],
               {"wage": YES, "fear": OPEN})
    yield case("presumed is not weakened by what is unknown", ["presumed"], {**no_means, "means": YES, "fear": OPEN})
    yield case("several at once, most urgent first",
               ["urgent_safety", "child_protection", "presumed", "labour_rights", "return_concern"],
               {**no_means, "hurt": YES, "wage": YES, "fear": YES, "person-age": age(0, 11)})


def ilo():
    """The 80 cases of research section 1.3. The table is stated, not computed: a row for S and M, W from 0 to 3."""
    table = {(0, 0): "----", (0, 1): "----", (0, 2): "-+++", (0, 3): "++++", (0, 4): "++++",
             (1, 0): "-+++", (1, 1): "++++", (1, 2): "++++", (1, 3): "++++", (1, 4): "++++"}
    table |= {(s, m): "++++" for s in (2, 3) for m in range(5)}
    names = [f"s{n}" for n in range(3)] + [f"m{n}" for n in range(4)] + [f"w{n}" for n in range(3)]
    weights = {"s": "strong", "m": "medium", "w": "weak"}
    pack = checklist([item(n) for n in names], [indicator(n, "d", weights[n[0]], {"yes": n}) for n in names],
                     [dimension("d", ILO)], [rule("r", "presumed", {"positive": "d"})])
    for (s, m), row in table.items():
        for w, sign in enumerate(row):
            there = {f"s{n}" for n in range(s)} | {f"m{n}" for n in range(m)} | {f"w{n}" for n in range(w)}
            outcomes = ["presumed"] if sign == "+" else OPEN_CONCERN if there else NONE
            yield {"name": f"ILO S={s} M={m} W={w}", "policy": policy([]), "checklist": pack,
                   "answers": {n: YES if n in there else NO for n in names},
                   "expected": {"outcomes": outcomes, "dimensions": {"d": "positive" if sign == "+" else "negative"}}}


def probe(name, truth, condition, answers, items=(), intake=()):
    """One rule and nothing else open: the outcome tells whether its condition is yes, unknown or no."""
    outcomes = {"yes": ["labour_rights"], "unknown": OPEN_CONCERN, "no": NONE}[truth]
    pack = checklist([*items, item("quiet")], [indicator("quiet", "quiet", "weak", {"yes": "quiet"})],
                     [dimension("quiet", [{"any": 1}])], [rule("r", "labour_rights", condition)])
    return {"name": name, "policy": policy(list(intake)), "checklist": pack, "answers": {"quiet": NO, **answers},
            "expected": {"outcomes": outcomes}}


def conditions():
    abc = [item("a"), item("b"), item("c")]
    parts = [{"yes": "a"}, {"yes": "b"}, {"yes": "c"}]

    def over_abc(name, truth, condition, a, b, c):
        return probe(name, truth, condition, {"a": a, "b": b, "c": c}, abc)
    two = {"at_least": {"n": 2, "of": parts}}
    yield over_abc("two of yes, yes, unknown", "yes", two, YES, YES, OPEN)
    yield over_abc("two of yes, no, unknown", "unknown", two, YES, NO, OPEN)
    yield over_abc("two of no, no, unknown", "no", two, NO, NO, OPEN)
    yield over_abc("all with one no", "no", {"all": parts}, OPEN, YES, NO)
    yield over_abc("all with one unknown", "unknown", {"all": parts}, OPEN, YES, YES)
    yield over_abc("any with one yes", "yes", {"any": parts}, OPEN, YES, NO)
    yield over_abc("any with one unknown", "unknown", {"any": parts}, OPEN, NO, NO)
    yield over_abc("not of unknown", "unknown", {"not": {"yes": "a"}}, OPEN, NO, NO)
    yield over_abc("possible of unknown", "yes", {"possible": {"yes": "a"}}, OPEN, NO, NO)
    yield over_abc("possible of no", "no", {"possible": {"yes": "a"}}, NO, NO, NO)
    yield over_abc("no() of no", "yes", {"no": "a"}, NO, NO, NO)
    yield over_abc("no() of unknown", "unknown", {"no": "a"}, OPEN, NO, NO)
    yield over_abc("answered with a no", "yes", {"answered": "a"}, NO, OPEN, OPEN)
    # decided it is no, kept it is unknown: the answer may still come
    yield over_abc("answered of refused", "unknown", {"answered": "a"}, unknown("refused"), NO, NO)
    yield over_abc("not answered, of refused", "yes", {"not": {"answered": "a"}}, unknown("refused"), NO, NO)
    # decided it is no, but whoever must be certain keeps the doubt
    yield over_abc("not possible of unknown", "unknown", {"not": {"possible": {"yes": "a"}}}, OPEN, NO, NO)
    yield over_abc("not possible of no", "yes", {"not": {"possible": {"yes": "a"}}}, NO, NO, NO)
    yield over_abc("all of nothing", "yes", {"all": []}, NO, NO, NO)
    yield over_abc("any of nothing", "no", {"any": []}, NO, NO, NO)
    yield over_abc("always", "yes", "always", OPEN, OPEN, OPEN)

    many = [item("m", {"choices": options("x", "y")})]
    held = {"has": {"item": "m", "option": "x"}}
    yield probe("choices hold it", "yes", held, {"m": known({"choices": ["x", "y"]})}, many)
    yield probe("none of these", "no", held, {"m": known({"choices": []})}, many)
    yield probe("choices not known", "unknown", held, {"m": OPEN}, many)
    one = [item("m", {"choice": options("x", "y")})]
    yield probe("another choice", "no", held, {"m": known({"choice": "y"})}, one)
    hours = [item("n", number(0, 20))]
    for said, truth in [(2, "no"), (3, "yes"), (5, "yes"), (6, "no")]:
        within = {"number": {"item": "n", "min": 3, "max": 5}}
        yield probe(f"{said} within 3..5", truth, within, {"n": known({"number": said})}, hours)
    # a value of another kind than the test asks for says nothing
    yield probe("has of a number", "unknown", held, {"m": known({"number": 3})}, one)
    yield probe("number of a choice", "unknown", {"number": {"item": "n", "max": 9}},
                {"n": known({"choice": "x"})}, hours)
    yield over_abc("no() of a choice", "unknown", {"no": "a"}, known({"choice": "x"}), NO, NO)
    yield over_abc("answered with a choice", "yes", {"answered": "a"}, known({"choice": "x"}), NO, NO)


def applicability():
    """An item whose `when` is known to be false counts as "no", whatever was answered before."""
    chain = [item("q"), item("d", when={"yes": "q"}), item("e", when={"yes": "d"})]
    yield probe("an answer to what does not apply", "no", {"yes": "d"}, {"q": NO, "d": YES}, chain)
    yield probe("no answer to what does not apply", "no", {"yes": "d"}, {"q": NO}, chain)
    # nobody said that no: a rule does not see it, a later `when` does
    yield probe("what does not apply is no no in a rule", "no", {"no": "d"}, {"q": NO, "d": NO}, chain)
    yield probe("nor is it answered", "no", {"answered": "d"}, {"q": NO, "d": YES}, chain)
    after_no = [*chain, item("f", when={"no": "d"}), item("g", when={"answered": "d"})]
    yield probe("what does not apply is a no in a when", "yes", {"yes": "f"}, {"q": NO, "d": YES, "f": YES}, after_no)
    yield probe("but not answered in a when", "no", {"yes": "g"}, {"q": NO, "d": YES, "g": YES}, after_no)
    # f applies whether d applies and is "no", or does not apply: no doubt is left to keep
    yield probe("no() in a when is not yes()", "no", {"not": {"yes": "f"}}, {"q": OPEN, "d": NO, "f": YES}, after_no)
    yield probe("what does not apply makes the next not apply", "no", {"yes": "e"},
                {"q": NO, "d": YES, "e": YES}, chain)
    yield probe("not known whether it applies, answered", "yes", {"yes": "d"}, {"q": OPEN, "d": YES}, chain)
    yield probe("not known whether it applies, no answer", "unknown", {"yes": "d"}, {"q": OPEN}, chain)
    # its yes is not certain, so that its opposite is not certain either; its no is certain both ways
    yield probe("not known whether it applies, opposite of yes", "unknown", {"not": {"yes": "d"}},
                {"q": OPEN, "d": YES}, chain)
    yield probe("not known whether it applies, opposite of no", "yes", {"not": {"yes": "d"}},
                {"q": OPEN, "d": NO}, chain)
    yield probe("not known whether it applies, not answered", "unknown", {"not": {"answered": "d"}},
                {"q": OPEN, "d": YES}, chain)
    of_kind = [item("q"), item("m", {"choice": options("x", "y")}, {"yes": "q"}), item("n", number(0, 9), {"yes": "q"})]
    said = {"q": NO, "m": known({"choice": "x"}), "n": known({"number": 4})}
    yield probe("a choice that does not apply", "no", {"has": {"item": "m", "option": "x"}}, said, of_kind)
    yield probe("a number that does not apply", "no", {"number": {"item": "n", "max": 9}}, said, of_kind)


def person():
    def test(name, truth, which, answers, intake):
        return probe(name, truth, which if which == "child" else {"person": which}, answers, intake=intake)
    yield test("no age asked by the policy", "yes", "child", {}, [])
    yield test("an adult", "no", "child", {"person-age": age(18, 24)}, [AGE_ITEM])
    yield test("perhaps an adult", "yes", "child", {"person-age": age(17, 19)}, [AGE_ITEM])
    for name, truth, answers in [("perhaps an adult", "unknown", {"person-age": age(17, 19)}),
                                 ("an adult", "yes", {"person-age": age(18, 18)}),
                                 ("a child", "no", {"person-age": age(17, 17)}), ("no age", "unknown", {}),
                                 ("an age out of order", "unknown", {"person-age": age(30, 20)}),
                                 ("an age past 120", "unknown", {"person-age": age(100, 121)})]:
        yield probe(f"a rule for adults: {name}", truth, {"not": "child"}, answers, intake=[AGE_ITEM])
    family = [AGE_ITEM, UNACCOMPANIED]
    yield test("unaccompanied is not asked of an adult", "no", "unaccompanied",
               {"person-age": age(25, 120), "person-unaccompanied": YES}, family)
    yield test("unaccompanied child", "yes", "unaccompanied", {"person-unaccompanied": YES}, family)
    yield test("unaccompanied not known", "unknown", "unaccompanied", {}, family)
    yield test("foreign not known", "unknown", "foreign", {"person-foreign": unknown("refused")},
               [item("person-foreign")])
    yield test("foreign", "yes", "foreign", {"person-foreign": YES}, [item("person-foreign")])
    yield test("offence not suspected", "no", "offence_suspected", {"person-offence": NO}, [item("person-offence")])
    for count, truth in [(0, "no"), (1, "yes"), (255, "yes"), (256, "unknown"), (-1, "unknown")]:
        yield test(f"{count} children along", truth, "children_along",
                   {"person-children": known({"number": count})}, [item("person-children", number(0, 20))])
    sex = [item("person-sex", {"choice": options("female", "male", "other")})]
    for said, which, truth in [("female", "female", "yes"), ("male", "female", "no"), ("other", "male", "no")]:
        yield test(f"{said} is {which}", truth, which, {"person-sex": known({"choice": said})}, sex)
    yield test("sex not known", "unknown", "male", {"person-sex": OPEN}, sex)


def person_in_doubt():
    """Intake items that do not or may not apply, after an item that says whether."""
    intake = [item("person-foreign"), item("person-offence", when={"yes": "person-foreign"}),
              item("person-sex", {"choice": options("female", "male")}, {"yes": "person-foreign"}),
              item("person-children", number(0, 20), {"yes": "person-foreign"}),
              item("person-age", AGE_ITEM["kind"], {"yes": "person-foreign"})]

    def test(name, truth, condition, foreign, answers):
        return probe(name, truth, condition, {"person-foreign": foreign, **answers}, intake=intake)
    offence, female, along = ({"person": t} for t in ("offence_suspected", "female", "children_along"))
    woman, two, adult = known({"choice": "female"}), known({"number": 2}), age(18, 24)
    yield test("offence does not apply", "no", offence, NO, {"person-offence": YES})
    yield test("sex does not apply", "unknown", female, NO, {"person-sex": woman})
    yield test("children do not apply", "unknown", along, NO, {"person-children": two})
    yield test("age does not apply", "yes", "child", NO, {"person-age": adult})
    # decided the answer counts; kept only a "no" does, because it is one however the doubt ends
    yield test("offence may apply: yes", "yes", offence, OPEN, {"person-offence": YES})
    yield test("offence may apply: opposite of yes", "unknown", {"not": offence}, OPEN, {"person-offence": YES})
    yield test("offence may apply: no", "no", offence, OPEN, {"person-offence": NO})
    yield test("sex may apply", "unknown", {"not": female}, OPEN, {"person-sex": woman})
    yield test("children may apply: none", "unknown", along, OPEN, {"person-children": known({"number": 0})})
    yield test("age may apply", "unknown", "child", OPEN, {"person-age": adult})


def outcomes():
    """Which outcomes stand together, and what stands where no rule gives any."""
    def case(name, expected, rules, shown_by=None, **answers):
        pack = checklist([item("a"), item("b"), item("q"), item("d", when={"yes": "q"})],
                         [indicator("s", "d", "strong", shown_by or {"yes": "a"})], [dimension("d", [{"strong": 1}])],
                         [rule(f"r{n}", *r) for n, r in enumerate(rules)])
        return {"name": name, "policy": policy([]), "checklist": pack, "answers": answers, "expected": expected}
    a, b, sign, away = {"yes": "a"}, {"yes": "b"}, {"indicator": "s"}, {"not": {"noted": "d"}}
    yield case("another rule gave it", {"outcomes": ["labour_rights"]},
               [("labour_rights", a), ("labour_rights", b)], a=YES, b=OPEN)
    yield case("another rule may give another", {"outcomes": ["concern_unresolved", "labour_rights"]},
               [("labour_rights", a), ("return_concern", b)], a=YES, b=OPEN)
    yield case("presumed silences unresolved", {"outcomes": ["presumed"]},
               [("presumed", a), ("return_concern", b)], a=YES, b=OPEN)
    yield case("presumed beside unresolved of its own rule", {"outcomes": ["presumed", "concern_unresolved"]},
               [("presumed", a), ("concern_unresolved", a)], a=YES)
    # decided "not answered" is no, kept it is open: an indicator takes the greater
    yield case("an indicator is the greater of both", {"outcomes": OPEN_CONCERN, "indicators": {"s": "unknown"}},
               [("labour_rights", b)], {"answered": "a"}, b=NO)
    # the sign is noted, but only because doubt was decided: that nothing is noted may still turn out true
    given = ("return_concern", b)
    yield case("a sign of what may not apply", {"outcomes": ["concern_unresolved", "return_concern"],
                                                       "indicators": {"s": "yes"}},
               [given, ("labour_rights", away)], {"yes": "d"}, b=YES, q=OPEN, d=YES)
    yield case("a sign of what applies", {"outcomes": ["return_concern"], "indicators": {"s": "yes"}},
               [given, ("labour_rights", away)], {"yes": "d"}, b=YES, q=YES, d=YES)
    yield case("noted, and no rule for it", {"outcomes": OPEN_CONCERN, "dimensions": {"d": "positive"}}, [], a=YES)
    refused = {"error": "refused"}
    for name, under in [("an indicator", sign), ("a dimension", {"positive": "d"}), ("noted", {"noted": "d"}),
                        ("any sign", "noted_any"), ("a sign deeper down", {"any": [b, {"possible": sign}]})]:
        yield case(f"presumed without {name}", refused, [("presumed", {"not": under})], a=NO)
    yield case("presumed without an item", {"outcomes": ["presumed"]}, [("presumed", {"not": a})], a=NO)
    yield case("a rule for nothing noted", refused, [("none_noted_today", a)], a=YES)


def all_cases():
    return [*palermo(), *ilo(), *conditions(), *applicability(), *person(), *person_in_doubt(), *outcomes()]
