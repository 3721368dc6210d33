"""One step of EZKL in a process of its own, so that its time and memory can be limited and measured.

    ezkl_step.py REQUEST.json ANSWER.json

The request names the step and its arguments; the answer says how long it took and the peak of the process's memory, or
which error EZKL gave. All files of one setting are in one folder.
"""

import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import ezkl

from limited import peak_bytes

# Steps shorter than this are repeated, and the median is the figure.
REPEAT_BELOW_SECONDS = 10


class Files:
    """Where the files of one setting are."""

    def __init__(self, folder):
        folder = Path(folder)
        self.model, self.calibration = str(folder.parent / "model.onnx"), str(folder.parent / "calibration.json")
        self.settings, self.compiled = str(folder / "settings.json"), str(folder / "compiled.ezkl")
        self.vk, self.pk = str(folder / "vk.key"), str(folder / "pk.key")
        self.input, self.witness = str(folder / "input.json"), str(folder / "witness.json")
        self.proof = str(folder / "proof.json")


def timed(repeat, action):
    """Does it `repeat` times if that is quick, else once. The peak is that of the first time."""
    seconds, cpu_seconds, peak = [], [], 0
    while not seconds or (len(seconds) < repeat and seconds[0] < REPEAT_BELOW_SECONDS):
        start, cpu_start = time.perf_counter(), time.process_time()
        action()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
        peak = peak or peak_bytes()
    return {
        "seconds": median(seconds), "cpu_seconds": median(cpu_seconds), "times": len(seconds), "peak_rss_bytes": peak
    }


def require(holds, what):
    if not holds:
        raise RuntimeError(what)


def calibrate(files, run_args, target, scales):
    """Settings from EZKL's own calibration. Weights are fixed columns, so that the verifying key is that of this model;
    input and output are public: what the other engine's proofs say too."""
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = "public"
    arguments.param_visibility = "fixed"
    arguments.output_visibility = "public"
    for name, value in run_args.items():
        setattr(arguments, name, value)

    def action():
        require(ezkl.gen_settings(files.model, files.settings, py_run_args=arguments), "gen_settings failed")
        require(
            ezkl.calibrate_settings(files.calibration, files.model, files.settings, target, scales=scales),
            "calibrate_settings failed",
        )

    return timed(1, action)


def compile_circuit(files):
    return timed(
        1, lambda: require(ezkl.compile_circuit(files.model, files.compiled, files.settings), "compile_circuit failed")
    )


def witnesses(files, samples, seconds):
    """The circuit's outputs for as many samples as the time allows; `None` where it has no witness."""
    start, values = time.monotonic(), []
    for sample in samples:
        if values and time.monotonic() - start > seconds:
            break
        Path(files.input).write_text(json.dumps({"input_data": [sample]}))
        try:
            ezkl.gen_witness(files.input, files.compiled, files.witness)
        except RuntimeError:
            values.append(None)
            continue
        witness = json.loads(Path(files.witness).read_text())
        values.append([float(value) for value in witness["pretty_elements"]["rescaled_outputs"][0]])
    return {"seconds": (time.monotonic() - start) / len(values), "outputs": values}


def srs(files, path, logrows):
    """A reference string made here. One made by a single party is as fast as a real one."""
    partial = f"{path}.partial"
    answer = timed(1, lambda: ezkl.gen_srs(partial, logrows))
    os.replace(partial, path)
    return answer


def setup(files, srs):
    return timed(1, lambda: require(ezkl.setup(files.compiled, files.vk, files.pk, srs), "setup failed"))


def witness(files, sample, repeat):
    Path(files.input).write_text(json.dumps({"input_data": [sample]}))
    return timed(repeat, lambda: ezkl.gen_witness(files.input, files.compiled, files.witness))


def prove(files, srs, repeat):
    """EZKL's call, which reads the proving key and the reference string from their files."""
    return timed(repeat, lambda: ezkl.prove(files.witness, files.compiled, files.pk, files.proof, srs))


def verify(files, srs, repeat):
    return timed(
        repeat, lambda: require(ezkl.verify(files.proof, files.settings, files.vk, srs), "the proof was refused")
    )


STEPS = {
    step.__name__: step for step in (calibrate, compile_circuit, witnesses, srs, setup, witness, prove, verify)
}


def main():
    request_path, answer_path = sys.argv[1:]
    request = json.loads(Path(request_path).read_text())
    try:
        answer = STEPS[request["step"]](Files(request["folder"]), **request["arguments"])
    except BaseException as error:  # a panic in EZKL is not an `Exception`
        answer = {"error": f"{type(error).__name__}: {error}"}
    Path(answer_path).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
