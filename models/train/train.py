#!/usr/bin/env python3
"""Trains models/velocity from labelled transactions: two stages, features read from fraudtop itself.

    train.py --fraudtop BIN --train FILE --test FILE --out DIR [--report FILE]

Everything that is chosen is chosen on the training file, out of fold by customer: the folds' first stages score the
customers that they have not seen, so that the second stage learns from scores of the kind it will meet; the threshold
is where the out-of-fold precision and recall of the second stage are equal.  The test file is only judged.
One thread a fit, fixed seeds, pinned versions: the same files come out each time on one kind of machine.
"""
import argparse
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, Pool
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDS = 5
SEED = 20260101
FIRST = dict(iterations=200, depth=6, learning_rate=0.08)
SECOND = dict(iterations=250, depth=6, learning_rate=0.08, rsm=0.5)
COMMON = dict(loss_function="Logloss", random_seed=1, thread_count=1, verbose=0, allow_writing_files=False)
CHECK_ROWS = 24
WIN_FPR = 0.05


# ---- features, from the program that will score -------------------------------------------------------------------

def manifest(stages, **more):
    return {
        "format": 1, "name": "velocity", "version": "1",
        "description": "Two stages: a transaction alone, then beside the customer's past.",
        "origin": "models/train, from data/train.csv.gz alone",
        "required": ["transaction_time", "amount"],
        "state": {"gap_days": 400, "history": 10},
        "stages": stages, **more}


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def features(binary, files, stages, stage_scores=None):
    """A data frame of what the last stage sees, from `fraudtop features`."""
    with tempfile.TemporaryDirectory() as folder:
        write_json(os.path.join(folder, "manifest.json"), manifest(stages))
        out = os.path.join(folder, "features.csv")
        words = [binary, "features", *files, "-m", folder, "-q"]
        if stage_scores is not None:
            scores = os.path.join(folder, "scores.csv")
            with open(scores, "w", encoding="ascii") as f:
                f.write("row,raw\n")
                f.writelines("%d,%.17g\n" % pair for pair in enumerate(stage_scores))
            words += ["--stage-scores", scores]
        with open(out, "w", encoding="utf-8") as f:
            subprocess.run(words, stdout=f, check=True)
        names = [x["name"] for x in stages[-1]["features"]]
        kinds = {x["name"]: str for x in stages[-1]["features"] if x.get("kind") == "category"}
        return pd.read_csv(out, dtype=kinds, keep_default_na=False, na_values={
            n: ["", "nan", "NaN"] for n in names if n not in kinds})[names]


# ---- fitting ------------------------------------------------------------------------------------------------------

def pool(x, y=None):
    return Pool(x, y, cat_features=[c for c in x.columns if x[c].dtype == object or str(x[c].dtype) in ("str", "string")])


def fit(job):
    x, y, params = job
    return CatBoostClassifier(**COMMON, **params).fit(pool(x, y))


def out_of_fold(x, y, fold, params, workers):
    raw = np.zeros(len(y))
    with ProcessPoolExecutor(workers) as pool_of_processes:
        jobs = [(x[fold != k], y[fold != k], params) for k in range(FOLDS)]
        for k, model in enumerate(pool_of_processes.map(fit, jobs)):
            raw[fold == k] = model.predict(pool(x[fold == k]), prediction_type="RawFormulaVal")
    return raw


def sigmoid(raw):
    return 1 / (1 + np.exp(-raw))


def customers(d):
    return (d["name_1"] + "\x1f" + d["name_2"] + "\x1f" + d["street"]).to_numpy()


def choose_threshold(y, p):
    """Where precision and recall are equal, rounded to three places."""
    best = max(np.unique(np.quantile(p, np.linspace(0.97, 0.9999, 2000))),
               key=lambda t: min((p > t)[y == 1].mean(), y[p > t].mean() if (p > t).any() else 0))
    return round(float(best), 3)


# ---- figures ------------------------------------------------------------------------------------------------------

def figures(y, p, threshold):
    fpr, tpr, _ = roc_curve(y, p)
    flagged = p > threshold
    tp = int((flagged & (y == 1)).sum())
    return {
        "rows": int(len(y)), "positives": int(y.sum()),
        "roc_auc": float(roc_auc_score(y, p)), "pr_auc": float(average_precision_score(y, p)),
        "recall_at_fpr_5": float(tpr[fpr <= WIN_FPR].max()),
        "precision": tp / max(1, int(flagged.sum())), "recall": tp / int(y.sum())}


def by_group(d, p, threshold, column):
    lines = ["| %s | rows | frauds | flagged | precision | recall |" % column, "|---|---|---|---|---|---|"]
    for name, rows in d.assign(p=p).groupby(column, observed=True):
        flagged, fraud = rows.p > threshold, rows.target == 1
        tp = int((flagged & fraud).sum())
        lines.append("| %s | %d | %d | %d | %s | %s |" % (
            name, len(rows), fraud.sum(), flagged.sum(),
            "%.3f" % (tp / flagged.sum()) if flagged.any() else "-",
            "%.3f" % (tp / fraud.sum()) if fraud.any() else "-"))
    return lines


def curve(y, p):
    lines = ["| threshold | flagged | precision | recall | FPR |", "|---|---|---|---|---|"]
    for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        f = p > t
        tp = (f & (y == 1)).sum()
        lines.append("| %.2f | %d | %.3f | %.3f | %.4f %% |" % (
            t, f.sum(), tp / max(1, f.sum()), tp / y.sum(), 100 * (f & (y == 0)).sum() / (y == 0).sum()))
    return lines


def report(path, m, test, p_test, oof, y, threshold, importance):
    lines = ["# The model velocity", "",
             "Made by `scripts/train`; this page too. Chosen on `data/train.csv.gz` alone; `data/test.csv.gz` is only judged.", "",
             "| judged on | rows | frauds | ROC AUC | PR AUC | recall at FPR ≤ 5 % | precision | recall |",
             "|---|---|---|---|---|---|---|---|"]
    for name, f in m.items():
        lines.append("| %s | %d | %d | %.4f | %.4f | %.4f | %.3f | %.3f |" % (
            name, f["rows"], f["positives"], f["roc_auc"], f["pr_auc"], f["recall_at_fpr_5"], f["precision"], f["recall"]))
    lines += ["", "Precision and recall at the threshold %.3f. `unseen` are the training customers, each judged by models that"
              " never saw them, from their first transaction on." % threshold, "",
              "## Thresholds", "", "On `test`, from a cold start:", "", *curve(test.target.to_numpy(), p_test), "",
              "On customers that no model had seen (out of fold):", "", *curve(y, oof), "",
              "## By category", "", *by_group(test, p_test, threshold, "cat_id"), "",
              "## By amount", "",
              *by_group(test.assign(amount=pd.cut(test.amount, [0, 10, 50, 100, 250, 500, 1000, np.inf])), p_test, threshold,
                        "amount"), "",
              "## Importance", "", "Percent of the change of the second stage's value.", "", "| feature | % |", "|---|---|",
              *("| %s | %.2f |" % pair for pair in importance), ""]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))


# ---- the whole ----------------------------------------------------------------------------------------------------

def check_rows(binary, stages, m1, m2, train):
    """Rows of the customer with the most frauds in few rows, with the raw scores that CatBoost gives."""
    per = train.groupby(customers(train)).target.agg(["size", "sum"])
    who = per[(per["size"] >= CHECK_ROWS) & (per["sum"] > 2)]["size"].idxmin()
    rows = train[customers(train) == who].drop(columns="target")
    first = int(np.argmax(train[customers(train) == who].target.to_numpy()))
    rows = rows.iloc[max(0, first - CHECK_ROWS // 2):][:CHECK_ROWS]
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as f:
        rows.to_csv(f, index=False)
        f.flush()
        s1 = m1.predict(pool(features(binary, [f.name], stages[:1])), prediction_type="RawFormulaVal")
        raw = m2.predict(pool(features(binary, [f.name], stages, s1)), prediction_type="RawFormulaVal")
    return [{"row": {c: str(v) for c, v in zip(rows.columns, r)}, "raw": float(x)}
            for r, x in zip(rows.itertuples(index=False), raw)]


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--fraudtop", required=True)
    a.add_argument("--train", required=True)
    a.add_argument("--test", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--workers", type=int, default=os.cpu_count())
    o = a.parse_args()

    with open(os.path.join(HERE, "features.json"), encoding="utf-8") as f:
        declared = json.load(f)
    stages = [{"name": n, "features": declared[n]} for n in ("first", "second")]
    text = {c: str for c in ("transaction_time", "merch", "cat_id", "name_1", "name_2", "street", "us_state", "post_code",
                             "lat", "lon", "population_city", "merchant_lat", "merchant_lon")}
    train, test = (pd.read_csv(f, dtype=text, keep_default_na=False) for f in (o.train, o.test))
    y, y_test = train.target.to_numpy(), test.target.to_numpy()

    names = np.unique(customers(train))
    fold_of = dict(zip(np.random.RandomState(SEED).permutation(names), np.arange(len(names)) % FOLDS))
    fold = np.array([fold_of[c] for c in customers(train)])

    print("first stage", file=sys.stderr)
    x1 = features(o.fraudtop, [o.train], stages[:1])
    raw1 = out_of_fold(x1, y, fold, FIRST, o.workers)
    print("second stage", file=sys.stderr)
    x2 = features(o.fraudtop, [o.train], stages, raw1)
    raw2 = out_of_fold(x2, y, fold, SECOND, o.workers)
    oof = sigmoid(raw2)
    threshold = choose_threshold(y, oof)
    with ProcessPoolExecutor(o.workers) as processes:
        m1, m2 = processes.map(fit, [(x1, y, FIRST), (x2, y, SECOND)])

    print("judging", file=sys.stderr)
    def judge(files, skip):
        s1 = m1.predict(pool(features(o.fraudtop, files, stages[:1])), prediction_type="RawFormulaVal")
        raw = m2.predict(pool(features(o.fraudtop, files, stages, s1)), prediction_type="RawFormulaVal")
        return sigmoid(raw[skip:])
    cold, warm = judge([o.test], 0), judge([o.train, o.test], len(train))
    m = {"unseen": figures(y, oof, threshold), "test": figures(y_test, cold, threshold),
         "test_warm": figures(y_test, warm, threshold)}

    made = tempfile.mkdtemp(dir=os.path.dirname(os.path.abspath(o.out)))
    for stage, model in zip(stages, (m1, m2)):
        path = os.path.join(made, stage["name"] + ".cbm")
        # What CatBoost notes of the moment would make every training another file.
        model.get_metadata()["train_finish_time"] = ""
        model.get_metadata()["model_guid"] = ""
        model.save_model(path)
        stage.update(file=stage["name"] + ".cbm", sha256=digest(path))
    write_json(os.path.join(made, "manifest.json"), manifest(
        [{k: s[k] for k in ("name", "file", "sha256", "features")} for s in stages], threshold=threshold, metrics=m,
        check=check_rows(o.fraudtop, [{"name": s["name"], "features": s["features"]} for s in stages], m1, m2, train)))
    importance = sorted(zip(x2.columns, m2.get_feature_importance()), key=lambda p: -p[1])
    report(os.path.join(made, "REPORT.md"), m, test, cold, oof, y, threshold, importance)
    os.chmod(made, 0o755)
    shutil.rmtree(o.out, ignore_errors=True)
    os.rename(made, o.out)
    for name, f in m.items():
        print("%-10s" % name, " ".join("%s %.4f" % p for p in f.items() if not isinstance(p[1], int)), file=sys.stderr)
    bad = [n for n, f in m.items() if f["recall_at_fpr_5"] < 0.98 or min(f["precision"], f["recall"]) < 0.9 or
           math.isnan(f["pr_auc"]) or f["pr_auc"] < 0.97]
    if bad:
        sys.exit("the model does not reach what is required on: " + ", ".join(bad))


if __name__ == "__main__":
    main()
