"""A function of each kind over payments, without an SDK.

`large` lets through the payments of at least so much and adds their cents; `velocity` sums them up
per key and window, and says so above a limit; `median` wants all payments of a window; `settled`
says how far event time has come: a payment of nothing settles what was before it.
"""

import json

import wit_world.exports as exports
from componentize_py_types import Err
from wit_world.exports.aggregate import Accumulated
from wit_world.exports.watermark import Observed
from wit_world.imports.columns import Column, Table, Values_Floats, Values_Words
from wit_world.imports.outcome import Emitted, Failure, Output, Produced_Made

AMOUNT = {"name": "amount", "type": "float"}
CENTS = {"name": "cents", "type": "integer"}
SPENT = [{"name": "total", "type": "float"}, {"name": "payments", "type": "integer"}]
MEDIAN = [{"name": "median", "type": "float"}]
FUNCTIONS = [
    {"name": "large", "kind": "transform", "input": [AMOUNT], "output": {"extended": [CENTS]},
     "config": [{"name": "at_least", "type": "float"}]},
    {"name": "velocity", "kind": "aggregate", "input": [AMOUNT], "accumulator": SPENT,
     "output": {"new": SPENT}, "config": [{"name": "limit", "type": "float"}]},
    {"name": "median", "kind": "window", "input": [AMOUNT], "output": {"new": MEDIAN}},
    {"name": "settled", "kind": "watermark", "input": [AMOUNT],
     "state": [{"name": "settlements", "type": "integer"}]},
]
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


def words(values):
    return Column(Values_Words(values), None)


def spent(totals, payments):
    return Table(len(totals), [Column(Values_Floats(totals), None), words(payments)])


def read(accs):
    return accs.columns[0].values.value, accs.columns[1].values.value
