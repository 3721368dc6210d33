#!/usr/bin/env python3
"""Measures EZKL on a model: one proof of one sample, with the fastest setting that keeps the model's accuracy.

    pip install -r requirements.txt
    python ezkl_peer.py --model M.onnx --input X.npy [--labels Y.npy] [--calibration C.npy] --out out.json

What is proved is what the other engine proves: the values before the last softmax, of a public input, by the network in
the verifying key. The setting is searched for in two rounds.

1.  Scales, from coarse to fine, then EZKL's own choices for its targets "resources" and "accuracy", until one loses no
    accuracy (finer scales make no circuit smaller). A setting counts if the quantised network classifies the first
    samples at most one point of accuracy worse than onnxruntime does. Of those that count, the smallest circuit, and of
    equal ones the most accurate. Without labels (a network that was not trained) accuracy means nothing, and the scale
    is that of eight-bit weights.
2.  Layouts: numbers of columns, and tables for range checks. EZKL's default has a table of 2^14 rows, which is most of
    a small network's circuit. One of each size proves once, the smallest first, until several in a row bring nothing or
    the time for the search is over. The fastest that still counts is measured, and what EZKL takes with all its
    defaults is told beside it.

Calibration is always EZKL's own. Reference strings are made here, once for each size, into the folder --srs. Making one
takes minutes from 2^19 rows on; that is not counted as EZKL's cost and has a longer limit.

Every step runs in its own process. A peer that needs longer or more memory than the limits is reported so, in
`outcome`: "ok", "over 600 s at STEP", "over 20 GiB at STEP" or "error at STEP: message".
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx

import network
from limited import Limits, run

HERE = Path(__file__).parent
LOST_POINTS = 0.01
REPEAT = 5
REPEAT_BELOW_SECONDS = 10
CALIBRATION_SAMPLES = 8
# Of the search, for the accuracy of one setting.
ACCURACY_SECONDS = 120
UNTRAINED_SCALE = 7
SCALES = (2, 3, 4, 5, 6, 7, 8, 10, 12)
# What a row costs with so many columns, as EZKL 23 proves: gates over more columns have a higher degree.
COLUMNS = {1: 3, 2: 4, 4: 11}
DEFAULT_COLUMNS = 2
# Base and digits in which a value is written to check its range; the base is the height of the table. EZKL's default
# first.
DECOMPOSITIONS = ((16384, 2), (1024, 3), (256, 3), (256, 4), (64, 4), (64, 5))
# The search ends after so many proofs in a row that are no faster, and tries no circuit so much larger than the best.
PATIENCE = 3
LARGER = 1.6


class Failed(Exception):
    """A step that did not end well; the message is an outcome."""


@dataclass
class Setting:
    """What EZKL is asked for."""

    target: str = "resources"
    scales: list | None = None
    run_args: dict = field(default_factory=dict)


@dataclass
class Trial:
    """A setting and what came of it."""

    setting: Setting
    folder: Path
    answers: dict = field(default_factory=dict)
    circuit: dict = field(default_factory=dict)
    accuracy: dict = field(default_factory=dict)
    outcome: str = "ok"

    def size(self):
        return self.circuit["logrows"], self.circuit["inner_columns"]

    def cost(self):
        """How large the circuit is, about."""
        return cost(*self.size())

    def lost(self):
        """How much accuracy is lost; nothing if there are no labels."""
        return self.accuracy.get("accuracy_float", 0) - self.accuracy.get("accuracy_quantised", 0)

    def rank(self):
        """Smaller circuits first, and of equal ones the most accurate."""
        return self.circuit["rows"], self.lost()

    def counts(self):
        return self.outcome == "ok"

    def seconds(self):
        """How long the proof took; `None` if there is none."""
        return self.answers.get("prove", {}).get("seconds")

    def summary(self):
        return {
            **asdict(self.setting),
            **self.circuit,
            **self.accuracy,
            "prove_seconds": self.seconds(),
            "outcome": self.outcome,
        }


class Peer:
    """EZKL, a model and its data."""

    def __init__(self, arguments, work):
        self.limits = Limits(arguments.timeout, arguments.memory_gib)
        self.srs_seconds = arguments.srs_timeout
        self.threads = arguments.threads
        self.work, self.strings = work, arguments.srs or work
        self.strings.mkdir(parents=True, exist_ok=True)
        self.deadline = time.monotonic() + arguments.search_seconds
        self.trials = []
        model = network.single(arguments.model)
        onnx.save(model, work / "model.onnx")
        x = np.load(arguments.input).astype(np.float32)[: arguments.samples]
        labels = np.load(arguments.labels)[: len(x)] if arguments.labels else None
        calibration = np.load(arguments.calibration).astype(np.float32) if arguments.calibration else x
        self.rows = x.reshape(len(x), -1).astype(float).tolist()
        self.expected, self.labels = network.classes(network.outputs(model, x)), labels
        rows = calibration[:CALIBRATION_SAMPLES].astype(float).reshape(-1).tolist()
        (work / "calibration.json").write_text(json.dumps({"input_data": [rows]}))

    def step(self, trial, name, threads=None, limits=None, **arguments):
        """Runs one step within the limits."""
        request, answer = trial.folder / "request.json", trial.folder / "answer.json"
        request.write_text(json.dumps({"step": name, "folder": str(trial.folder), "arguments": arguments}))
        answer.unlink(missing_ok=True)
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads or self.threads[0])}
        command = [sys.executable, str(HERE / "ezkl_step.py"), str(request), str(answer)]
        ended = run(command, environment, limits or self.limits, trial.folder / "stderr.txt")
        if ended.over:
            raise Failed(f"over {ended.over} at {name}")
        if not answer.exists():
            last = ended.stderr.strip().splitlines()[-1:] or [f"the process ended with {ended.code}"]
            raise Failed(f"error at {name}: {last[0][:300]}")
        found = json.loads(answer.read_text())
        if "error" in found:
            raise Failed(f"error at {name}: {' '.join(found['error'].split())[:300]}")
        return found

    def compare(self, outputs):
        """The accuracy of the quantised network beside onnxruntime's, on the same samples."""
        found = np.array([-1 if row is None else network.classes(np.array([row]))[0] for row in outputs])
        expected = self.expected[: len(found)]
        accuracy = {"samples": len(found), "without_witness": sum(row is None for row in outputs)}
        accuracy["agreement"] = float(np.mean(found == expected))
        if self.labels is not None:
            labels = self.labels[: len(found)]
            accuracy["accuracy_float"] = float(np.mean(expected == labels))
            accuracy["accuracy_quantised"] = float(np.mean(found == labels))
        return accuracy

    def srs(self, trial):
        """The reference string for the trial's circuit, shared by those of one size."""
        logrows = trial.circuit["logrows"]
        path = self.strings / f"{logrows}.srs"
        if not path.exists():
            limits = Limits(self.srs_seconds, self.limits.memory_gib)
            self.deadline += self.step(trial, "srs", limits=limits, path=str(path), logrows=logrows)["seconds"]
        return str(path)

    def calibrate(self, trial):
        """Calibrates and compiles."""
        setting = trial.setting
        trial.answers["calibrate"] = self.step(
            trial, "calibrate", run_args=setting.run_args, target=setting.target, scales=setting.scales
        )
        trial.circuit = circuit(trial.folder / "settings.json")
        trial.answers["compile"] = self.step(trial, "compile_circuit")

    def check(self, trial):
        """Refuses a setting that loses accuracy."""
        outputs = self.step(trial, "witnesses", samples=self.rows, seconds=ACCURACY_SECONDS)["outputs"]
        trial.accuracy = self.compare(outputs)
        if self.labels is None:
            if trial.accuracy["without_witness"]:
                raise Failed("error at witness: some samples have none")
        elif trial.lost() > LOST_POINTS + 1e-9:
            raise Failed("not taken: more than a point of accuracy lost")

    def prove(self, trial):
        """Everything from the reference string to a verified proof, once."""
        answers, srs = trial.answers, self.srs(trial)
        answers["setup"] = self.step(trial, "setup", srs=srs)
        answers["witness"] = self.step(trial, "witness", sample=self.rows[0], repeat=1)
        answers["prove"] = self.step(trial, "prove", srs=srs, repeat=1)
        answers["verify"] = self.step(trial, "verify", srs=srs, repeat=1)

    def attempt(self, setting, *actions):
        """A trial of the setting, and what came of it."""
        trial = Trial(setting, self.work / f"{len(self.trials)}")
        trial.folder.mkdir()
        self.trials.append(trial)
        try:
            for action in actions:
                action(trial)
        except Failed as failed:
            trial.outcome = str(failed)
        print(json.dumps(trial.summary()), file=sys.stderr)
        return trial

    def over(self):
        return time.monotonic() > self.deadline

    def scale(self):
        """The first round: the trial with the scales to use; `None` if none counts."""
        settings = [Setting(scales=[scale]) for scale in SCALES] + [Setting(), Setting(target="accuracy")]
        if self.labels is None:
            settings = [Setting(scales=[UNTRAINED_SCALE])]
        best = None

        def small(trial):
            if best and trial.circuit["rows"] > best.circuit["rows"]:
                raise Failed("not tried: more rows than another setting that counts")

        for setting in settings:
            if self.over() or (best and best.lost() <= 0):
                break
            trial = self.attempt(setting, self.calibrate, small, self.check)
            if trial.counts() and (best is None or trial.rank() < best.rank()):
                best = trial
        return best

    def layouts(self, trial):
        """All layouts, each with the rows it should need; those first that should cost the least."""
        assigned = trial.circuit["rows"] * DEFAULT_COLUMNS
        found = []
        for columns in COLUMNS:
            for base, legs in DECOMPOSITIONS:
                logrows = max(base.bit_length(), (assigned // columns).bit_length())
                run_args = {"num_inner_cols": columns, "decomp_base": base, "decomp_legs": legs}
                found.append((logrows, run_args))
        return sorted(found, key=lambda layout: cost(layout[0], layout[1]["num_inner_cols"]))

    def search(self):
        """The fastest trial, if any ended well, and that of EZKL's defaults, if there was time for it."""
        scaled = self.scale()
        if scaled is None:
            return None, None
        target, scales, best, idle, proved = scaled.setting.target, scaled.setting.scales, None, 0, set()

        def fast(trial):
            if best and trial.seconds() >= best.seconds():
                raise Failed("not taken: another is faster")

        for logrows, run_args in self.layouts(scaled):
            size = logrows, run_args["num_inner_cols"]
            if idle >= PATIENCE or (self.over() and (best or idle)):
                break
            if size in proved or (best and cost(*size) > best.cost() * LARGER):
                continue
            trial = self.attempt(Setting(target, scales, run_args), self.calibrate, self.prove, fast, self.check)
            if trial.seconds():
                proved |= {size, trial.size()}
            idle = 0 if trial.counts() else idle + 1
            loser = best if trial.counts() else trial
            best = trial if trial.counts() else best
            if loser:
                (loser.folder / "pk.key").unlink(missing_ok=True)
        default = None if self.over() else self.attempt(Setting(), self.calibrate, self.prove, self.check)
        if default and default.counts() and (best is None or default.seconds() < best.seconds()):
            best = default
        return best, default

    def measure(self, trial):
        """Repeats the quick steps of the best trial, and proves with each other number of threads."""
        srs, answers = self.srs(trial), trial.answers
        answers["witness"] = self.step(trial, "witness", sample=self.rows[0], repeat=REPEAT)
        if trial.seconds() < REPEAT_BELOW_SECONDS:
            answers["prove"] = self.step(trial, "prove", srs=srs, repeat=REPEAT)
        answers["verify"] = self.step(trial, "verify", srs=srs, repeat=REPEAT)
        return {
            str(threads): self.step(trial, "prove", threads=threads, srs=srs, repeat=REPEAT)["seconds"]
            for threads in self.threads[1:]
        }


def cost(logrows, columns):
    """What a circuit costs, about, in numbers that only compare."""
    return COLUMNS[columns] << logrows


def circuit(path):
    """What EZKL's settings say of the circuit's size."""
    settings = json.loads(path.read_text())
    run_args = settings["run_args"]
    return {
        "logrows": run_args["logrows"],
        "rows": settings["num_rows"],
        "inner_columns": run_args["num_inner_cols"],
        "input_scale": run_args["input_scale"],
        "param_scale": run_args["param_scale"],
        "scale_rebase_multiplier": run_args["scale_rebase_multiplier"],
        "decomp_base": run_args["decomp_base"],
        "decomp_legs": run_args["decomp_legs"],
        "lookup_range": run_args["lookup_range"],
        "required_lookups": len(settings["required_lookups"]),
        "range_checks": settings["required_range_checks"],
    }


def proof_bytes(path):
    """The proof itself, without the public values and the labels that EZKL writes beside it."""
    return (len(json.loads(path.read_text())["hex_proof"]) - 2) // 2


def furthest(trials):
    """Of trials of which none was good enough, the outcome of the one that failed last in the course of steps."""
    failed = [trial for trial in trials if trial.outcome.startswith(("over", "error"))]
    if not failed:
        return "error at calibrate: no setting keeps the accuracy"
    return max(failed, key=lambda trial: len(trial.answers)).outcome


def report(peer, arguments):
    """Searches, measures, and puts the figures together."""
    found = {
        "peer": "EZKL",
        "model": arguments.model.stem,
        "versions": {name: version(name) for name in ("ezkl", "onnx", "onnxruntime", "numpy")},
        "machine": {"system": platform.platform(), "cpus": os.cpu_count()},
        "threads": peer.threads[0],
        "visibility": {"input": "public", "weights": "fixed", "output": "public"},
        "limits": asdict(peer.limits),
    }
    best, default = peer.search()
    found["outcome"] = "ok" if best else furthest(peer.trials)
    if best:
        try:
            others = peer.measure(best)
        except Failed as failed:
            found["outcome"], others = str(failed), {}
        files, answers = best.folder, best.answers
        found |= {"settings": {**asdict(best.setting), **best.circuit}, "accuracy": best.accuracy}
        found["seconds"] = {name: answer["seconds"] for name, answer in answers.items()}
        found["cpu_seconds"] = {name: answer["cpu_seconds"] for name, answer in answers.items()}
        found["proofs"] = answers["prove"]["times"]
        found["prove_seconds_by_threads"] = {str(peer.threads[0]): best.seconds(), **others}
        found["defaults"] = default and default.summary()
        found["bytes"] = {
            "proof": proof_bytes(files / "proof.json"),
            "vk": (files / "vk.key").stat().st_size,
            "pk": (files / "pk.key").stat().st_size,
        }
        found["peak_rss_bytes"] = {name: answers[name]["peak_rss_bytes"] for name in ("setup", "prove", "verify")}
    found["tried"] = [trial.summary() for trial in peer.trials]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a network, as ONNX")
    parser.add_argument("--input", type=Path, required=True, help="samples, as .npy; the first is proved")
    parser.add_argument("--labels", type=Path, help="their classes, if the network was trained")
    parser.add_argument("--calibration", type=Path, help="samples to calibrate on; the input by default")
    parser.add_argument("--samples", type=int, default=200, help="samples to compare the accuracy on")
    parser.add_argument("--srs", type=Path, help="the folder of reference strings, kept; a temporary one by default")
    parser.add_argument("--out", type=Path, required=True, help="where the figures go, as JSON")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one step")
    parser.add_argument("--srs-timeout", type=float, default=1800, help="seconds for making a reference string")
    parser.add_argument("--search-seconds", type=float, default=600, help="after these no other setting is begun")
    parser.add_argument("--memory-gib", type=float, default=20)
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="others than the first only prove")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ezkl-") as work:
        found = report(Peer(arguments, Path(work)), arguments)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"{found['model']}: {found['outcome']}")


if __name__ == "__main__":
    main()
