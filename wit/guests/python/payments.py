"""A transform and an aggregate over payments, without an SDK.

`large` lets through the payments of at least so much and adds their cents; `velocity` sums them up
per key and window, and says so above a limit.
"""

import json

import wit_world.exports as exports
from componentize_py_types import Err
from wit_world.exports.aggregate import Accumulated
from wit_world.imports.columns import Column, Table, Values_Floats, Values_Words
from wit_world.imports.outcome import Emitted, Failure, Output, Produced_Made

AMOUNT = {"name": "amount", "type": "float"}
CENTS = {"name": "cents", "type": "integer"}
SPENT = [{"name": "total", "type": "float"}, {"name": "payments", "type": "integer"}]
FUNCTIONS = [
    {"name": "large", "kind": "transform", "input": [AMOUNT], "output": {"extended": [CENTS]},
     "config": [{"name": "at_least", "type": "float"}]},
    {"name": "velocity", "kind": "aggregate", "input": [AMOUNT], "accumulator": SPENT,
     "output": {"new": SPENT}, "config": [{"name": "limit", "type": "float"}]},
]
config = {}  # by function: set on every fresh instance, the same for every row


class Setup(exports.Setup):
    def describe(self):
        return json.dumps({"interface": "0.1.0", "functions": FUNCTIONS})

    def configure(self, f, text):
        config[f] = json.loads(text)
        if min(config[f].values()) < 0:
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


def words(values):
    return Column(Values_Words(values), None)


def spent(totals, payments):
    return Table(len(totals), [Column(Values_Floats(totals), None), words(payments)])


def read(accs):
    return accs.columns[0].values.value, accs.columns[1].values.value
