"""Writes scikit-learn's tables with the fold of each row, and compares both programs on these folds."""

import csv
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import time
import warnings

import sklearn
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, PredefinedSplit, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
DIVISIONS = (10, 11, 12, 13, 14)
SEEDS = (1, 2, 3)
TABLES = {
    "iris": datasets.load_iris(),
    "wine": datasets.load_wine(),
    "breast cancer": datasets.load_breast_cancer(),
    "digits": datasets.load_digits(),
    "diabetes": datasets.load_diabetes(),
}
NUMBERS = "diabetes"
FIGURE = ("accuracy", "r_squared")


def divide(name, division):
    """The fold of each row, from 0."""
    table = TABLES[name]
    kind = KFold if name == NUMBERS else StratifiedKFold
    folds = [0] * len(table.target)
    for fold, (_, test) in enumerate(
        kind(FOLDS, shuffle=True, random_state=division).split(table.data, table.target)
    ):
        for row in test:
            folds[row] = fold
    return folds


def linear(name):
    return Ridge() if name == NUMBERS else LogisticRegression(max_iter=1000)


def network(name, seed):
    if name == NUMBERS:
        return TransformedTargetRegressor(
            MLPRegressor(alpha=10, max_iter=2000, random_state=seed),
            transformer=StandardScaler(),
        )
    return MLPClassifier(solver="lbfgs", alpha=1, random_state=seed)


def score(name, folds, model):
    """The scores of each fold, and the seconds to learn and predict."""
    table, scores, start = TABLES[name], [], time.perf_counter()
    for train, test in PredefinedSplit(folds).split():
        fitted = make_pipeline(StandardScaler(), model).fit(
            table.data[train], table.target[train]
        )
        scores.append(fitted.score(table.data[test], table.target[test]))
    return scores, time.perf_counter() - start


def write(name, folds, path):
    table = TABLES[name]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["fold", *table.feature_names, "target"])
        rows.writerows(
            [fold, *inputs, target]
            for fold, inputs, target in zip(folds, table.data, table.target)
        )


def options(name):
    """Pipeline's settings beside the preset."""
    if name == NUMBERS:
        return (
            "--Model:Head Identity --Model:Hidden 350 --Model:Activation Relu --Training:Epochs 200 "
            "--Training:BatchSize 200 --Training:LearningRate 0.001 --Training:Optimizer Adam "
            "--Training:WeightDecay 0 --Training:PenaltyL1 0.003 --Training:PenaliseBiases false"
        )
    return "--Training:LabelSmoothing 0.1 --Training:Dropout 0.4"


def pipeline(program, name, folds, path):
    """The scores of Pipeline in each fold, its seconds of training, and the seconds of its whole command."""
    write(name, folds, path)
    command = [program, "cross-validate", "--Data:Train", path, "--preset", "small-table"]
    command += [*options(name).split(), "--group", "fold", "--folds", str(FOLDS)]
    command += ["--seeds", str(len(SEEDS)), "--format", "json"]
    start = time.perf_counter()
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    seconds = time.perf_counter() - start
    results = json.loads(ended.stdout)["folds"]
    # A value of the column is never divided, so these are the folds of scikit-learn if they are of the same sizes.
    expected = sorted(folds.count(fold) for fold in set(folds) for _ in SEEDS)
    if sorted(result["test_rows"] for result in results) != expected:
        sys.exit(f"{name}: expected folds of {expected} rows")
    scores = [result["figures"][FIGURE[name == NUMBERS]] for result in results]
    return scores, sum(result["train_seconds"] for result in results), seconds


def mean_and_deviation(scores):
    return f"{statistics.mean(scores):.4f} ± {statistics.stdev(scores):.4f}"


def compare(program, name, folder):
    """A line of the table. Times are those of the folds of one division and one seed."""
    linear_scores, linear_time, network_scores, network_time = [], 0, [], 0
    scores, training, whole = [], 0, 0
    for division in DIVISIONS:
        folds = divide(name, division)
        found, seconds = score(name, folds, linear(name))
        linear_scores += found
        linear_time += seconds
        for seed in SEEDS:
            found, seconds = score(name, folds, network(name, seed))
            network_scores += found
            network_time += seconds
        path = folder / f"{name.replace(' ', '-')}-{division}.csv"
        found, seconds, command = pipeline(program, name, folds, path)
        scores += found
        training += seconds
        whole += command
    runs = len(DIVISIONS) * len(SEEDS)
    cells = [
        f"{name}, {'R²' if name == NUMBERS else 'accuracy'}",
        mean_and_deviation(linear_scores),
        mean_and_deviation(network_scores),
        mean_and_deviation(scores),
        f"{linear_time / len(DIVISIONS):.2f} s",
        f"{network_time / runs:.2f} s",
        f"{training / runs:.2f} s",
        f"{whole / len(DIVISIONS):.2f} s",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    # More than the default of 200 steps took more time and did not raise the accuracy.
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"scikit-learn {sklearn.__version__}, Python {platform.python_version()}")
    print()
    print("| | linear | MLP | Pipeline | time: linear | MLP | Pipeline | Pipeline's command |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in TABLES:
        compare(sys.argv[1], name, pathlib.Path(sys.argv[2]))
