"""Makes the cases of this folder: NAME.csv (label,score,amount) and expected.json with scikit-learn's figures.

Run once with scikit-learn (its version is in expected.json); the files are kept, so tests need no Python.
"""
import json
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20190914)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scores(n, rate, shift):
    y = (rng.random(n) < rate).astype(int)
    return y, sigmoid(rng.normal(-2, 2, n) + shift * y)


def cases():
    y, s = scores(2000, 0.05, 4)
    yield "distinct", y, s
    yield "two_decimals", y, np.round(s, 2)
    yield "one_decimal", y, np.round(s, 1)
    y, s = scores(500, 0.5, 1)
    yield "three_values", y, rng.choice([0.1, 0.5, 0.9], 500)
    yield "all_equal", y, np.full(500, 0.25)
    yield "zeros_and_ones", y, np.where(rng.random(500) < 0.9, y, 1 - y).astype(float)
    yield "reversed", y, 1 - s
    yield "perfect", y, np.where(y == 1, 0.5 + s / 2, s / 2)
    yield "neighbours", y, 0.5 + rng.integers(0, 4, 500) * 2.0**-53
    yield "positives_only", np.ones(50, int), rng.random(50)
    yield "negatives_only", np.zeros(50, int), rng.random(50)
    yield "one_row", np.array([1]), np.array([0.75])
    yield "tiny", np.array([0, 1, 1]), np.array([0.0, 5e-324, 1.0])


def undefined_if_nan(x):
    return None if x is None or np.isnan(x) else float(x)


def at(y, s, amount, threshold, beta):
    f = s > threshold
    tp, fp = int((f & (y == 1)).sum()), int((f & (y == 0)).sum())
    fn, tn = int((~f & (y == 1)).sum()), int((~f & (y == 0)).sum())
    return {
        "tp": tp, "fp": fp, "fn": fn, "tn": tn,
        "precision": metrics.precision_score(y, f) if tp + fp else None,
        "recall": metrics.recall_score(y, f) if tp + fn else None,
        "fpr": fp / (fp + tn) if fp + tn else None,
        "f_beta": metrics.fbeta_score(y, f, beta=beta) if tp + fn else None,
        "flagged": float(amount[f].sum()),
        "missed": float(amount[~f & (y == 1)].sum()),
        "false_alarm": float(amount[f & (y == 0)].sum()),
    }


def figures(y, s, amount, threshold, beta, max_fpr, min_recall):
    both = len(set(y)) == 2
    out = {
        "threshold": threshold, "beta": beta, "max_fpr": max_fpr, "min_recall": min_recall,
        "rows": len(y), "positives": int(y.sum()),
        "roc_auc": metrics.roc_auc_score(y, s) if both else None,
        "pr_auc": metrics.average_precision_score(y, s) if y.any() else None,
        "log_loss": metrics.log_loss(y, s, labels=[0, 1]),
        "brier": float(np.mean((s - y) ** 2)),
        "at": at(y, s, amount, threshold, beta),
    }
    # Every way to cut: above the highest score, and below each distinct one.
    cuts = [at(y, s, amount, t, beta) for t in [s.max(), *sorted(set(s), reverse=True)[1:], -1.0]]
    if y.any():
        out["best_f"] = max(c["f_beta"] for c in cuts)
        out["at_recall"] = max((c["precision"] for c in cuts if c["precision"] is not None and c["recall"] >= min_recall),
                               default=None)
        if both:
            out["at_fpr"] = max(c["recall"] for c in cuts if c["fpr"] <= max_fpr)
    return out


expected = {"scikit_learn": sklearn.__version__, "cases": []}
for i, (name, y, s) in enumerate(cases()):
    amount = np.round(rng.gamma(1, 80, len(y)), 2)
    with open(f"{name}.csv", "w") as f:
        f.write("label,score,amount\n")
        for row in zip(y, s, amount):
            f.write("%d,%.17g,%.17g\n" % row)
    threshold, beta, max_fpr, min_recall = [(0.5, 1, 0.05, 0.9), (0.25, 2, 0.01, 0.5), (0.9, 0.5, 0, 1)][i % 3]
    expected["cases"].append({"name": name, **figures(y, s, amount, threshold, beta, max_fpr, min_recall)})
with open("expected.json", "w") as f:
    json.dump(expected, f, indent=1)
