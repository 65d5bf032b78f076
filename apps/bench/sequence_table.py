#!/usr/bin/env python3
"""Tuners on the sequences of Khodak et al. 2024 beside the best choices in hindsight: the table of
plugins/tuning/README.md. Needs h5py.

  sequence_table.py PATH/TO/libsolve [--seeds 10] [--systems 1000] [--only heat-24-sor,...] [--tuners chebcb,...]
"""

import argparse
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

SOR = ('{ name = "sor" }', "omega")
SSOR_CG = ('{ name = "cg", preconditioner = "ssor" }', "preconditioner.omega")
SEQUENCES = {
    "shifted-high": ('source = "shifted-sequence"\ndistribution = "high-variance"', 5000, *SOR),
    "shifted-low": ('source = "shifted-sequence"\ndistribution = "low-variance"', 5000, *SOR),
    "heat-24-sor": ('source = "heat-sequence"\nsize = [24, 24]', 1000, *SOR),
    "heat-24-ssor-cg": ('source = "heat-sequence"\nsize = [24, 24]', 1000, *SSOR_CG),
    "heat-49-sor": ('source = "heat-sequence"\nsize = [49, 49]', 1000, *SOR),
    "heat-49-ssor-cg": ('source = "heat-sequence"\nsize = [49, 49]', 1000, *SSOR_CG),
    "heat-99-sor": ('source = "heat-sequence"\nsize = [99, 99]', 1000, *SOR),
    "heat-99-ssor-cg": ('source = "heat-sequence"\nsize = [99, 99]', 1000, *SSOR_CG),
}
TUNERS = ["tsallis-inf", "tsallis-inf-cb", "chebcb", "relax-prior"]
PEERS = {"cg": '{ name = "cg" }',
         "cg+multigrid": '{ name = "flexible-cg", preconditioner = "multigrid" }'}


def run(app, folder, problem, systems, solver, parameter, tuner, seed, oracles=False):
    """Costs, arm costs (or None), and metrics; seconds are a system's, but for those of an iteration."""
    case = os.path.join(folder, "case.toml")
    results = os.path.join(folder, "results.h5")
    with open(case, "w") as f:
        f.write(f"[problem]\n{problem}\nsystems = {systems}\n[method]\nname = \"sequence\"\n"
                f"solver = {solver}\nparameter = \"{parameter}\"\ntuner = \"{tuner}\"\n"
                f"oracles = {str(oracles).lower()}\n[run]\nseed = {seed}\n"
                f"[output]\nfile = \"{results}\"\n")
    done = subprocess.run([app, "run", case, "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    with h5py.File(results) as f:
        return (f["history/cost"][:], f["checkpoint/method/arm_costs"][:] if oracles else None,
                {"solve": f["report/seconds/solve"][()] / systems,
                 **{k: f["metrics/" + k][()] for k in ("iteration_seconds", "decision_seconds", "decision_in_iterations",
                                                       "estimate_in_iterations", "extra_products")}})


def slope(cost, arm_costs):
    """Of the cumulative regret over the best fixed arm, in log-log, over the last nine tenths."""
    regret = np.cumsum(cost - arm_costs[:, arm_costs.sum(axis=0).argmin()])
    t = np.arange(1, len(cost) + 1)
    use = (t > len(cost) // 10) & (regret > 0)
    return np.polyfit(np.log(t[use]), np.log(regret[use]), 1)[0] if use.sum() > 10 else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--systems", type=int, help="in place of 5000 and 1000")
    parser.add_argument("--only", default=",".join(SEQUENCES))
    parser.add_argument("--tuners", default=",".join(TUNERS))
    parser.add_argument("--peers", default=",".join(PEERS))
    arguments = parser.parse_args()
    tuners = arguments.tuners.split(",")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only.split(","):
            problem, systems, solver, parameter = SEQUENCES[name]
            systems = arguments.systems or systems
            arms, totals = {}, {t: [] for t in tuners}
            for seed in range(1, arguments.seeds + 1):
                # The heat sequences are the same for every seed.
                key = seed if name.startswith("shifted") else 1
                if key not in arms:
                    arms[key] = run(arguments.app, folder, problem, systems, solver, parameter,
                                    "fixed", seed, oracles=True)[1]
                fixed, best = arms[key].mean(axis=0).min(), arms[key].min(axis=1)
                for tuner in tuners:
                    cost, _, m = run(arguments.app, folder, problem, systems, solver, parameter, tuner, seed)
                    totals[tuner].append((cost.mean() / fixed, cost.mean() / best.mean(),
                                          cost[:10].sum() / best[:10].sum(),
                                          cost[10:].sum() / best[10:].sum(),
                                          slope(cost, arms[key]), cost.mean(), m["extra_products"] / systems,
                                          1e6 * m["solve"], 1e6 * m["decision_seconds"],
                                          100 * m["decision_in_iterations"], 100 * m["estimate_in_iterations"]))
            fixed = np.mean([a.mean(axis=0).min() for a in arms.values()])
            value = 1.0 + 0.05 * np.mean([a.mean(axis=0).argmin() for a in arms.values()])
            best = np.mean([a.min(axis=1).mean() for a in arms.values()])
            print(f"{name}, T = {systems}: best fixed {fixed:.2f} (omega {value:.2f}), "
                  f"best of each {best:.2f}")
            for tuner in tuners:
                t = np.mean(totals[tuner], axis=0)
                print(f"  {tuner:15} mean {t[5]:7.2f}  /fixed {t[0]:.3f}  /best {t[1]:.3f}  "
                      f"systems 1-10 {t[2]:.3f}  after {t[3]:.3f}  slope {t[4]:.2f}  "
                      f"products {t[6]:.3f}  us a system: solve {t[7]:.0f} decide {t[8]:.2f}  "
                      f"% of an iteration: decide {t[9]:.2f} estimate {t[10]:.2f}")
            for peer, spec in PEERS.items():
                if peer not in arguments.peers.split(","):
                    continue
                if "multigrid" in peer and name.startswith("shifted"):
                    continue  # shifts below 0: no operator of positive couplings, which it takes
                cost, _, m = run(arguments.app, folder, problem, systems, spec, "", "fixed", 1)
                print(f"  {peer:15} mean {cost.mean():7.2f}  us a system: {1e6 * m['solve']:.0f}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
