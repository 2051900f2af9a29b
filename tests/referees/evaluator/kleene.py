"""Kleene's three values as numbers, so that "and" is the least and "or" the greatest."""

NO, UNKNOWN, YES = 0, 1, 2
WORDS = ("no", "unknown", "yes")


def truth(known):
    return YES if known else NO


def opposite(value):
    return YES - value


def possible(value):
    return NO if value == NO else YES


def at_least(n, values):
    values = list(values)
    if sum(v == YES for v in values) >= n:
        return YES
    if sum(v != NO for v in values) < n:
        return NO
    return UNKNOWN
