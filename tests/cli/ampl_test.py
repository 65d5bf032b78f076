"""The program as AMPL calls a solver: libsolve STUB -AMPL, its .sol file and its exit codes. And libsolve check
--derivatives."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

APP = os.environ["LIBSOLVE_APP"]

# min x1 (max -x1 as MAXIMISE) subject to x1^2 + x2^2 = 2, x1 - x2 >= 0; at (-1, -1), started at (-1, -2).
PROBLEM = """g3 1 1 0
 2 2 1 0 1
 1 0
 0 0
 2 0 0
 0 0 0 1
 0 0 0 0 0
 4 1
 0 0
 0 0 0 0 0
C0
o0
o5
v0
n2
o5
v1
n2
C1
n0
O0 {sense}
n0
x2
0 -1
1 -2
r
4 {radius}
2 0
b
3
3
k1
2
J0 2
0 0
1 0
J1 2
0 1
1 -1
G0 1
0 {slope}
"""


def components(kind):
    done = subprocess.run([APP, "list", "--json"], capture_output=True, text=True)
    return [c["name"] for c in json.loads(done.stdout)["components"] if c["kind"] == kind]


METHODS = [m for m in ("sketch-newton", "ipopt") if m in components("program-solver")]
if "nl" not in components("problem-source") or not METHODS:
    print("skipped: this build has no source nl, or no method for nonlinear programs")
    sys.exit(0)


class Ampl(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="libsolve-ampl-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, radius=2, sense=0, slope=1):
        with open(os.path.join(self.folder, "p.nl"), "w") as f:
            f.write(PROBLEM.format(radius=radius, sense=sense, slope=slope))

    def call(self, *words, code=0, stub="p", options=None):
        environment = dict(os.environ)
        environment.pop("libsolve_options", None)
        if options is not None:
            environment["libsolve_options"] = options
        done = subprocess.run([APP, stub, "-AMPL", *words], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def solution(self):
        """Message, duals, primals, code."""
        with open(os.path.join(self.folder, "p.sol")) as f:
            message, rest = f.read().split("\n\n", 1)
        lines = rest.split("\n")
        self.assertEqual(lines[:5], ["Options", "3", "1", "1", "0"])
        m, duals, n, values = (int(k) for k in lines[5:9])
        self.assertEqual((m, duals, n, values), (2, 2, 2, 2))
        numbers = [float(line) for line in lines[9:13]]
        word, objective, result = lines[13].split()
        self.assertEqual((word, objective), ("objno", "0"))
        return message, numbers[:2], numbers[2:], int(result)

    def near(self, got, wanted):
        for a, b in zip(got, wanted, strict=True):
            self.assertAlmostEqual(a, b, places=5)

    def test_minimum_with_duals_in_ampl_sign(self):
        # x1 = -sqrt(r/2) where x1 = x2: d x1 / d r = -1/4 at r = 2; d x1 / d b = 1/2 for x1 - x2 >= b.
        for method in METHODS:
            self.write()
            done = self.call(f"method={method}")
            message, duals, x, result = self.solution()
            self.assertEqual(result, 0, message)
            self.near(x, [-1, -1])
            self.near(duals, [-0.25, 0.5])
            self.assertIn(method, message)
            self.assertIn(message, done.stdout)

    def test_maximum_has_the_slopes_of_the_objective_as_stated(self):
        self.write(sense=1, slope=-1)
        self.call(f"method={METHODS[0]}")
        message, duals, x, result = self.solution()
        self.assertEqual(result, 0, message)
        self.near(x, [-1, -1])
        self.near(duals, [0.25, -0.5])

    def test_infeasible(self):
        self.write(radius=-1)
        for method in METHODS:
            self.call(f"method={method}")
            self.assertIn(self.solution()[3], (200, 201))

    def test_iteration_limit_from_the_environment_and_the_command_line_wins(self):
        self.write()
        self.call(options=f"method={METHODS[0]} max_iterations=1")
        self.assertEqual(self.solution()[3], 400)
        self.call("max_iterations=100", options=f"method={METHODS[0]} max_iterations=1")
        self.assertEqual(self.solution()[3], 0)

    def test_results_file_only_when_asked(self):
        self.write()
        self.call(f"method={METHODS[0]}", stub="p.nl")
        self.assertEqual(sorted(os.listdir(self.folder)), ["p.nl", "p.sol"])
        self.call(f"method={METHODS[0]}", "output=p.h5")
        self.assertEqual(sorted(os.listdir(self.folder)), ["p.h5", "p.nl", "p.sol"])

    def test_bad_input_leaves_no_solution(self):
        self.write()
        self.call(f"method={METHODS[0]}")
        self.assertIn("tolerance", self.call(f"method={METHODS[0]}", "tolarance=1", code=2).stderr)
        self.assertEqual(os.listdir(self.folder), ["p.nl"])
        self.assertIn("q.nl", self.call(stub="q", code=2).stderr)
        self.assertIn("key=value", self.call("quickly", code=2).stderr)
        with open(os.path.join(self.folder, "p.nl"), "a") as f:
            f.write("J0 1\n")
        self.assertIn("p.nl:", self.call(f"method={METHODS[0]}", code=2).stderr)

    def test_version_line(self):
        done = subprocess.run([APP, "-v"], capture_output=True, text=True)
        self.assertRegex(done.stdout, r"^libsolve \d+\.\d+\.\d+")


class Check(unittest.TestCase):
    def check(self, objective, start, code):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "case.toml"), "w") as f:
                f.write(f'[problem]\nsource = "formulas"\nvariables = ["x"]\nobjective = "{objective}"\n'
                        f'start = {start}\n[method]\nname = "{METHODS[0]}"\n')
            done = subprocess.run([APP, "check", "case.toml", "--derivatives"], cwd=folder,
                                  capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_derivatives_are_listed_with_the_worst(self):
        text = self.check("exp(x)*sin(x)", 0.5, 0).stdout
        for word in ("gradient:", "Hessian:", "W v:", "at x"):
            self.assertIn(word, text)
        self.assertNotIn("WRONG", text)

    def test_functions_that_are_not_finite_are_said(self):
        self.assertIn("choose another start", self.check("log(x)", -3, 2).stderr)


if __name__ == "__main__":
    unittest.main()
