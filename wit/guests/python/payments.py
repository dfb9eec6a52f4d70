"""A function of each kind over payments, without an SDK.

`large` lets through the payments of at least so much and adds their cents; `velocity` sums them up
per key and window, and says so above a limit; `median` wants all payments of a window; `settled`
says how far event time has come: a payment of nothing settles what was before it; `running` sums
up per key until no payment has come for an hour.
"""

import json

import wit_world.exports as exports
from componentize_py_types import Err
from wit_world.exports.aggregate import Accumulated
from wit_world.exports.process import Kept, Processed, Timed
from wit_world.exports.watermark import Observed
from wit_world.imports.columns import Column, Table, Values_Floats, Values_Words
from wit_world.imports.outcome import Emitted, Failure, Output, Produced_Made

AMOUNT = {"name": "amount", "type": "float"}
CENTS = {"name": "cents", "type": "integer"}
SPENT = [{"name": "total", "type": "float"}, {"name": "payments", "type": "integer"}]
TOTAL = [{"name": "total", "type": "float"}]
MEDIAN = [{"name": "median", "type": "float"}]
FUNCTIONS = [
    {"name": "large", "kind": "transform", "input": [AMOUNT], "output": {"extended": [CENTS]},
     "config": [{"name": "at_least", "type": "float"}]},
    {"name": "velocity", "kind": "aggregate", "input": [AMOUNT], "accumulator": SPENT,
     "output": {"new": SPENT}, "config": [{"name": "limit", "type": "float"}]},
    {"name": "median", "kind": "window", "input": [AMOUNT], "output": {"new": MEDIAN}},
    {"name": "settled", "kind": "watermark", "input": [AMOUNT],
     "state": [{"name": "settlements", "type": "integer"}]},
    {"name": "running", "kind": "process", "input": [AMOUNT], "output": {"new": TOTAL},
     "slots": [{"name": "spent", "kind": "value", "columns": TOTAL}], "timers": [{"name": "quiet"}]},
]
HOUR = 3_600_000_000
PUT, DELETED = 1, 2  # of an entry
SET, CLEAR = 0, 2  # of a timer
NOTHING = -2**63  # the smallest watermark: as it was
config = {}  # by function: set on every fresh instance, the same for every row


class Setup(exports.Setup):
    def describe(self):
        return json.dumps({"interface": "0.1.0", "functions": FUNCTIONS})

    def configure(self, f, text):
        config[f] = json.loads(text)
        if min(config[f].values(), default=0) < 0:
            raise Err("an amount below zero makes no sense here")


class Transform(exports.Transform):
    def apply(self, f, rows):
        amounts, kept, failures = rows.columns[0].values.value, [], []
        for row, amount in enumerate(amounts):
            if amount < 0:  # a failure by value: the rest of the call stands
                failures.append(Failure(row, 0, "negative-amount", f"a payment of {amount}"))
            elif amount >= config[f]["at_least"]:
                kept.append(row)
        cents = [round(100 * amounts[row]) for row in kept]  # raises for infinity, which is a trap
        return Output([Emitted(0, kept, None, None, [Produced_Made(words(cents))])], failures)


class Aggregate(exports.Aggregate):
    def create(self, f):
        return spent([0.0], [0])

    def accumulate(self, f, rows, groups, accs, marks):
        (totals, payments), marked, failures, marks = read(accs), ([], []), [], set(marks)
        for row, amount in enumerate(rows.columns[0].values.value):
            group = groups[row]
            if amount < 0:
                failures.append(Failure(row, 0, "negative-amount", f"a payment of {amount}"))
            else:
                totals[group] += amount
                payments[group] += 1
            if row in marks:
                marked[0].append(totals[group])
                marked[1].append(payments[group])
        # True: a row that failed has changed nothing
        return Accumulated(spent(totals, payments), spent(*marked), failures, True)

    def merge(self, f, into, others, groups):
        totals, payments = read(into)
        for group, total, count in zip(groups, *read(others)):
            totals[group] += total
            payments[group] += count
        return Accumulated(spent(totals, payments), spent([], []), [], True)

    def finish(self, f, keys, firings, accs):
        totals, payments = read(accs)
        over = [i for i, total in enumerate(totals) if total > config[f]["limit"]]
        made = spent([totals[i] for i in over], [payments[i] for i in over]).columns
        return Output([Emitted(0, over, None, None, [Produced_Made(c) for c in made])], [])


class Window(exports.Window):
    def apply(self, f, keys, firings, rows, offsets):
        amounts, medians = rows.columns[0].values.value, []
        for start, end in zip(offsets, offsets[1:]):
            medians.append(sorted(amounts[start:end])[(end - start) // 2])
        made = Produced_Made(Column(Values_Floats(medians), None))
        return Output([Emitted(0, list(range(keys.rows)), None, None, [made])], [])


class Watermark(exports.Watermark):
    def create(self, f):
        return Table(1, [words([0])])

    def observe(self, f, rows, state):
        settlements, watermarks, failures = state.columns[0].values.value[0], [], []
        for row, amount in enumerate(rows.columns[0].values.value):
            if amount < 0:
                failures.append(Failure(row, 0, "negative-amount", f"a payment of {amount}"))
            watermarks.append(rows.times[row] if amount == 0 else NOTHING)
            settlements += amount == 0
        return Observed(watermarks, Table(1, [words([settlements])]), failures, True)


class Process(exports.Process):
    def on_rows(self, f, keys, rows, groups, values):
        totals, changes, made, timers, failures = held(values[0]), {}, {}, [], []
        for row, amount in enumerate(rows.columns[0].values.value):
            key = groups[row]
            if amount < 0:
                failures.append(Failure(row, 0, "negative-amount", f"a payment of {amount}"))
                continue
            made[row] = totals[key] = totals.get(key, 0.0) + amount
            changes[key] = PUT
            timers += [(row, 0, CLEAR, 0), (row, 0, SET, rows.times[row] + HOUR)]
        return processed(keys.rows, totals, changes, made, timers, failures)

    def on_timers(self, f, keys, due, values):
        totals = held(values[0])
        return processed(keys.rows, {}, dict.fromkeys(totals, DELETED), totals, [], [])


def held(slot):
    """The total of each key that has one."""
    there = [key for key, present in enumerate(slot.present) if present]
    return dict(zip(there, slot.entries.columns[0].values.value if there else []))


def processed(keys, totals, changes, made, timers, failures):
    entries = [totals[key] for key in sorted(changes) if changes[key] == PUT]
    slot = Kept(bytes(changes.get(key, 0) for key in range(keys)), total(entries), [])
    rows, names, kinds, times = [list(column) for column in zip(*timers)] or [[]] * 4
    emitted = Emitted(0, list(made), None, None, [Produced_Made(total(made.values()).columns[0])])
    output = Output([emitted], failures)
    return Processed(output, [slot], [], [], Timed(rows, names, bytes(kinds), times), True)


def total(totals):
    return Table(len(totals), [Column(Values_Floats(list(totals)), None)])


def words(values):
    return Column(Values_Words(values), None)


def spent(totals, payments):
    return Table(len(totals), [Column(Values_Floats(totals), None), words(payments)])


def read(accs):
    return accs.columns[0].values.value, accs.columns[1].values.value
