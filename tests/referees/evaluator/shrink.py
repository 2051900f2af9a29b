"""Makes a differing case small: tries every single cut at once, keeps the first that still differs, again."""

import copy

LEAVES_WITH_ITEM = ("yes", "no", "answered")


def cuts(case):
    """Every case that is one cut smaller, big cuts first. Cuts that leave a name dangling are left out."""
    for place, key in [("checklist", "rules"), ("checklist", "indicators"), ("checklist", "dimensions"),
                       ("checklist", "items"), ("policy", "intake")]:
        for n in range(len(case[place][key])):
            less = copy.deepcopy(case)
            gone = less[place][key].pop(n)
            less["answers"].pop(gone["id"], None)
            yield less
    for name in case["answers"]:
        less = copy.deepcopy(case)
        del less["answers"][name]
        yield less
    for n, dimension in enumerate(case["checklist"]["dimensions"]):
        for m in range(len(dimension["positive"]) * (len(dimension["positive"]) > 1)):
            less = copy.deepcopy(case)
            del less["checklist"]["dimensions"][n]["positive"][m]
            yield less
    yield from condition_cuts(case)


def condition_cuts(case):
    for place, key, field in [("policy", "intake", "when"), ("checklist", "items", "when"),
                              ("checklist", "indicators", "from"), ("checklist", "rules", "when")]:
        for n, owner in enumerate(case[place][key]):
            if field not in owner:
                continue
            if key in ("intake", "items"):
                less = copy.deepcopy(case)
                del less[place][key][n]["when"]
                yield less
            for smaller in smaller_trees(owner[field]):
                less = copy.deepcopy(case)
                less[place][key][n][field] = smaller
                yield less


def smaller_trees(tree):
    """The tree with one node replaced by one of its parts, or with one part less."""
    if not isinstance(tree, dict):
        return
    name, of = next(iter(tree.items()))
    if name in ("not", "possible"):
        if name == "possible":
            yield of
        for part in smaller_trees(of):
            yield {name: part}
    elif name in ("all", "any", "at_least"):
        parts = of["of"] if name == "at_least" else of
        yield from parts
        for n, part in enumerate(parts):
            for smaller in smaller_trees(part):
                yield around(name, of, [*parts[:n], smaller, *parts[n + 1:]])
            if len(parts) > (of["n"] if name == "at_least" else 1):
                yield around(name, of, [*parts[:n], *parts[n + 1:]])


def around(name, of, parts):
    return {name: {"n": of["n"], "of": parts} if name == "at_least" else parts}


def whole(case):
    """No name dangles, and what must not be empty is not."""
    items = {i["id"] for i in [*case["policy"]["intake"], *case["checklist"]["items"]]}
    indicators = {i["id"] for i in case["checklist"]["indicators"]}
    dimensions = {d["id"] for d in case["checklist"]["dimensions"]}

    def sound(tree):
        if not isinstance(tree, dict):
            return True
        name, of = next(iter(tree.items()))
        match name:
            case "all" | "any":
                return all(map(sound, of))
            case "at_least":
                return all(map(sound, of["of"]))
            case "not" | "possible":
                return sound(of)
            case "has" | "number":
                return of["item"] in items
            case "indicator":
                return of in indicators
            case "noted" | "positive":
                return of in dimensions
        return of in items if name in LEAVES_WITH_ITEM else True

    every_item = [*case["policy"]["intake"], *case["checklist"]["items"]]
    trees = [i["when"] for i in every_item if "when" in i]
    trees += [i["from"] for i in case["checklist"]["indicators"]] + [r["when"] for r in case["checklist"]["rules"]]
    filled = all(case["checklist"][key] for key in ("items", "indicators", "dimensions", "rules"))
    return filled and all(map(sound, trees)) and all(i["dimension"] in dimensions for i in case["checklist"]["indicators"])


def shrink(case, still_differs, rounds=200):
    """`still_differs` takes many cases and says for each whether the two sides differ in the same way."""
    for _ in range(rounds):
        smaller = [c for c in cuts(case) if whole(c)]
        case_now = next((c for c, differs in zip(smaller, still_differs(smaller)) if differs), None)
        if case_now is None:
            return case
        case = case_now
    return case
