#!/usr/bin/env python3
"""libsolve beside POT and OTT-JAX on the same HDF5 files: the table of plugins/transport_sources/README.md.

  transport_peers.py PATH/TO/libsolve [--peers PYTHON] [--sizes 1000,2000] [--etas 1e-1,1e-2,1e-3,1e-4]
                     [--families cloud2d,random,...] [--methods sns,sinkhorn] [--solvers pot-log,...]
                     [--tolerance 1e-9] [--limit 60] [--prefix COMMAND] [--json FILE]

--peers is the Python that has `ot` (POT) or `ott` (OTT-JAX); what it has not is left out. One thread each.
Seconds: of ours the wall time of the solve, of the others the CPU time of theirs (one thread, without
imports, reading and compiling). A peer runs until its own test says 1e-9, or as many iterations as fit the
limit, counted from a short run before. Error: L1 of both marginals, <C, P>: both recomputed here from the
plan in double. --prefix runs each solver under a command, such as one that keeps the machine quiet. Needs
h5py."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

SOLVERS = ["pot-log", "pot-stabilized", "pot-emd", "ott"]
FAMILIES = ["cloud2d", "cloud3d", "random", "digits-l1", "digits-l2"]


# ---- instances

def digit(side, seven):
    """A ring, or two strokes, on a ground of 1 % of the ink."""
    grid = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(grid, grid)

    def to_segment(x0, y0, x1, y1):
        dx, dy = x1 - x0, y1 - y0
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        return np.hypot(x - x0 - t * dx, y - y0 - t * dy)

    ring = np.abs(np.hypot((x - 0.5) / 0.7, y - 0.5) - 0.34)
    strokes = np.minimum(to_segment(0.22, 0.2, 0.76, 0.2), to_segment(0.76, 0.2, 0.42, 0.85))
    ink = 0.01 + np.exp(-((strokes if seven else ring) / 0.06) ** 2)
    return (ink / ink.sum()).ravel()


def write_instance(path, family, n):
    """Largest cost 1. Returns (source, options) for our case."""
    random = np.random.default_rng(0)
    with h5py.File(path, "w") as f:
        if family.startswith("cloud"):
            d = int(family[5])
            x, y = random.random((n, d)), random.random((n, d))
            largest = distances(x, y, 2).max()
            f["x"], f["y"], f["p"] = x / np.sqrt(largest), y / np.sqrt(largest), 2
            return "point-clouds", ""
        if family.startswith("digits"):
            side = int(round(np.sqrt(n)))
            pixels = np.stack(np.divmod(np.arange(side * side), side), axis=1).astype(float)
            p = 1 if family == "digits-l1" else 2
            pixels /= 2.0 * (side - 1) if p == 1 else np.sqrt(2.0) * (side - 1)
            f["x"], f["y"], f["p"] = pixels, pixels, p
            f["a"], f["b"] = digit(side, False), digit(side, True)
            return "point-clouds", "norm = \"manhattan\"\npower = 1.0\n" if p == 1 else ""
        f["cost"] = random.random((n, n))
        return "cost-matrix", ""


def distances(x, y, p):
    """|x - y|_2^2, or |x - y|_1 for p = 1."""
    total = np.zeros((len(x), len(y)))
    for k in range(x.shape[1]):
        t = x[:, k][:, None] - y[:, k][None, :]
        total += t * t if p == 2 else np.abs(t)
    return total


def read_instance(path):
    with h5py.File(path) as f:
        C = f["cost"][:] if "cost" in f else distances(f["x"][:], f["y"][:], int(f["p"][()]))
        a = f["a"][:] if "a" in f else np.full(C.shape[0], 1.0 / C.shape[0])
        b = f["b"][:] if "b" in f else np.full(C.shape[1], 1.0 / C.shape[1])
    return C, a, b


def measures(P, C, a, b):
    error = np.abs(P.sum(axis=1) - a).sum() + np.abs(P.sum(axis=0) - b).sum()
    return {"error": float(error), "cost": float((C * P).sum())}


# ---- peers, each in a process of its own

def timed(limit, solve):
    """solve(max_iterations) -> (plan, iterations): first 20 iterations, then what fits the limit.
    Returns plan, iterations, CPU seconds."""
    start = time.process_time()
    solve(20)
    each = (time.process_time() - start) / 20
    most = max(100, int(limit / max(each, 1e-6)))
    start = time.process_time()
    P, iterations = solve(most)
    return P, iterations, time.process_time() - start


def run_pot(which, C, a, b, eps, tolerance, limit):
    import ot
    if which == "pot-emd":
        start = time.process_time()
        P, log = ot.emd(a, b, C, numItermax=10**9, log=True)
        return P, 0, time.process_time() - start
    method = {"pot-log": "sinkhorn_log", "pot-stabilized": "sinkhorn_stabilized"}[which]
    # Its test is the 2-norm of one marginal: this makes the 1-norm small enough.
    threshold = tolerance / np.sqrt(len(b))

    def solve(most):
        P, log = ot.sinkhorn(a, b, C, eps, method=method, numItermax=most, stopThr=threshold,
                             log=True, warn=False)
        return P, int(log.get("niter", log.get("n_iter", most - 1))) + 1
    return timed(limit, solve)


def run_ott(which, C, a, b, eps, tolerance, limit):
    import jax
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn
    problem = linear_problem.LinearProblem(
        geometry.Geometry(cost_matrix=jnp.asarray(C), epsilon=eps), jnp.asarray(a), jnp.asarray(b))

    def solve(most):
        most = (most + 9) // 10 * 10
        solver = jax.jit(sinkhorn.Sinkhorn(threshold=tolerance, max_iterations=most, lse_mode=True))
        compiled = solver.lower(problem).compile()
        start = time.process_time()
        out = compiled(problem)
        P = np.asarray(out.matrix.block_until_ready())
        return P, int(out.n_iters), time.process_time() - start
    _, iterations, seconds = solve(200)
    return solve(max(100, int(limit * iterations / max(seconds, 1e-6))))


def worker(path, which, eps, tolerance, limit):
    C, a, b = read_instance(path)
    run = run_ott if which == "ott" else run_pot
    with np.errstate(all="ignore"):
        P, iterations, seconds = run(which, C, a, b, eps, tolerance, limit)
        found = measures(np.asarray(P), C, a, b)
    print(json.dumps({"seconds": seconds, "iterations": iterations,
                      "done": found["error"] <= tolerance, **found}))


def run_peer(python, path, which, eps, options):
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", JAX_PLATFORMS="cpu",
                       XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    command = options.prefix.split() + [python, os.path.abspath(__file__), "--worker", which, path, repr(eps),
               repr(options.tolerance), repr(options.limit)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        return {"note": (done.stderr.strip().splitlines() or ["failed"])[-1][:80]}
    return json.loads(done.stdout.strip().splitlines()[-1])


# ---- ours

def run_ours(app, folder, path, source, extra, method, eps, options):
    case = os.path.join(folder, "case.toml")
    results = os.path.join(folder, "results.h5")
    if os.path.exists(results):
        os.remove(results)
    with open(case, "w") as f:
        f.write(f"[problem]\nsource = \"{source}\"\nfile = \"{path}\"\n{extra}regularization = {eps!r}\n"
                f"plan_threshold = 0.0\n[method]\nname = \"{method}\"\ntolerance = {options.tolerance!r}\n"
                f"[output]\nfile = \"{results}\"\n")
    command = options.prefix.split() + [app, "run", case, "--json", "--quiet", "--time-limit",
                                        f"{options.limit:g}s"]
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_PROC_BIND="false")
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if not done.stdout.strip() or not os.path.exists(results):
        return {"note": (done.stderr.strip().splitlines() or ["failed"])[-1][:80]}
    report = json.loads(done.stdout)
    values = {}
    for group in ("measures", "counts", "seconds", "metrics"):
        values = {**report.get(group, {}), **values}
    with h5py.File(results) as f:
        potentials = f["solution/f"][:], f["solution/g"][:]
        stored = "plan_value" in f["solution"]
    C, a, b = read_instance(path)
    found = {"error": values.get("marginal_violation"), "cost": values.get("transport_cost")}
    if not stored:  # a plan of potentials: recomputed here
        with np.errstate(over="ignore"):
            P = np.exp((potentials[0][:, None] + potentials[1][None, :] - C) / eps)
        found = measures(P, C, a, b)
    return {"seconds": values.get("solve"), "done": report["status"] == "converged",
            "iterations": values.get("passes", report["iterations"]), **found}


# ---- the table

def cell(value, form):
    return "" if value is None else format(value, form)


def row_text(family, n, eta, name, r):
    if "note" in r:
        return f"| {family} | {n} | {eta:g} | {name} | {r['note']} | | | |"
    mark = "" if r["done"] else " (not done)"
    count = "" if name == "pot-emd" else f"{int(r['iterations'])}"
    return (f"| {family} | {n} | {eta:g} | {name} | {cell(r['seconds'], '.3g')}{mark} | {count} | "
            f"{cell(r['error'], '.1e')} | {cell(r['cost'], '.8f')} |")


def main():
    if sys.argv[1:2] == ["--worker"]:
        which, path, eps, tolerance, limit = sys.argv[2:]
        return worker(path, which, float(eps), float(tolerance), float(limit))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app")
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--sizes", default="1000")
    parser.add_argument("--etas", default="1e-1,1e-2,1e-3,1e-4")
    parser.add_argument("--families", default="cloud2d,random")
    parser.add_argument("--methods", default="sns,sinkhorn")
    parser.add_argument("--solvers", default=",".join(SOLVERS))
    parser.add_argument("--tolerance", type=float, default=1e-9)
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--json", help="writes every row there as well")
    options = parser.parse_args()
    names = lambda text: [w for w in text.split(",") if w]
    rows = []
    print("| family | n | eta | solver | seconds | iterations | error | <C, P> |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for family in names(options.families):
            for size in map(int, names(options.sizes)):
                path = os.path.join(folder, f"{family}-{size}.h5")
                source, extra = write_instance(path, family, size)
                largest = read_instance(path)[0].max()
                exact = False
                for eta in map(float, names(options.etas)):
                    eps = eta * largest
                    runs = [(m, lambda m=m: run_ours(options.app, folder, path, source, extra, m, eps,
                                                     options)) for m in names(options.methods)]
                    runs += [(s, lambda s=s: run_peer(options.peers, path, s, eps, options))
                             for s in names(options.solvers) if s != "pot-emd" or not exact]
                    for name, run in runs:
                        exact = exact or name == "pot-emd"
                        result = run()
                        rows.append({"family": family, "n": size, "eta": eta, "solver": name, **result})
                        print(row_text(family, size, eta, name, result), flush=True)
    if options.json:
        with open(options.json, "w") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
