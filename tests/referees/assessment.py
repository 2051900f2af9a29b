#!/usr/bin/env python3
"""A second opinion on assessments: runs `evaluator` and the product over the same cases and compares every line.

`evaluator` was written from schema/ASSESSMENT.md alone. Cases written by hand come first and
are held against their stated results too; then random packs with random answers. Standard library only.

    python3 tests/referees/assessment.py --self-test
    python3 tests/referees/assessment.py --cases 10000 [--seed N] [--keep FILE]

The product's side is `target/debug/examples/assess`: a line {"policy", "checklist", "answers"} in, a line
{"outcomes", "dimensions", "indicators"} or {"error"} out.
"""

import argparse
import collections
import json
import pathlib
import random
import secrets
import shutil
import subprocess
import sys
import tempfile

from evaluator import cases, packs, selftest
from evaluator.meaning import agrees, assess
from evaluator.shrink import shrink

PRODUCT = pathlib.Path(__file__).parents[2] / "target/debug/examples/assess"
ANSWER_SETS = 20
SHOWN = 2
TIMEOUT_SECONDS = 900
NO_LINE = {"error": "no line"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=pathlib.Path, help="keep the lines that the product is given in this file")
    parser.add_argument("--product", default=str(PRODUCT), help="the program to compare with")
    parser.add_argument("--without", action="append", default=[], choices=sorted(packs.FEATURES),
                        help="do not generate this feature")
    parser.add_argument("--self-test", action="store_true", help="test this side alone")
    parser.add_argument("--serve", action="store_true", help="answer lines as the product does, to try the driver")
    return parser.parse_args()


def serve():
    for line in sys.stdin:
        case = json.loads(line)
        print(json.dumps(assess(case["policy"], case["checklist"], case["answers"])))


def random_cases(seed, count, features):
    """Cases with the result of this side, and the line for the product. A pack serves several answer sets."""
    for n in range(count):
        if n % ANSWER_SETS == 0:
            rng = random.Random(f"{seed}/{n // ANSWER_SETS}")
            policy, checklist = packs.Writer(rng, features).pack()
            start = f'{{"policy":{json.dumps(policy)},"checklist":{json.dumps(checklist)},"answers":'
        answers = packs.answers(rng, policy, checklist, features)
        yield start + json.dumps(answers) + "}", assess(policy, checklist, answers)


def line_of(case):
    return json.dumps({key: case[key] for key in ("policy", "checklist", "answers")})


def run_product(program, lines_file):
    """The product's lines, in order; the program is given as a command without a shell."""
    lines_file.seek(0)
    done = subprocess.run(program.split(), stdin=lines_file, stdout=subprocess.PIPE, text=True,
                          timeout=TIMEOUT_SECONDS, check=False)
    if done.returncode != 0:
        print(f"the product ended with code {done.returncode}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def difference(expected, product):
    """What kind of difference it is, so that making a case smaller keeps to the same kind."""
    if "error" in product or "error" in expected:
        return "error"
    return ", ".join(part for part in ("outcomes", "dimensions", "indicators")
                     if part in expected and product.get(part) != expected[part])


def explain(program, line):
    """Prints the smallest case found that still differs in the same way, with both sides."""
    case = json.loads(line)
    [wanted] = differences(program, [case])
    if wanted:
        case = shrink(case, lambda smaller: [kind == wanted for kind in differences(program, smaller)])
    [product] = ask(program, [case])
    print("  made small:")
    print_gist(case)
    print("    line:", line_of(case))
    print("  referee:", json.dumps(assess(case["policy"], case["checklist"], case["answers"])))
    print("  product:", json.dumps(product))


def print_gist(case):
    """The parts of a case that carry meaning, one per line."""
    for item in [*case["policy"]["intake"], *case["checklist"]["items"]]:
        kind = item["kind"] if isinstance(item["kind"], str) else next(iter(item["kind"]))
        answer = json.dumps(case["answers"].get(item["id"], "no answer"))
        print(f"    item {item['id']} ({kind}) when {json.dumps(item.get('when', 'always'))}: {answer}")
    for sign in case["checklist"]["indicators"]:
        print(f"    indicator {sign['id']} ({sign['weight']}, {sign['dimension']}) from {json.dumps(sign['from'])}")
    for dimension in case["checklist"]["dimensions"]:
        print(f"    dimension {dimension['id']} positive {json.dumps(dimension['positive'])}")
    for rule in case["checklist"]["rules"]:
        print(f"    rule {rule['id']} gives {rule['outcome']} when {json.dumps(rule['when'])}")


def ask(program, some):
    with tempfile.TemporaryFile("w+") as lines:
        lines.writelines(line_of(case) + "\n" for case in some)
        lines.flush()
        answers = run_product(program, lines)
    return answers + [NO_LINE] * (len(some) - len(answers))


def differences(program, some):
    mine = [assess(case["policy"], case["checklist"], case["answers"]) for case in some]
    return [difference(*both) for both in zip(mine, ask(program, some))] if some else []


def compare(program, lines_file, names, expected):
    answers = run_product(program, lines_file)
    lines_file.seek(0)
    failed, kinds, shown = 0, collections.Counter(), collections.Counter()
    for n, (line, name, wanted) in enumerate(zip(lines_file, names, expected)):
        product = answers[n] if n < len(answers) else NO_LINE
        if agrees(product, wanted):
            continue
        failed += 1
        kind = difference(wanted, product)
        kinds[f"error: {product.get('error', 'none')}" if kind == "error" else kind] += 1
        shown[kind] += 1
        if shown[kind] <= SHOWN:
            print(f"DIFFERENCE {name}: {kind}")
            print("  expected:", json.dumps(wanted))
            print("  product: ", json.dumps(product))
            explain(program, line)
    if len(answers) > len(expected):
        failed += len(answers) - len(expected)
        print("the product wrote more lines than it was given")
    for kind, count in kinds.most_common(20):
        print(f"{count:6} x {kind}")
    return failed


def print_spread(expected):
    """How often each result came, so that a run that tests nothing is seen."""
    spread = collections.Counter()
    for result in expected:
        spread.update(result["outcomes"])
        spread.update(result["dimensions"].values())
        spread.update(f"indicator {value}" for value in result["indicators"].values())
    print("spread:", ", ".join(f"{name} {count}" for name, count in sorted(spread.items())))


def main():
    args = arguments()
    if args.serve:
        return serve()
    if args.self_test:
        return selftest.run()
    if shutil.which(args.product.split()[0]) is None:
        sys.exit(f"{args.product} is not there; build it with: cargo build -p amparo-core --example assess")
    seed = secrets.randbelow(2**32) if args.seed is None else args.seed
    print(f"seed {seed}")
    features = packs.FEATURES - set(args.without)
    by_hand = cases.all_cases()
    names, expected = [case["name"] for case in by_hand], [case["expected"] for case in by_hand]
    with open(args.keep, "w+") if args.keep else tempfile.TemporaryFile("w+") as lines_file:
        lines_file.writelines(line_of(case) + "\n" for case in by_hand)
        for n, (line, result) in enumerate(random_cases(seed, args.cases, features)):
            lines_file.write(line + "\n")
            names.append(f"random {n}")
            expected.append(result)
        lines_file.flush()
        print_spread(expected[len(by_hand):])
        failed = compare(args.product, lines_file, names, expected)
    print(f"{len(expected) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
