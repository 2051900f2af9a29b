"""Readings of corners that the documents leave open, one named function each.

Owns nothing but these choices: when the product's meaning of a corner is settled otherwise, the change is here
and nowhere else. Truths are those of `kleene`.
"""

from .kleene import NO, UNKNOWN, YES


def counts_while_applicability_unknown():
    """`when` is unknown: the item still counts with its answer. The doc of `Item::when` speaks only of an item
    that does not apply."""
    return True


def answered_when_not_applicable():
    """`answered(item)` of an item that does not apply. It "counts as no", which might be read as a known value;
    read here as: no value is known."""
    return NO


def yes_no_of_another_kind():
    """`yes(item)` or `no(item)` where the known value is no yes or no. No pack should ask this."""
    return NO


def yes_no_person_when_not_applicable():
    """`foreign`, `unaccompanied`, `offence` whose intake item does not apply: counted as answered "no"."""
    return NO


def children_along_when_not_applicable():
    """The intake number does not apply: "counts as no" is read as no children along."""
    return NO


def sex_when_not_applicable():
    """`female` and `male` whose intake item does not apply. "No" to both would be a third sex that nobody
    stated; `Person.sex` can only leave it open."""
    return UNKNOWN


def age_when_not_applicable():
    """The age item does not apply, so no age is known; None, and doubt counts as a child."""
    return None


def unaccompanied(answer, child):
    """`unaccompanied` as "the intake says so" (content/README.md): the answer stands as it is also for an adult,
    although the doc of the test speaks of a child. `child` is a function, for another reading."""
    return answer


def unresolved_is_added(some_rule_unknown, given):
    """Whether a rule that may still hold adds `concern_unresolved` to what was given."""
    return some_rule_unknown and "presumed" not in given


def outcome_of_nothing_given(some_noted, some_unknown):
    """No rule gave anything and none may: what is said, by whether an indicator is noted or not known. "None
    noted" must not be said while one is; the only other class without a rule is `concern_unresolved`."""
    return "concern_unresolved" if some_noted or some_unknown else "none_noted_today"


def empty_all():
    """`all` of nothing."""
    return YES


def empty_any():
    """`any` of nothing; also `noted(dimension)` of a dimension without indicators."""
    return NO
