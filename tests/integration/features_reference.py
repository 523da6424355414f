"""The features of a customer's past, written down a second time from docs/features.md: slow, plain, every event kept.

    features_reference.py make ROWS SEED FILE             transactions that are hard to remember rightly
    features_reference.py check MANIFEST CSV SCORES GOT   GOT: what `fraudtop features` printed for the last stage, given
                                                          the first stage's log-odds in SCORES

Exact to rounding: sums are math.fsum here, added one by one there.
"""
import csv
import json
import math
import random
import struct
import sys
from datetime import datetime, timedelta

WEEK, DAY, NONE = 7 * 86400, 86400, float("nan")


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


class Event:
    def __init__(self, t, amount, category, score):
        self.t, self.amount, self.category, self.score = t, amount, category, f32(score)
        self.night = t % DAY >= 22 * 3600 or t % DAY < 4 * 3600
        self.folded = 0  # else known to the life only; the how manieth


class Customer:
    def __init__(self):
        self.events, self.categories = [], []  # in order of arrival, of place
        self.folded, self.lost = 0, 0

    def life(self, t):
        """What is folded comes first, in the order in which it was folded."""
        folded = sorted((e for e in self.events if e.folded), key=lambda e: e.folded)
        return folded + [e for e in self.events if not e.folded and e.t <= t]

    def fold(self, e):
        self.folded += 1
        e.folded = self.folded

    def add(self, e):
        for old in self.events:
            if not old.folded and (old.t <= e.t - WEEK or old.t > e.t + 3660 * DAY):
                self.fold(old)
        kept = [old for old in self.events if not old.folded]
        if len(kept) == 256:
            self.fold(kept[0])
        if e.category not in self.categories and len(self.categories) == 63:
            count = [sum(old.category == c for old in self.events) for c in self.categories]
            place = count.index(min(count))
            for old in self.events:
                if old.category == self.categories[place]:
                    old.category = None
            self.categories[place] = e.category
            self.lost += 1
        elif e.category not in self.categories:
            self.categories.append(e.category)
        self.events.append(e)


def seconds(window):
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": DAY}[window[-1]]


def ewma(scores):
    value = scores[0]
    for s in scores[1:]:
        value = f32(f32(f32(0.7) * value) + f32(f32(0.3) * s))
    return value


def mean(values):
    return math.fsum(values) / len(values)


def deviation(values):
    return math.sqrt(max(0, math.fsum((v - mean(values)) ** 2 for v in values) / len(values)))


def value(f, c, life, now):
    """A feature's value for the transaction now of customer c, whose life until now is given."""
    window, empty = f["window"], f.get("empty", NONE)
    if window == "life":
        events = life
    elif window == "category":
        events = [e for e in life if e.category == now.category]
    elif window == "today":
        events = [e for e in life if not e.folded and e.t // DAY == now.t // DAY]
    else:
        events = [e for e in life if not e.folded and now.t - seconds(window) < e.t]
    n, amounts, scores = len(events), [e.amount for e in events], [e.score for e in events]
    logs = [math.log1p(a) for a in amounts]
    nights = sum(e.night for e in events)
    log_now = math.log1p(now.amount)
    age = (now.t - min(e.t for e in life)) / DAY if life else 0
    what = f["value"], f["aggregate"]
    if what == ("time", "age"):
        return max(0, age)
    if what == ("category", "distinct"):
        return len({e.category for e in life} - {None}) + c.lost
    if what == ("category", "count"):
        return sum(e.category == now.category for e in events)
    if what == ("transaction", "rate_ratio"):
        return n / (len(life) / max(age, 1)) if life else empty
    always = {("transaction", "count"): n, ("amount", "sum"): math.fsum(amounts), ("amount", "max"): max(amounts, default=0),
              ("night", "count"): nights, ("score", "count_above"): sum(s > f.get("above", -2) for s in scores)}
    if what in always:
        return always[what]
    if n == 0:
        return empty
    if what == ("amount", "log_ratio_mean"):
        return log_now - (math.fsum(logs) / n if window == "category" else math.log1p(mean(amounts)))
    return {
        ("amount", "mean"): lambda: mean(amounts),
        ("amount", "min"): lambda: min(amounts),
        ("amount", "std"): lambda: deviation(amounts),
        ("amount", "log_ratio_max"): lambda: log_now - math.log1p(max(amounts)),
        ("amount", "deviation"): lambda: (now.amount - mean(amounts)) / (deviation(amounts) + 1),
        ("log_amount", "mean"): lambda: math.fsum(logs) / n,
        ("night", "share"): lambda: nights / n,
        ("time", "since_last"): lambda: max(0, now.t - max(e.t for e in events)) / 60,
        ("score", "last"): lambda: scores[-1],
        ("score", "ewma"): lambda: ewma(scores),
        ("score", "max"): lambda: max(scores),
        ("score", "min"): lambda: min(scores),
        ("score", "mean"): lambda: math.fsum(scores) / n,
    }[what]()


def unix(text):
    t = datetime.fromisoformat(text.replace("T", " "))
    return int((t - datetime(1970, 1, 1)).total_seconds())


def check(manifest, rows, scores, got):
    manifest = json.load(open(manifest))
    wanted = [f for f in manifest["stages"][-1]["features"] if "window" in f]
    gap = manifest["state"]["gap_days"] * DAY
    customers, n, restarts = {}, 0, 0
    given = {int(r["row"]): float(r["raw"]) for r in csv.DictReader(open(scores))}
    for r, seen in zip(csv.DictReader(open(rows, newline="")), csv.DictReader(open(got, newline="")), strict=True):
        key = r["name_1"], r["name_2"], r["street"]
        now = Event(unix(r["transaction_time"]), float(r["amount"]), r["cat_id"], given[int(seen["row"])])
        c = customers.setdefault(key, Customer())
        if c.events and abs(now.t - c.events[-1].t) > gap:
            c = customers[key] = Customer()
            restarts += 1
        life = c.life(now.t)
        for f in wanted:
            want, have = value(f, c, life, now), float(seen[f["name"]] or "nan")
            # A deviation of nearly equal amounts is what rounding leaves.
            near = 1e-6 * max(1, max((e.amount for e in c.events), default=0)) if f["aggregate"] in ("std", "deviation") else 0
            if not (math.isclose(want, have, rel_tol=1e-9, abs_tol=max(1e-9, near)) or (want != want and have != have)):
                sys.exit(f"row {seen['row']} {r['transaction_time']} {key}: {f['name']} is {have!r}, by its formula {want!r}")
            n += 1
        c.add(now)
    print(f"{n} values of {len(wanted)} features agree; {len(customers)} customers, {restarts} began anew")


NAMES = ["Ann", "Zoë", "李", "O'Brien, \"Pat\"", "", "Ñ" * 40]
HEADER = "transaction_time cat_id amount merch name_1 name_2 street".split()


def make(rows, seed, path):
    r = random.Random(seed)
    kinds = ["home", "misc_net", "travel", "", "ünïcode", "a,b", "76443.0"]
    clock = datetime(2020, 1, 1)
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(HEADER)
        for i in range(rows):
            clock += timedelta(minutes=r.choice([0, 0, 1] if i < rows * 2 / 3 else [0, 1, 90]))  # a burst, then a life
            who = r.choice([0] * 20 + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] + [11] * 10)
            t = clock + timedelta(seconds=r.choice([0, 0, 0, -60, -5000, -90000, -8 * DAY, 3 * DAY, 20]))
            if who == 10:  # a customer who comes and goes: beyond the gap and just within it
                t += timedelta(days=r.choice([0, 0, 0, 0, 99, 101, -100, -300]))
            kind = r.choice(kinds) if who != 11 else "c%d" % min(r.randrange(160), r.randrange(160))
            amount = r.choice(["0", "0.01", "9.99", "1e3", "25000000", "%.2f" % r.expovariate(1 / 60)])
            w.writerow([t.strftime(r.choice(["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M"])), kind, amount, "shop",
                        NAMES[who % len(NAMES)], "Smith", "Street %d" % (who // len(NAMES))])


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        check(*sys.argv[2:6])
