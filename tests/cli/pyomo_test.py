"""Pyomo calls libsolve as a solver. Needs pyomo."""

import json
import os
import subprocess
import sys
import unittest

try:
    import pyomo.environ as pyo
    from pyomo.opt import TerminationCondition
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

APP = os.environ["LIBSOLVE_APP"]


def components(kind):
    done = subprocess.run([APP, "list", "--json"], capture_output=True, text=True)
    return [c["name"] for c in json.loads(done.stdout)["components"] if c["kind"] == kind]


METHODS = [m for m in ("sketch-newton", "ipopt") if m in components("program-solver")]
if "nl" not in components("problem-source") or not METHODS:
    print("skipped: this build has no source nl, or no method for nonlinear programs")
    sys.exit(0)


def solver():
    s = pyo.SolverFactory("asl", executable=APP)
    s.options["solver"] = APP
    s.options["method"] = METHODS[0]
    return s


class Pyomo(unittest.TestCase):
    def test_it_is_available(self):
        self.assertTrue(solver().available())

    def test_equality(self):
        """min (x - 1)^2 + y^2 on x + y = 3: x = 2, y = 1, slope 2 over the right-hand side."""
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(initialize=0.0), pyo.Var(initialize=0.0)
        m.f = pyo.Objective(expr=(m.x - 1) ** 2 + m.y ** 2)
        m.c = pyo.Constraint(expr=m.x + m.y == 3)
        m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        done = solver().solve(m)
        self.assertEqual(done.solver.termination_condition, TerminationCondition.optimal)
        self.assertAlmostEqual(pyo.value(m.x), 2, places=5)
        self.assertAlmostEqual(pyo.value(m.y), 1, places=5)
        self.assertAlmostEqual(m.dual[m.c], 2, places=5)

    def test_inequalities_and_bounds(self):
        """Hock and Schittkowski's problem 71; options go to the method."""
        m = pyo.ConcreteModel()
        m.x = pyo.Var([1, 2, 3, 4], bounds=(1, 5), initialize={1: 1, 2: 5, 3: 5, 4: 1})
        m.f = pyo.Objective(expr=m.x[1] * m.x[4] * (m.x[1] + m.x[2] + m.x[3]) + m.x[3])
        m.product = pyo.Constraint(expr=m.x[1] * m.x[2] * m.x[3] * m.x[4] >= 25)
        m.sphere = pyo.Constraint(expr=sum(m.x[i] ** 2 for i in m.x) == 40)
        s = solver()
        s.options["tolerance"] = 1e-8
        done = s.solve(m)
        self.assertEqual(done.solver.termination_condition, TerminationCondition.optimal)
        self.assertAlmostEqual(pyo.value(m.f), 17.0140173, places=5)

    def test_maximisation(self):
        """max log x + log y on x + 2 y <= 4: x = 2, y = 1."""
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(bounds=(1e-3, None), initialize=1.0), pyo.Var(bounds=(1e-3, None), initialize=0.5)
        m.f = pyo.Objective(expr=pyo.log(m.x) + pyo.log(m.y), sense=pyo.maximize)
        m.c = pyo.Constraint(expr=m.x + 2 * m.y <= 4)
        m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        done = solver().solve(m)
        self.assertEqual(done.solver.termination_condition, TerminationCondition.optimal)
        self.assertAlmostEqual(pyo.value(m.x), 2, places=5)
        self.assertAlmostEqual(pyo.value(m.y), 1, places=5)
        self.assertAlmostEqual(m.dual[m.c], 0.5, places=5)

    def test_infeasible(self):
        m = pyo.ConcreteModel()
        m.x = pyo.Var(initialize=0.5)
        m.f = pyo.Objective(expr=m.x)
        m.c = pyo.Constraint(expr=m.x ** 2 == -1)
        done = solver().solve(m, load_solutions=False)
        self.assertEqual(done.solver.termination_condition, TerminationCondition.infeasible)


if __name__ == "__main__":
    unittest.main()
