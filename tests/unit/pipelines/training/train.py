"""A training as teams have it: it reads data, fits, and leaves what `release.sh` is called with."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

STRENGTH = 1.0
FEATURES = ["amount", "visits"]


def read_rows(count: int, seed: int) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    rows = pd.DataFrame(chance.normal(size=(count, 2)), columns=FEATURES)
    rows["fraud"] = (2 * rows.amount - rows.visits + chance.normal(size=count) > 0).astype(int)
    return rows


def main() -> None:
    train, held_out = read_rows(1000, seed=1), read_rows(500, seed=2)
    model = LogisticRegression(C=STRENGTH).fit(train[FEATURES], train.fraud)
    auc = roc_auc_score(held_out.fraud, model.predict_proba(held_out[FEATURES])[:, 1])
    joblib.dump(model, "model.joblib")
    train[FEATURES].to_csv("sample.csv", index=False)
    train.to_csv("train.csv", index=False)
    held_out.to_csv("held-out.csv", index=False)
    Path("metrics.json").write_text(json.dumps({"auc": auc}))


if __name__ == "__main__":
    main()
