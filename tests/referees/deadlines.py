#!/usr/bin/env python3
"""A second opinion on deadlines: Python's own datetime and zoneinfo, nothing else.

Written from the rules (DOMAIN rule 12, the doc of `amparo_schema::pack::protocol`), not from the Rust. Run it
by hand; it writes ../vectors/deadlines.json, which core/tests/deadline_vectors.rs compares with.

Rules, as stated here:
- hours: elapsed, to the millisecond. All other units: by the civil date of the event in the office's zone;
  the last moment in time is the last millisecond of the last day.
- calendar days: the n-th day; the day of the event is day one, or the day after is.
- working days: the n-th day that is neither weekend nor holiday; where the day of the event counts and is no
  working day, the first one after it is day one. A counted day in a year without holiday list: days not known.
- months: the day with the same number n months on, or the last day of that month. Where the day of the event
  counts, the day before that number.
- an amount of zero ends with the day of the event.
- no date is moved when it falls on a day without work.
- from the year KNOWN_UNTIL on nothing is known of a zone: its last known offset holds, zone not known.

The holidays below serve the arithmetic. They are synthetic inputs to a test, NOT a sourced calendar.
"""

import calendar
import json
import pathlib
import random
import sys
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

SEED = 20261101
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
KNOWN_FROM, KNOWN_UNTIL = 2015, 2040
ZONES = ["America/Santiago", "America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Havana"]

# Days that are not worked; only the shape matters.
HOLIDAYS = {
    "cl": {
        "2026": ["2026-01-01", "2026-04-03", "2026-04-04", "2026-05-01", "2026-05-21", "2026-06-21", "2026-06-29",
                 "2026-07-16", "2026-08-15", "2026-09-18", "2026-09-19", "2026-10-12", "2026-10-31", "2026-11-01",
                 "2026-12-08", "2026-12-25"],
    },
    "mx": {
        "2026": ["2026-01-01", "2026-02-02", "2026-03-16", "2026-05-01", "2026-09-16", "2026-11-16", "2026-12-25"],
        "2027": ["2027-01-01", "2027-02-01", "2027-03-15", "2027-05-01", "2027-09-16", "2027-11-15", "2027-12-25"],
    },
    # A week of three working days, and a year in which a whole month is off.
    "odd": {
        "2026": [f"2026-07-{d:02}" for d in range(1, 32)] + ["2026-12-31"],
        "2027": [],
    },
}
WEEKENDS = {"cl": ["sat", "sun"], "mx": ["sat", "sun"], "odd": ["mon", "thu", "sat", "sun"]}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def ms(moment):
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(value):
    return EPOCH + timedelta(milliseconds=value)


def seconds(moment):
    return ms(moment) // 1000


def zone_changes(name):
    """Every change of offset between the years, found by halving: no file is parsed."""
    zone = ZoneInfo(name)

    def offset(at):
        return int((EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset().total_seconds())

    start = seconds(datetime(KNOWN_FROM, 1, 1, tzinfo=timezone.utc))
    end = seconds(datetime(KNOWN_UNTIL, 1, 1, tzinfo=timezone.utc))
    changes, step = [[start, offset(start)]], 86_400
    for at in range(start, end, step):
        low, high = at, at + step
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        changes.append([high, offset(high)])
    return {"changes": changes, "known_until": end}


class Office:
    """An office: its zone (or what the phone showed) and its working days (or none)."""

    def __init__(self, zone, offset_minutes, days):
        self.zone_known = zone is not None
        self.tz = ZoneInfo(zone) if zone else timezone(timedelta(minutes=offset_minutes))
        self.days = days

    def rules(self, year):
        if year < KNOWN_UNTIL:
            return self.tz
        return timezone(datetime(KNOWN_UNTIL - 1, 12, 31, tzinfo=self.tz).utcoffset())

    def civil(self, moment):
        return moment.astimezone(self.rules(moment.year)).date()

    def end_of(self, day):
        midnight = datetime.combine(day + timedelta(days=1), time(0), tzinfo=self.rules(day.year))
        return midnight.astimezone(timezone.utc) - timedelta(milliseconds=1)

    def works(self, day):
        weekend = WEEKENDS[self.days] if self.days else ["sat", "sun"]
        lists = HOLIDAYS[self.days] if self.days else {}
        year = lists.get(str(day.year))
        return DAYS[day.weekday()] not in weekend and day.isoformat() not in (year or []), year is not None


def last_day(office, day, amount, unit, counts):
    """The last day in time, and whether all the holidays that matter are known."""
    if amount == 0:
        return day, True
    if unit == "calendar_days":
        return day + timedelta(days=amount if not counts else amount - 1), True
    if unit == "months":
        months = day.year * 12 + day.month - 1 + amount
        number = day.day - 1 if counts else day.day
        if number == 0:  # the last day of the month before
            months, number = months - 1, 31
        year, month = divmod(months, 12)
        return date(year, month + 1, min(number, calendar.monthrange(year, month + 1)[1])), True
    known, left = True, amount
    if not counts:
        day += timedelta(days=1)
    while True:
        works, listed = office.works(day)
        known = known and listed
        left -= works
        if left == 0:
            return day, known
        day += timedelta(days=1)


def due(case):
    office = Office(case["zone"], case["offset_minutes"], case["calendar"])
    event, counts, found = from_ms(case["event_ms"]), case["day_zero"] == "counts", []
    for amount, unit in case["limits"]:
        if unit == "hours":
            until, known = event + timedelta(hours=amount), True
            day = office.civil(until)
        else:
            day, known = last_day(office, office.civil(event), amount, unit, counts)
            until = office.end_of(day)
        zone_known = office.zone_known and until.year < KNOWN_UNTIL
        found.append({"until_ms": ms(until), "date": day.isoformat(), "amount": amount, "unit": unit,
                      "zone_known": zone_known, "days_known": known})
    found.sort(key=lambda one: one["until_ms"])
    return {"act_by": found[0], "outer_limit": found[-1], "ambiguous": len(found) > 1}


def case(name, zone, local, limits, day_zero="does_not_count", days=None, fold=0, offset_minutes=0):
    tz = ZoneInfo(zone) if zone else timezone(timedelta(minutes=offset_minutes))
    event = datetime.fromisoformat(local).replace(tzinfo=tz, fold=fold)
    out = {"name": name, "zone": zone, "offset_minutes": offset_minutes, "calendar": days,
           "event_ms": ms(event.astimezone(timezone.utc)), "limits": limits, "day_zero": day_zero}
    out["expect"] = due(out)
    return out


def chosen():
    cl, mx, ny, sp = "America/Santiago", "America/Mexico_City", "America/New_York", "America/Sao_Paulo"
    sixty, months = [[60, "working_days"]], [[6, "months"]]
    both = [[60, "working_days"], [90, "calendar_days"]]
    for zero in ["does_not_count", "counts"]:
        yield case(f"60 working days, Chile, {zero}", cl, "2026-03-02T10:00:00", sixty, zero, "cl")
        yield case(f"60 working days, Chile, over September, {zero}", cl, "2026-07-15T10:00:00", sixty, zero, "cl")
        yield case(f"60 working days, Mexico, {zero}", mx, "2026-01-30T10:00:00", sixty, zero, "mx")
        yield case(f"60 working days, Mexico, into a second year, {zero}", mx, "2026-11-13T18:00:00", sixty, zero, "mx")
        yield case(f"from a Saturday, {zero}", cl, "2026-03-07T12:00:00", [[1, "working_days"]], zero, "cl")
        yield case(f"from a holiday, {zero}", mx, "2026-03-16T12:00:00", [[3, "working_days"]], zero, "mx")
        yield case(f"one calendar day, {zero}", cl, "2026-03-07T12:00:00", [[1, "calendar_days"]], zero, "cl")
        yield case(f"31 August + 6 months, leap year, {zero}", cl, "2027-08-31T09:00:00", months, zero, "cl")
        yield case(f"31 August + 6 months, common year, {zero}", cl, "2026-08-31T09:00:00", months, zero, "cl")
        yield case(f"29 August + 6 months, common year, {zero}", cl, "2026-08-29T09:00:00", months, zero, "cl")
        yield case(f"1 March + 6 months, {zero}", cl, "2026-03-01T09:00:00", months, zero, "cl")
        yield case(f"29 February + 12 months, {zero}", ny, "2028-02-29T09:00:00", [[12, "months"]], zero, "mx")
        yield case(f"60 working days or 90 calendar days, {zero}", mx, "2026-02-10T11:00:00", both, zero, "mx")
        yield case(f"the same, calendar days first, {zero}", mx, "2026-02-10T11:00:00", both[::-1], zero, "mx")
        yield case(f"60 or 90 over December, {zero}", cl, "2026-11-25T11:00:00", both, zero, "cl")
        yield case(f"year without list, {zero}", cl, "2026-12-20T11:00:00", [[15, "working_days"]], zero, "cl")
        yield case(f"last day before a year without list, {zero}", cl, "2026-12-29T11:00:00",
                   [[1, "working_days"]], zero, "cl")
        yield case(f"no calendar at all, {zero}", cl, "2026-04-30T11:00:00", [[5, "working_days"]], zero)
        yield case(f"a month off and a short week, {zero}", sp, "2026-06-29T11:00:00", [[10, "working_days"]], zero, "odd")
        for unit in ["hours", "calendar_days", "working_days", "months"]:
            yield case(f"zero {unit}, on a Sunday, {zero}", cl, "2026-03-08T12:00:00", [[0, unit]], zero, "cl")
    day, hours = [[1, "calendar_days"]], [[24, "hours"]]
    yield case("24 hours over the autumn change in Santiago", cl, "2026-04-04T12:00:00", hours)
    yield case("24 hours over the spring change in Santiago", cl, "2026-09-05T12:00:00", hours)
    yield case("one day that ends in the autumn change", cl, "2026-04-03T12:00:00", day)
    yield case("one day that ends in the spring change", cl, "2026-09-04T12:00:00", day)
    yield case("found in the doubled hour, first time", cl, "2026-04-04T23:30:00", hours + day, fold=0)
    yield case("found in the doubled hour, second time", cl, "2026-04-04T23:30:00", hours + day, fold=1)
    yield case("midnight that comes twice", "America/Havana", "2026-10-31T12:00:00", [[0, "calendar_days"]])
    yield case("midnight that never comes", "America/Havana", "2026-03-07T12:00:00", [[0, "calendar_days"]])
    yield case("last moment of a day", cl, "2026-05-14T23:59:59.999000", day)
    yield case("first moment of a day", cl, "2026-05-15T00:00:00", day)
    yield case("Mexico keeps its offset since 2022", mx, "2026-04-04T23:30:00", hours + day)
    yield case("Mexico still changed in 2022", mx, "2022-10-29T23:30:00", hours + day)
    yield case("zone not in the pack", None, "2026-05-14T23:30:00", hours + day, offset_minutes=-240)
    yield case("zone not in the pack, half an hour", None, "2026-05-14T00:10:00", day, offset_minutes=330)
    yield case("end after the zone is known", ny, "2039-12-31T12:00:00", [[1, "calendar_days"], [24, "hours"]])
    yield case("end while the zone is known", ny, "2039-12-29T12:00:00", [[1, "calendar_days"], [24, "hours"]])
    yield case("three limits", cl, "2026-03-02T10:00:00", [[2, "months"], [60, "calendar_days"], [40, "working_days"]],
               days="cl")
    yield case("10,000 working days", cl, "2026-03-02T10:00:00", [[10_000, "working_days"]], days="cl")
    yield case("10,000 months", cl, "2026-03-02T10:00:00", [[10_000, "months"]], days="cl")


def by_chance(count):
    draw = random.Random(SEED)
    for n in range(count):
        zone = draw.choice(ZONES + [None])
        start = datetime(2025, 6, 1, tzinfo=timezone.utc)
        event = start + timedelta(milliseconds=draw.randrange(3 * 365 * 86_400_000))
        if n % 4 == 0 and zone:  # near local midnight
            local = event.astimezone(ZoneInfo(zone))
            event = datetime.combine(local.date(), time(0), tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
            event += timedelta(milliseconds=draw.randint(-2, 2))
        limits = []
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            unit = draw.choice(["hours", "calendar_days", "working_days", "months"])
            most = {"hours": 2000, "calendar_days": 400, "working_days": 300, "months": 36}[unit]
            limits.append([draw.choice([draw.randint(0, 5), draw.randint(0, most)]), unit])
        out = {"name": f"by chance {n}", "zone": zone, "offset_minutes": draw.choice([-300, -240, -180, 0, 345]),
               "calendar": draw.choice(["cl", "mx", "odd", None]), "event_ms": ms(event), "limits": limits,
               "day_zero": draw.choice(["counts", "does_not_count"])}
        out["expect"] = due(out)
        yield out


def main():
    cases = list(chosen()) + list(by_chance(200))
    head = {
        "about": "Deadlines as tests/referees/deadlines.py sees them. Synthetic events; holidays are test inputs.",
        "made_by": f"Python {sys.version.split()[0]} zoneinfo",
        "seed": SEED,
        "zones": {name: zone_changes(name) for name in ZONES},
        "calendars": {name: {"weekend": WEEKENDS[name], "years": HOLIDAYS[name]} for name in HOLIDAYS},
    }
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    lines = ",\n".join(json.dumps(one) for one in cases)
    path = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "deadlines.json"
    if "--check" in sys.argv[1:]:
        sys.exit(check(path, cases))
    path.write_text(f'{{\n{text},\n"cases": [\n{lines}\n]\n}}\n', encoding="utf-8")


def check(path, cases):
    """Whether the committed vectors are those that are computed here and now; what Rust is held against."""
    kept = json.loads(path.read_text(encoding="utf-8"))["cases"]
    made = json.loads(json.dumps(cases))
    wrong = [one["name"] for one, other in zip(made, kept) if one != other]
    for name in wrong:
        print(f"differs: {name}")
    failed = len(wrong) + abs(len(made) - len(kept))
    print(f"{len(made) - len(wrong)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    main()
