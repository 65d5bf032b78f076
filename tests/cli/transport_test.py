"""Transport problems from outside: files in, refusals, ranks, pictures. Needs h5py and matplotlib."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import h5py
    import matplotlib
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

APP = os.environ["LIBSOLVE_APP"]
MPIEXEC = os.environ.get("LIBSOLVE_MPIEXEC", "")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../apps/libsolve"))
import libsolve_plot_transport as pictures  # noqa: E402

CASE = """[problem]
source = "{source}"
{options}
[method]
name = "sinkhorn"
tolerance = 1e-8
[output]
file = "results.h5"
data = true
"""


class Transport(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="libsolve-transport-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.results = os.path.join(self.folder, "results.h5")

    def run_case(self, source, options, code=0, ranks=1):
        with open(os.path.join(self.folder, "case.toml"), "w") as f:
            f.write(CASE.format(source=source, options=options))
        command = [APP, "run", "case.toml", "--json", "--quiet"]
        if ranks > 1:
            command = [MPIEXEC, "-n", str(ranks)] + command
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def plot(self):
        done = subprocess.run([APP, "plot", "results.h5"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(os.path.join(self.folder, "results.png"), "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")

    def file(self, name="data.h5", **datasets):
        with h5py.File(os.path.join(self.folder, name), "w") as f:
            for key, values in datasets.items():
                f[key] = values

    def refused(self, *words, options='file = "data.h5"\nregularization = 0.1', source="cost-matrix"):
        done = self.run_case(source, options, code=2)
        for word in words:
            self.assertIn(word, done.stderr)


class Files(Transport):
    def test_plan_of_a_file(self):
        random = np.random.default_rng(1)
        C, a, b = random.random((30, 20)), np.full(30, 1 / 30), random.random(20) + 0.1
        b /= b.sum()
        self.file(cost=C, a=a, b=b)
        self.run_case("cost-matrix", 'file = "data.h5"\nregularization = 0.05\nplan_threshold = 1e-12')
        with h5py.File(self.results) as f:
            P = np.zeros((30, 20))
            P[f["solution/plan_row"][:], f["solution/plan_column"][:]] = f["solution/plan_value"][:]
            expected = np.exp((f["solution/f"][:][:, None] + f["solution/g"][:][None, :] - C) / 0.05)
            self.assertTrue((f["data/a"][:] == a).all())
        self.assertLess(np.abs(P - expected).max(), 1e-12)
        self.assertLess(np.abs(P.sum(axis=1) - a).sum() + np.abs(P.sum(axis=0) - b).sum(), 2e-8)

    def test_wrong_data_is_refused(self):
        C = np.ones((3, 2))
        self.file(cost=C, a=[0.5, 0.5, -0.0])
        self.refused("data.h5", "a[2]", "positive")
        self.file(cost=C, a=[1.5, 0.5, -1.0])
        self.refused("data.h5", "a[2] is -1")
        self.file(cost=C, b=[0.5, 0.6])
        self.refused("data.h5", "total of a is 1", "marginal_penalty")
        self.file(cost=C * [1.0, np.nan])
        self.refused("data.h5", "cost[0, 1] is nan")
        self.file(costs=C)
        self.refused("data.h5", "did you mean 'costs'?")
        self.file(x=np.zeros((3, 2)), y=np.zeros((4, 3)))
        self.refused("data.h5", "2 coordinates", source="point-clouds")
        self.refused("nowhere.h5", options='file = "nowhere.h5"\nregularization = 0.1')
        self.refused("problem.regularization", options='file = "data.h5"')

    @unittest.skipUnless(MPIEXEC, "no MPI")
    def test_two_ranks(self):
        options = "size = [60, 45]\ndimension = 3\nmasses = \"random\"\nregularization = 0.02"
        values = {}
        for ranks in (1, 2):
            self.run_case("point-clouds", options, ranks=ranks)
            with h5py.File(self.results) as f:
                values[ranks] = [f[name][:] for name in ("data/x", "data/y", "solution/f", "data/a")]
        for one, two in zip(values[1], values[2]):
            self.assertEqual(one.shape, two.shape)
            self.assertLess(np.abs(one - one.mean(axis=0) - two + two.mean(axis=0)).max(), 1e-6)


class Pictures(Transport):
    def test_pictures_of_clouds_and_costs(self):
        self.run_case("point-clouds", "size = [40, 50]\nregularization = 0.05")
        self.plot()
        self.run_case("assignment", "size = 30\nregularization = 0.05")
        self.plot()

    def test_pictures_of_images(self):
        with open(os.path.join(self.folder, "a.ppm"), "wb") as f:
            f.write(b"P6 8 6 255 " + np.random.default_rng(1).integers(0, 256, 8 * 6 * 3, np.uint8).tobytes())
        with open(os.path.join(self.folder, "b.pgm"), "w") as f:
            f.write("P2 7 7 9 " + " ".join(str(k % 10) for k in range(49)))
        files = 'source_file = "a.ppm"\ntarget_file = "b.pgm"\n'
        self.run_case("images", files + "relative_regularization = 0.05")
        self.plot()
        self.run_case("images", files + 'mode = "colours"\ncolours = 20\nrelative_regularization = 0.05')
        self.plot()

    def test_masses_on_their_way_are_kept(self):
        image = pictures.splat(np.array([[1.25, 2.5], [0.0, 0.5], [4.0, 3.9]]), np.array([1.0, 2.0, 4.0]), 4, 4)
        self.assertAlmostEqual(image.sum(), 7.0, 12)
        self.assertAlmostEqual(image[2, 0], 0.25, 12)
        self.assertAlmostEqual(image[2, 1], 0.75, 12)

    def test_the_map_of_the_potentials_is_that_of_the_plan(self):
        """T(x_i) = sum_j P_ij y_j / a_i, and its exponent is found from the plan."""
        self.run_case("point-clouds",
                      "size = [25, 30]\ndimension = 3\nscale = 2.0\nregularization = 0.1\nplan_threshold = 1e-15")
        with h5py.File(self.results) as f:
            plan, x, y = pictures.Plan(f), f["data/x"][:], f["data/y"][:]
            potentials = f["solution/f"][:], f["solution/g"][:]
        inverse_eps, exponent = pictures.fitted_exponent(plan, x, y, *potentials)
        self.assertAlmostEqual(inverse_eps, 10.0, 4)
        self.assertAlmostEqual(exponent, 20.0, 4)
        mean, has_mass = pictures.barycentric_map(plan, y)
        self.assertTrue(has_mass.all())
        moved = pictures.by_potentials(x, y, potentials[1], inverse_eps, exponent)
        self.assertLess(np.abs(mean - moved).max(), 1e-5)


if __name__ == "__main__":
    unittest.main()
