#!/usr/bin/env python3
"""Measures CatBoost and our core on the same rows in the same run, and prints the ratios.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install catboost==1.2.8
    /tmp/venv/bin/python bench/catboost_compare.py [--bench build/release/bench/core_bench] [--json] [--seconds S]

Rows: all of data/test.csv.gz.  Models: models/seed-004; and, trained here on data/train.csv.gz, two non-symmetric ones
(Lossguide; Depthwise with trees of up to 256 leaves) and a large symmetric one.  One thread on both sides; the clock
is processor time; each figure is the best of the rounds that fit into S seconds.  Scores are compared first: they
must be equal to the last bit.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time

import pandas as pd
from catboost import CatBoost, CatBoostClassifier, Pool

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def features(path, names, cats):
    """The columns that the model wants, from a file of transactions; categories are texts."""
    d = pd.read_csv(path, dtype=str, keep_default_na=False)
    at = pd.to_datetime(d["transaction_time"])
    d["is_weekend"] = (at.dt.day_of_week >= 5).astype(int).astype(str)
    for part in ("year", "month", "day", "hour", "minute"):
        d[part] = getattr(at.dt, part).astype(str)
    x = d[names].copy()
    for n in names:
        if n not in cats:
            x[n] = x[n].astype(float)
    return x, d["target"].astype(int)


def trained(folder, name, like, **params):
    """A model of the same features as `like`, trained on data/train.csv.gz."""
    path = os.path.join(folder, name + ".cbm")
    if os.path.exists(path):
        return path
    names = like.feature_names_
    cats = [names[i] for i in like.get_cat_feature_indices()]
    x, y = features(os.path.join(ROOT, "data/train.csv.gz"), names, cats)
    m = CatBoostClassifier(random_seed=20, thread_count=2, verbose=0, allow_writing_files=False, **params)
    m.fit(Pool(x[::10], y[::10], cat_features=cats))
    m.save_model(path)
    return path


def best_rate(run, rows, seconds):
    best, end = 0.0, time.process_time() + seconds
    run()
    while True:
        start = time.process_time()
        run()
        best = max(best, rows / (time.process_time() - start))
        if time.process_time() > end:
            return best


def catboost_rates(model, x, cats, seconds):
    pool = Pool(x, cat_features=cats)
    rows = x.iloc[:500].values.tolist()

    def raw(data):
        return model.predict(data, prediction_type="RawFormulaVal", thread_count=1)

    def singly():
        for row in rows:
            raw([row])

    few = x.iloc[:100]
    return {
        "batch_hashed": best_rate(lambda: raw(pool), len(x), seconds),
        "batch": best_rate(lambda: raw(x), len(x), seconds),
        "single": best_rate(singly, len(rows), seconds),
        "shap": best_rate(lambda: model.get_feature_importance(Pool(few, cat_features=cats), type="ShapValues",
                                                               thread_count=1), len(few), seconds),
    }, raw(pool)


def compare(name, path, args, folder):
    model = CatBoost().load_model(path)
    names = model.feature_names_
    cats = [names[i] for i in model.get_cat_feature_indices()]
    csv = os.path.join(ROOT, "data/test.csv.gz")
    x, _ = features(csv, names, cats)
    theirs, want = catboost_rates(model, x, cats, args.seconds)
    scores = os.path.join(folder, "scores")
    ours = json.loads(subprocess.run([args.bench, "--json", "--seconds", str(args.seconds), "--scores", scores, path, csv],
                                     check=True, capture_output=True, text=True).stdout)
    with open(scores, "rb") as f:
        got = struct.unpack("=%dd" % len(x), f.read())
    different = sum(a != b for a, b in zip(got, want))
    # A scorer gets texts: CatBoost's way to score them is a data frame, or a row in a list.
    return {"model": name, "rows": len(x), "trees": model.tree_count_, "different": different, "catboost": theirs,
            "core": ours, "ratio": {k: ours[k] / theirs[k] for k in theirs}}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bench", default=os.path.join(ROOT, "build/release/bench/core_bench"))
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--keep", metavar="DIR", help="keep the trained models there, and use them when they are")
    p.add_argument("--json", action="store_true")
    args = p.parse_args()
    seed = os.path.join(ROOT, "models/seed-004/model.cbm")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or temporary
        like = CatBoost().load_model(seed)
        models = [
            ("seed-004", seed),
            ("non-symmetric", trained(folder, "lossguide", like, grow_policy="Lossguide", iterations=100, max_leaves=31,
                                      learning_rate=0.1, max_ctr_complexity=2)),
            ("non-symmetric, depth 8", trained(folder, "depthwise", like, grow_policy="Depthwise", iterations=100, depth=8,
                                               learning_rate=0.1, max_ctr_complexity=2)),
            ("1000 trees", trained(folder, "large", like, iterations=1000, depth=6, learning_rate=0.03,
                                   max_ctr_complexity=1)),
        ]
        results = [compare(name, path, args, folder) for name, path in models]
    if args.json:
        print(json.dumps(results))
    else:
        for r in results:
            print("%s: %d trees, %d rows, %d scores differ" % (r["model"], r["trees"], r["rows"], r["different"]))
            print("  %-14s %14s %14s %9s" % ("rows/s", "CatBoost", "core", "ratio"))
            for k, v in r["catboost"].items():
                print("  %-14s %14.0f %14.0f %8.1fx" % (k, v, r["core"][k], r["ratio"][k]))
    return 1 if any(r["different"] for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
