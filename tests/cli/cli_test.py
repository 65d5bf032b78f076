"""The program from outside: exit codes, messages, signals, files. Needs h5py for some tests."""

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree

try:
    import h5py
except ImportError:
    h5py = None

APP = os.environ["LIBSOLVE_APP"]
PLUGIN = os.environ["LIBSOLVE_TEST_PLUGIN"]
MPIEXEC = os.environ.get("LIBSOLVE_MPIEXEC", "")

CASE = """[problem]
source = "test-grid"
size = [8, 6, 4]

[method]
name = "test-patient"
"""
SLOW = CASE + "delay_s = 0.01\nrate = 0.999\nrelative_tolerance = 1e-12\nmax_iterations = 1000000\n"

needs_h5py = unittest.skipUnless(h5py, "h5py is not installed")


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="libsolve-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.case = self.write("case.toml", CASE)
        self.slow = self.write("slow.toml", SLOW)
        self.results = self.path("results.h5")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def bytes_of(self, path):
        with open(path, "rb") as f:
            return f.read()

    def call(self, *words, plugin=True, **options):
        command = [APP, *words] + (["--plugin", PLUGIN] if plugin else [])
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, **options)

    def check(self, code, *words, **options):
        done = self.call(*words, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def start(self, *words):
        """A run that goes on; returns once its first snapshot is there."""
        process = subprocess.Popen(
            [APP, "run", self.slow, "--plugin", PLUGIN, "--set", "output.snapshot_interval=50ms", *words],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        end = time.time() + 60
        while not os.path.exists(self.results + ".partial") and time.time() < end:
            self.assertIsNone(process.poll(), "ended too early")
            time.sleep(0.01)
        return process

    def status(self, file=None):
        with h5py.File(file or self.results, "r") as f:
            return f["report"].attrs["status"].decode()


class ExitCodes(Cli):
    def test_converged(self):
        done = self.check(0, "run", self.case)
        self.assertIn("converged after", done.stdout)
        self.assertIn("results.h5", done.stdout)
        self.assertEqual(sorted(os.listdir(self.folder)), ["case.toml", "results.h5", "slow.toml"])

    def test_bad_input(self):
        for words in (["run", "nowhere.toml"], ["run"], ["fly", "case.toml"], ["run", self.case, "--fast"],
                      ["run", self.case, "--set", "method.rate=7"],
                      ["run", self.case, "--set", "nothing"],
                      ["run", self.case, "--time-limit", "soon"], ["check", "nowhere.toml"],
                      ["inspect", "nowhere.h5"], ["inspect", self.case], ["plot", "nowhere.h5"],
                      ["describe", "nobody"],
                      ["run", self.case, "--set", "method.outcome=unsupported"], []):
            done = self.check(2, *words)
            self.assertEqual(done.stdout, "", words)
            self.assertNotEqual(done.stderr, "", words)

    def test_not_converged(self):
        self.check(3, "run", self.case, "--set", "method.max_iterations=2")
        done = self.check(3, "run", self.slow, "--time-limit", "500ms")
        self.assertIn("time_limit", done.stdout)

    def test_breakdown(self):
        for outcome in ("breakdown", "non_finite", "throws"):
            self.check(4, "run", self.case, "--set", "method.outcome=" + outcome)
            self.assertTrue(os.path.exists(self.results))

    def test_unwritable(self):
        self.write("plain", "x")
        done = self.check(6, "run", self.case, "--output", "plain/results.h5")
        self.assertIn("plain", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_no_room_before_the_solve(self):
        done = self.check(6, "run", self.case, "--set", "problem.room=4096",
                          "--set", "method.outcome=unsupported")
        self.assertIn("no room", done.stderr)
        self.assertFalse(os.path.exists(self.results))

    def test_no_room_after_the_solve(self):
        """The old results stay, and a snapshot would."""
        self.check(0, "run", self.case)
        before = self.bytes_of(self.results)
        done = self.check(6, "run", self.case, "--json", "--set", "method.room=4096")
        report = json.loads(done.stdout)
        self.assertEqual((report["exit_code"], report["status"]), (6, "converged"))
        self.assertIsNone(report["results"])
        self.assertIn("no room", report["error"])
        self.assertEqual(self.bytes_of(self.results), before)

    def test_room_runs_out_while_writing(self):
        """More to write than was asked for ahead (many overrides): HDF5 fails half-way."""
        self.check(0, "run", self.case)
        before = self.bytes_of(self.results)
        words = ["--set", "output.file=" + 2000 * "./" + "results.h5", "--set", "method.room=600000"]
        done = self.check(6, "run", self.case, *words, *(200 * ["--set", "run.seed=1"]))
        self.assertIn("File too large", done.stderr)
        self.assertEqual(self.bytes_of(self.results), before)
        self.assertEqual([n for n in os.listdir(self.folder) if "tmp" in n], [])


class Messages(Cli):
    def test_all_problems_with_file_line_and_key(self):
        self.write("bad.toml", CASE.replace("size", "sise") + "rate = 3.0\n[outptu]\nfile = 'a'\n")
        done = self.check(2, "run", "bad.toml")
        self.assertIn("bad.toml:3: problem.sise: ", done.stderr)
        self.assertIn("closest known option: 'size'", done.stderr)
        self.assertIn("bad.toml:7: method.rate: ", done.stderr)
        self.assertIn("bad.toml:8: outptu: ", done.stderr)
        self.assertIn("3 problems", done.stderr)

    def test_missing_plugin(self):
        done = self.call("run", self.case, "--plugin", "/nowhere/plugin.so", plugin=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere/plugin.so", done.stderr)
        done = self.call("run", self.case, plugin=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("test-grid", done.stderr)
        self.assertIn("test-patient", done.stderr)

    def test_check(self):
        self.assertIn("valid", self.check(0, "check", self.case).stdout)
        resolved = self.check(0, "check", self.case, "--resolved").stdout
        self.assertIn("max_iterations = 1000", resolved)
        self.write("resolved.toml", resolved)
        self.assertEqual(self.check(0, "check", "resolved.toml", "--resolved").stdout, resolved)
        self.check(2, "check", self.case, "--set", "problem.file=none.h5")
        self.assertEqual(sorted(os.listdir(self.folder)), ["case.toml", "resolved.toml", "slow.toml"])

    def test_check_operator(self):
        self.assertIn("declared symmetric", self.check(0, "check", self.case, "--operator").stdout)
        done = self.check(2, "check", self.case, "--operator", "--set", "problem.skewed=true")
        self.assertIn("declared symmetric", done.stderr)

    def test_quiet(self):
        done = self.check(0, "run", self.case, "--quiet")
        self.assertEqual(done.stdout + done.stderr, "")

    def test_help_and_version(self):
        self.assertIn("Examples:", self.check(0, "--help", plugin=False).stdout)
        self.assertIn("--time-limit", self.check(0, "run", "--help", plugin=False).stdout)
        self.assertIn("libsolve ", self.check(0, "--version", plugin=False).stdout)
        self.assertIn("version", json.loads(self.check(0, "--version", "--json", plugin=False).stdout))

    def test_list_and_describe(self):
        self.assertIn("test-patient", self.check(0, "list").stdout)
        names = [c["name"] for c in json.loads(self.check(0, "list", "--json").stdout)["components"]]
        self.assertIn("test-grid", names)
        self.assertIn("error reduction a step", self.check(0, "describe", "test-patient").stdout)

    def test_json(self):
        done = self.check(0, "run", self.case, "--json", "--triad")
        report = json.loads(done.stdout)
        self.assertEqual(report["status"], "converged")
        self.assertEqual(report["exit_code"], 0)
        self.assertLessEqual(report["measures"]["relative_residual"], 1e-8)
        self.assertEqual(report["metrics"]["unknowns"], 192)
        self.assertGreater(report["metrics"]["td"], 0)
        self.assertIn("solve", report["seconds"])
        self.assertIn("operator_applications", report["counts"])
        self.assertEqual(report["results"], "results.h5")
        done = self.check(2, "run", "nowhere.toml", "--json")
        self.assertEqual(json.loads(done.stdout)["exit_code"], 2)

    def test_kokkos_arguments_pass_through(self):
        self.check(0, "run", self.case, "--kokkos-num-threads=1")

    @needs_h5py
    def test_threads_of_the_case(self):
        self.check(0, "run", self.case, "--set", "run.threads=1")
        with h5py.File(self.results, "r") as f:
            self.assertEqual(f["environment"].attrs["num_threads"], 1)


class Compare(Cli):
    def test_table_file_and_json(self):
        words = ["compare", self.case, "--methods", "test-patient,test-patient"]
        done = self.check(0, *words)
        lines = done.stdout.splitlines()
        self.assertIn("192 unknowns", lines[0])
        self.assertEqual(lines[1].split()[:3], ["method", "set-up", "solve"])
        self.assertEqual([line.split()[0] for line in lines[2:4]], ["test-patient"] * 2)
        self.assertIn("results.h5", done.stdout)
        self.check(0, "inspect", "results.h5")
        done = self.check(0, *words, "--json", "--repeat", "2", "--quiet")
        self.assertEqual(done.stderr, "")
        table = json.loads(done.stdout)
        self.assertEqual([row["status"] for row in table["rows"]], ["converged"] * 2)
        self.assertEqual(table["rows"][0]["ratio"], 1.0)
        self.assertGreater(table["triad_bandwidth"], 0.0)

    @needs_h5py
    def test_columns_in_the_file(self):
        self.check(3, "compare", self.case, "--methods", "test-patient", "--set",
                   "method.max_iterations=2")
        with h5py.File(self.results) as f:
            self.assertEqual(f["compare/status"].asstr()[()].tolist(), ["max_iterations"])
            self.assertEqual(f["compare/iterations"][()].tolist(), [2])
            self.assertEqual(f["compare/rows/0/residual_norm"].shape, (3,))

    def test_a_failing_method_is_a_row(self):
        done = self.check(4, "compare", self.case, "--methods", "test-patient", "--set",
                          "method.outcome=throws")
        self.assertIn("test-patient: breakdown: pivot 3 is zero", done.stdout)
        done = self.check(3, "compare", self.case, "--methods", "test-patient", "--set",
                          "method.outcome=unsupported")
        self.assertIn("patient needs what the problem has not", done.stdout)

    def test_names_are_checked_before_anything_runs(self):
        done = self.check(2, "compare", self.case, "--methods", "test-patient,test-patent")
        self.assertIn("did you mean 'test-patient'?", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.results))
        self.check(2, "compare", self.case, "--methods", "test-patient+nothing")
        self.check(2, "compare", self.case)
        self.check(2, "compare", self.case, "--methods", "test-patient", "--repeat", "0")


class Train(Cli):
    def setUp(self):
        super().setUp()
        self.train = self.write("train.toml", "[train]\nname = \"test-descent\"\n[output]\nfile = \"weights.h5\"\n")

    def test_exit_codes(self):
        done = self.check(0, "train", self.train)
        self.assertIn("converged after 50 steps", done.stdout)
        self.assertIn("results: weights.h5", done.stdout)
        report = json.loads(self.check(0, "train", self.train, "--json", "--output", "a.h5").stdout)
        self.assertEqual((report["iterations"], report["results"]), (50, "a.h5"))
        self.check(2, "train", self.train, "--set", "train.step=3")
        self.check(2, "train", self.case)
        self.check(2, "run", self.train)
        self.check(3, "train", self.train, "--set", "train.delay_s=0.1", "--time-limit", "300ms")
        self.check(4, "train", self.train, "--set", "train.rate=1e300")

    def test_signals_and_resume(self):
        slow = ["--plugin", PLUGIN, "--set", "train.delay_s=0.05", "--set", "output.snapshot_interval=50ms"]
        process = subprocess.Popen([APP, "train", self.train, *slow], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        end = time.time() + 60
        while not os.path.exists(self.path("weights.h5.partial")) and time.time() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 5, out + err)
        done = self.check(0, "train", self.train, "--resume")
        self.assertIn("resumed: step", done.stdout)

    def test_other_commands_know_trainers(self):
        self.assertIn("trainer (learn)", self.check(0, "list").stdout)
        self.assertIn("learning rate", self.check(0, "describe", "test-descent").stdout)
        self.assertIn("valid: weights trained by test-descent", self.check(0, "check", self.train).stdout)
        resolved = self.check(0, "check", self.train, "--resolved").stdout
        self.assertIn("steps = 50", resolved)
        self.check(0, "train", self.train)
        self.assertIn("layer", self.check(0, "inspect", "weights.h5").stdout)


class Files(Cli):
    @needs_h5py
    def test_overrides_are_recorded(self):
        self.check(0, "run", self.case, "--set", "method.rate=0.25", "--set", "method.rate=0.125",
                   "--set", "run.seed=7", "--output", "sub/a.h5")
        with h5py.File(self.path("sub/a.h5"), "r") as f:
            self.assertEqual([o.decode() for o in f["case/overrides"][:]],
                             ["method.rate=0.25", "method.rate=0.125", "run.seed=7",
                              'output.file="sub/a.h5"'])
            self.assertIn("rate = 0.125", f["case/resolved"][()].decode())
            self.assertEqual(f["case/text"][()].decode(), CASE)
            self.assertEqual(f["environment"].attrs["seed"], 7)
            plugin = f["environment/plugins/cli_test_components"]
            self.assertEqual(plugin.attrs["file"].decode(), os.path.realpath(PLUGIN))
            self.assertEqual(len(plugin.attrs["sha256"]), 64)

    @needs_h5py
    def test_grid_solution_is_vtkhdf(self):
        self.check(0, "run", self.case, "--set", "output.data=true")
        with h5py.File(self.results, "r") as f:
            image = f["VTKHDF"]
            self.assertEqual(image.attrs["Type"], b"ImageData")
            self.assertEqual(list(image.attrs["Version"]), [2, 0])
            self.assertEqual(list(image.attrs["WholeExtent"]), [0, 8, 0, 6, 0, 4])
            self.assertEqual(image["CellData/x"].shape, (4, 6, 8))
            self.assertEqual(image["CellData/x"], f["solution/x"])
            self.assertEqual(f["solution/x"].attrs["units"], b"m")
            self.assertEqual(f["solution/x"].attrs["axis_names"], b"xyz")
            self.assertIn("b", f["data"])

    def test_xdmf_names_the_datasets(self):
        self.check(0, "run", self.case, "--set", "output.xdmf=true")
        with open(self.path("results.xdmf")) as f:
            text = f.read()
        xml.etree.ElementTree.fromstring(text)
        self.assertIn("results.h5:/solution/x", text)
        self.assertIn('Dimensions="5 7 9"', text)

    def test_case_files_of_the_repository(self):
        folder = os.path.join(os.path.dirname(__file__), "../../data")
        for root, _, files in os.walk(folder):
            for name in sorted(files):
                path = os.path.join(root, name)
                if not name.endswith(".toml"):
                    continue
                with open(path) as f:
                    if "LIBSOLVE_DATA_DIR" in f.read() and "LIBSOLVE_DATA_DIR" not in os.environ:
                        continue
                with self.subTest(case=path):
                    checked = self.call("check", path)
                    if "this build has no " in checked.stderr:  # an optional package
                        self.assertEqual(checked.returncode, 2, checked.stderr)
                        continue
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_inspect(self):
        self.check(0, "run", self.case)
        text = self.check(0, "inspect", "results.h5").stdout
        self.assertIn("converged", text)
        self.assertIn("x [4 x 6 x 8], m", text)
        report = json.loads(self.check(0, "inspect", "results.h5", "--json").stdout)
        self.assertEqual(report["report"]["status"], "converged")

    def test_plot(self):
        self.check(0, "run", self.case)
        done = self.call("plot", "results.h5")
        if done.returncode == 1 and "matplotlib" in done.stderr:
            self.skipTest("matplotlib is not installed")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("results.png"), "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")
        os.mkdir(self.path("pictures"))
        self.check(0, "plot", "results.h5", "--output", "pictures")
        self.assertTrue(os.path.exists(self.path("pictures/results.png")))

    def test_plot_without_its_packages(self):
        self.check(0, "run", self.case)
        fake = self.write("python3", "#!/bin/sh\nexit 77\n")
        os.chmod(fake, 0o755)
        environment = dict(os.environ, PATH=self.folder, LIBSOLVE_PYTHON=fake)
        done = self.call("plot", "results.h5", env=environment)
        if done.returncode == 1:  # unless a Python of the system has them
            self.assertIn("python3-matplotlib", done.stderr)


class Signals(Cli):
    @needs_h5py
    def test_signals_stop_with_results(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            process = self.start()
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 5, out + err)
            self.assertEqual(self.status(), "interrupted")
            with h5py.File(self.results, "r") as f:
                self.assertIn(signal.Signals(number).name, f["report/notes"][0].decode())
                self.assertGreater(len(f["history/iteration"]), 0)
            self.assertFalse(os.path.exists(self.results + ".partial"))
            os.remove(self.results)

    def test_second_interrupt_kills(self):
        # Each step takes half a second: the second signal comes before the first one is looked at.
        process = self.start("--set", "method.delay_s=0.5")
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (-signal.SIGINT, 5))

    @needs_h5py
    def test_kill_leaves_a_complete_file(self):
        """SIGKILL at random moments while snapshots are written as fast as they may."""
        self.check(0, "run", self.case)
        before = self.bytes_of(self.results)
        for _ in range(8):
            process = self.start("--set", "output.snapshot_interval=1ms",
                                 "--set", "method.delay_s=0.0", "--set", "problem.size=[40, 40, 40]")
            time.sleep(random.uniform(0.0, 0.3))
            process.kill()
            process.communicate(timeout=60)
            self.assertEqual(self.status(self.results + ".partial"), "running")
            with h5py.File(self.results + ".partial", "r") as f:
                self.assertEqual(f["solution/x"].shape, (40, 40, 40))
                self.assertEqual(len(f["history/iteration"]), len(f["history/residual_norm"]))
            if shutil.which("h5dump"):
                subprocess.run(["h5dump", "-H", self.results + ".partial"], check=True,
                               stdout=subprocess.DEVNULL)
            self.assertEqual(self.bytes_of(self.results), before)
            os.remove(self.results + ".partial")

    def resumed(self, case, stop, go_on):
        """The results of a run, and of the same run stopped by `stop` and resumed with `go_on`."""
        self.write("whole.toml", case)
        self.check(0, "run", "whole.toml", "--quiet", "--output", "whole.h5")
        self.check(3, "run", "whole.toml", "--quiet", *stop)
        done = self.check(0, "run", "whole.toml", "--resume", "--json", *go_on)
        return self.path("whole.h5"), self.results, json.loads(done.stdout)

    @needs_h5py
    def test_cg_resumes_to_the_same_digits(self):
        for method in ("name = 'cg'", "name = 'cg'\npreconditioner = 'ssor'",
                       "name = 'flexible-cg'\npreconditioner = 'jacobi'"):
            with self.subTest(method=method):
                whole, stopped, report = self.resumed(
                    "[problem]\nsource = 'poisson'\nsize = [20, 20, 20]\n[method]\n" + method,
                    ["--set", "method.max_iterations=12"], [])
                self.assertTrue(any("goes on from the state" in note for note in report["notes"]))
                with h5py.File(whole) as a, h5py.File(stopped) as b:
                    self.assertEqual(a["report"].attrs["iterations"], b["report"].attrs["iterations"])
                    self.assertTrue((a["solution/x"][()] == b["solution/x"][()]).all())
                    self.assertEqual(list(a["history/iteration"]), list(b["history/iteration"]))
                    self.assertTrue((a["history/residual_norm"][()] == b["history/residual_norm"][()]).all())
                    self.assertNotIn("checkpoint/method", b)

    @needs_h5py
    def test_resume_with_other_options_starts_anew(self):
        case = "[problem]\nsource = 'poisson'\nsize = [20, 20, 20]\n[method]\nname = 'cg'\n"
        _, _, report = self.resumed(case, ["--set", "method.max_iterations=12"],
                                    ["--set", "method.preconditioner=jacobi"])
        self.assertTrue(any("other [method] options" in note for note in report["notes"]))

    @needs_h5py
    def test_sequence_resumes_to_the_same_choices(self):
        case = ("[problem]\nsource = 'heat-sequence'\nsize = [12, 12]\nsystems = 300\n"
                "[method]\nname = 'sequence'\nsolver = 'sor'\nparameter = 'omega'\ntuner = 'TUNER'\n")
        for tuner in ("relax-prior", "chebcb"):
            with self.subTest(tuner=tuner):
                self.write("seq.toml", case.replace("TUNER", tuner))
                self.check(0, "run", "seq.toml", "--quiet", "--output", "whole.h5")
                self.check(3, "run", "seq.toml", "--quiet", "--time-limit", "0.001")
                self.check(0, "run", "seq.toml", "--quiet", "--resume")
                with h5py.File(self.path("whole.h5")) as a, h5py.File(self.results) as b:
                    for column in ("cost", "value", "context"):
                        self.assertEqual(list(a["history/" + column]), list(b["history/" + column]))
                    self.assertTrue((a["solution/x"][()] == b["solution/x"][()]).all())
                    self.assertEqual(b["report/measures/systems"][()], 300)

    @needs_h5py
    def test_sequence_resumes_under_other_limits(self):
        """More systems and another limit of the inner solver go on; another tuner starts anew."""
        case = ("[problem]\nsource = 'heat-sequence'\nsize = [12, 12]\nsystems = SYSTEMS\n[method]\nname = 'sequence'\n"
                "solver = { name = 'sor', max_iterations = LIMIT }\nparameter = 'omega'\ntuner = 'TUNER'\n")

        def write(systems, limit, tuner):
            self.write("seq.toml", case.replace("SYSTEMS", str(systems)).replace("LIMIT", str(limit))
                       .replace("TUNER", tuner))

        write(120, 10000, "chebcb")
        self.check(0, "run", "seq.toml", "--quiet", "--output", "whole.h5")
        write(50, 10000, "chebcb")
        self.check(0, "run", "seq.toml", "--quiet")
        write(120, 9000, "chebcb")
        done = self.check(0, "run", "seq.toml", "--resume", "--json")
        self.assertTrue(any("goes on from the state" in n for n in json.loads(done.stdout)["notes"]))
        with h5py.File(self.path("whole.h5")) as a, h5py.File(self.results) as b:
            self.assertEqual(list(a["history/cost"]), list(b["history/cost"]))
            self.assertTrue((a["solution/x"][()] == b["solution/x"][()]).all())
        write(130, 9000, "tsallis-inf")
        done = self.check(0, "run", "seq.toml", "--resume", "--json")
        self.assertTrue(any("other [method] options" in n for n in json.loads(done.stdout)["notes"]))

    @needs_h5py
    def test_sequence_with_oracles_is_drawn(self):
        self.write("seq.toml", "[problem]\nsource = 'shifted-sequence'\nsystems = 60\n"
                   "[method]\nname = 'sequence'\nsolver = 'sor'\nparameter = 'omega'\noracles = true\n")
        self.check(0, "run", "seq.toml", "--quiet")
        with h5py.File(self.results) as f:
            costs = f["checkpoint/method/arm_costs"][()]
            self.assertEqual(costs.shape, (60, 20))
            self.assertAlmostEqual(f["metrics/mean_cost_best_of_each"][()], costs.min(axis=1).mean())
            self.assertAlmostEqual(f["metrics/mean_cost_best_fixed"][()], costs.mean(axis=0).min())
        self.check(0, "plot", self.results)
        self.assertGreater(os.path.getsize(self.path("results.png")), 20000)

    @needs_h5py
    def test_resume_after_a_kill(self):
        process = self.start()
        time.sleep(0.3)
        process.kill()
        process.communicate(timeout=60)
        done = self.check(0, "run", self.slow, "--resume", "--json", "--set", "method.rate=0.5",
                          "--set", "method.delay_s=0")
        report = json.loads(done.stdout)
        self.assertIn("resumed", report["notes"][0])
        self.assertIn("results.h5.partial", report["notes"][0])
        self.assertFalse(os.path.exists(self.results + ".partial"))
        with h5py.File(self.results, "r") as f:
            self.assertLess(f["history/relative_residual"][0], 1.0)


class Libraries(Cli):
    def test_a_petsc_library_of_another_build_is_refused(self):
        """libsolve.so beside a libsolve_petsc.so that tells another revision."""
        ldd = subprocess.run(["ldd", APP], stdout=subprocess.PIPE, text=True).stdout
        needed = [line.split("=>")[1].split()[0] for line in ldd.splitlines() if "=> /" in line]
        own = next(file for file in needed if os.path.basename(file).startswith("libsolve.so"))
        theirs = os.path.join(os.path.dirname(own), "libsolve_petsc.so")
        if not os.path.exists(theirs):
            self.skipTest("built without PETSc")
        revision = json.loads(self.check(0, "--version", "--json").stdout)["revision"]
        shutil.copy(own, self.folder)
        with open(self.path("libsolve_petsc.so"), "wb") as f:
            f.write(self.bytes_of(theirs).replace(revision.encode() + b"\0",
                                                  b"x" * len(revision) + b"\0"))
        os.chmod(self.path("libsolve_petsc.so"), 0o755)
        self.write("case.toml", "[problem]\nsource = 'poisson'\nsize = [4, 4]\n"
                   "[method]\nname = 'petsc'\n")
        folders = [self.folder] + sorted({os.path.dirname(file) for file in needed})
        done = self.check(1, "run", self.case, plugin=False,
                          env=dict(os.environ, LD_LIBRARY_PATH=":".join(folders),
                                   LIBSOLVE_PLUGIN_PATH=os.path.dirname(own) + "/libsolve/plugins"))
        self.assertIn("belongs to another build of libsolve: it has revision=xxx", done.stderr)
        self.assertIn("revision=" + revision, done.stderr)


@unittest.skipUnless(MPIEXEC, "built without MPI")
class Ranks(Cli):
    def test_two_ranks_give_one_message(self):
        done = subprocess.run([MPIEXEC, "-n", "2", APP, "run", self.case, "--plugin", PLUGIN],
                              cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120, env=dict(os.environ, OMP_NUM_THREADS="1"))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("puts the whole problem on one rank"), 1, done.stderr)

    @needs_h5py
    def test_what_is_wrong_on_one_rank_ends_all(self):
        with h5py.File(self.path("k.h5"), "w") as f:
            k = f.create_dataset("k", (16, 8, 8), fillvalue=1.0)
            k[14, 3, 2] = -1.0  # on the last rank
        self.write("case.toml", "[problem]\nsource = 'poisson'\nsize = [8, 8, 16]\n"
                   "coefficient = 'file'\ncoefficient_file = 'k.h5'\ncoefficient_dataset = '/k'\n"
                   "[method]\nname = 'cg'\n")
        done = subprocess.run([MPIEXEC, "-n", "2", APP, "run", self.case], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              env=dict(os.environ, OMP_NUM_THREADS="1"))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("cell (2, 3, 14) holds -1"), 1, done.stderr)

    def test_messages_are_those_of_the_model(self):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "libsolve", "docs",
                            "scaling_model.py")
        spec = importlib.util.spec_from_file_location("scaling_model", path)
        model = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(model)
        for processes, cells in (([1, 1, 2], 32), ([1, 1, 3], 37), ([1, 2, 2], 32)):
            ranks = processes[0] * processes[1] * processes[2]
            size = [cells * p for p in processes]
            self.write("case.toml", "[problem]\nsource = 'poisson'\nsize = %s\nlength = %s\n"
                       "[method]\nname = 'flexible-cg'\npreconditioner = 'multigrid'\n"
                       % (size, [float(p) for p in processes]))
            done = subprocess.run([MPIEXEC, "-n", str(ranks), APP, "run", self.case, "--json"],
                                  cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=120, env=dict(os.environ, OMP_NUM_THREADS="1"))
            if "built without it" in done.stderr:
                self.skipTest("ranks need PETSc")
            self.assertEqual(done.returncode, 0, done.stderr)
            metrics = json.loads(done.stdout)["metrics"]
            messages, data, _ = model.iteration(size, processes)
            self.assertEqual(metrics["messages_per_iteration"], messages)
            self.assertEqual(metrics["message_bytes_per_iteration"], data)
            if h5py:
                with h5py.File(self.results, "r") as f:
                    self.assertEqual(f["solution/x"].shape, tuple(reversed(size)))

    def test_compare_prints_and_stores_one_table(self):
        self.write("case.toml", "[problem]\nsource = 'poisson'\nsize = [14, 12, 10]\n"
                   "coefficient = 'blocks'\ndecades = 3.0\n[method]\nname = 'cg'\n")
        names = ["cg+multigrid", "hypre-pfmg", "hypre-boomeramg", "petsc-gamg", "mumps", "petsc-lu"]
        command = [APP, "compare", self.case, "--methods", ",".join(names)]
        steps = {}
        for ranks in (1, 2):
            done = subprocess.run([MPIEXEC, "-n", str(ranks)] + command, cwd=self.folder,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=400, env=dict(os.environ, OMP_NUM_THREADS="1"))
            if "without it" in done.stderr or "comes with the plugin" in done.stderr:
                self.skipTest("ranks need PETSc")
            # petsc-lu refuses two ranks, which is a row as any other
            self.assertEqual(done.returncode, 0 if ranks == 1 else 3, done.stderr + done.stdout)
            lines = done.stdout.splitlines()
            self.assertIn("%d rank" % ranks, lines[0])
            rows = [line.split() for line in lines[2:2 + len(names)]]
            self.assertEqual([row[0] for row in rows], names)
            self.assertEqual([row[-1] for row in rows[:5]], ["converged"] * 5)
            self.assertEqual(done.stdout.count("cg+multigrid"), 1)
            if ranks == 2:
                self.assertEqual(rows[5][-1], "unsupported")
                self.assertEqual(done.stdout.count("use mumps"), 1)
            if not h5py:
                continue
            with h5py.File(self.results) as f:
                table = f["compare"]
                self.assertEqual(table["method"].asstr()[()].tolist(), names)
                steps[ranks] = table["iterations"][()][:5]
                total = table["setup_seconds"][()] + table["solve_seconds"][()]
                for i in range(5):
                    self.assertAlmostEqual(table["ratio"][i], total[i] / total[0])
                    self.assertAlmostEqual(table["td"][i] / table["td"][0], total[i] / total[0])
                    self.assertLess(table["relative_residual"][i], 1e-8)
                self.assertGreater(table["memory_bytes"][:5].min(), 8 * 14 * 12 * 10)
                self.assertEqual(f["environment"].attrs["num_ranks"], ranks)
        if steps:
            self.assertLessEqual(abs(steps[1] - steps[2]).max(), 1)

    def test_input_errors_come_once(self):
        done = subprocess.run([MPIEXEC, "-n", "2", APP, "run", "nowhere.toml"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("nowhere.toml"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
