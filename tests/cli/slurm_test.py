"""The batch scripts of apps/slurm, with stand-ins for srun, squeue and scontrol around the real program."""

import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
import unittest

APP = os.environ["LIBSOLVE_APP"]
PLUGIN = os.environ["LIBSOLVE_TEST_PLUGIN"]
SCRIPTS = os.path.join(os.path.dirname(__file__), "..", "..", "apps", "slurm")

CASE = """[problem]
source = "test-grid"
size = [8, 6, 4]

[method]
name = "test-patient"
"""
SLOW = CASE + "delay_s = 0.01\nrate = 0.999\nrelative_tolerance = 1e-12\nmax_iterations = 1000000\n"

# srun takes its own options away and runs the rest; with SEND_USR1 it does what Slurm does at the end.
SRUN = """#!/bin/bash
echo "srun $*" >> calls
while [[ $1 == --* ]]; do shift; done
"$@" &
pid=$!
[[ -n ${SEND_USR1:-} ]] && { sleep 2; kill -USR1 $pid; }
wait $pid
"""
SCONTROL = '#!/bin/bash\necho "scontrol $*" >> calls\n'
SQUEUE = "#!/bin/bash\ndate -Is -d @$JOB_END\n"


class Slurm(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="libsolve-slurm-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.write("case.toml", CASE)
        self.write("slow.toml", SLOW)
        for name, text in (("srun", SRUN), ("scontrol", SCONTROL), ("squeue", SQUEUE)):
            self.write("bin/" + name, text)
            os.chmod(self.path("bin/" + name), stat.S_IRWXU)
        os.symlink(APP, self.path("bin/libsolve"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)

    def job(self, script, case, *words, left=3600, **environment):
        """Runs the script as Slurm would; the calls of Slurm's programs, as lines."""
        if os.path.exists(self.path("calls")):
            os.remove(self.path("calls"))
        names = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "LIBSOLVE_RES"))}
        names.update(PATH=self.path("bin") + ":" + os.environ["PATH"], SLURM_JOB_ID="42",
                     SLURM_CPUS_PER_TASK="2", JOB_END=str(int(time.time()) + left), LIBSOLVE_PLUGIN_PATH=PLUGIN)
        names.update(environment)
        done = subprocess.run(["bash", os.path.join(SCRIPTS, script), case, *words],
                              cwd=self.folder, env=names, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        self.text = done.stdout + done.stderr
        calls = []
        if os.path.exists(self.path("calls")):
            with open(self.path("calls")) as file:
                calls = file.read().splitlines()
        return done.returncode, calls

    def report(self):
        with open(self.path("results-42.json")) as file:
            return json.load(file)

    def test_syntax_and_directives(self):
        for script in ("cpu.sbatch", "gpu.sbatch"):
            path = os.path.join(SCRIPTS, script)
            subprocess.run(["bash", "-n", path], check=True)
            with open(path) as file:
                text = file.read()
            self.assertIn("#SBATCH --signal=USR1@120\n", text)  # to the steps: no "B:"
            self.assertIn("#SBATCH --requeue\n", text)
            self.assertLess(text.rindex("#SBATCH"), text.index("set -uo"))  # Slurm reads no further

    def test_converged(self):
        code, calls = self.job("cpu.sbatch", "case.toml")
        self.assertEqual(code, 0, self.text)
        self.assertEqual(len(calls), 1, calls)  # nothing but srun
        self.assertIn("--cpus-per-task=2 --cpu-bind=cores libsolve run case.toml", calls[0])
        limit = int(calls[0].split("--time-limit ")[1].split()[0])
        self.assertAlmostEqual(limit, 3600 - 240, delta=10)
        self.assertEqual(self.report()["status"], "converged")
        self.assertTrue(os.path.exists(self.path("results-42.h5")))

    def test_end_of_the_job_from_the_environment(self):
        _, calls = self.job("cpu.sbatch", "case.toml", SLURM_JOB_END_TIME=str(int(time.time()) + 1000))
        self.assertIn("--time-limit 7", calls[0])

    def test_a_job_without_an_end(self):
        self.write("bin/squeue", "#!/bin/bash\necho NONE\n")
        code, calls = self.job("cpu.sbatch", "case.toml")
        self.assertEqual(code, 0, self.text)
        self.assertNotIn("--time-limit", calls[0])

    def test_own_clock_puts_the_job_back(self):
        code, calls = self.job("cpu.sbatch", "slow.toml", left=242)
        self.assertEqual(code, 0, self.text)
        self.assertEqual(self.report()["status"], "time_limit")
        self.assertEqual(calls[1:], ["scontrol requeue 42"])
        code, calls = self.job("cpu.sbatch", "slow.toml", "--set", "method.rate=0.5", "--set",
                               "method.delay_s=0", SLURM_RESTART_COUNT="1")
        self.assertEqual((code, len(calls)), (0, 1), self.text)
        self.assertIn("resumed", self.report()["notes"][0])

    def test_signal_puts_the_job_back(self):
        code, calls = self.job("cpu.sbatch", "slow.toml", SEND_USR1="1")
        self.assertEqual(code, 0, self.text)
        self.assertEqual(self.report()["status"], "interrupted")
        self.assertEqual(calls[1:], ["scontrol requeue 42"])

    def test_not_for_ever(self):
        code, calls = self.job("cpu.sbatch", "slow.toml", left=242, SLURM_RESTART_COUNT="3",
                               LIBSOLVE_MOST_RESTARTS="3")
        self.assertEqual((code, len(calls)), (3, 1), self.text)

    def test_other_ends_stay(self):
        code, calls = self.job("cpu.sbatch", "slow.toml", "--set", "method.max_iterations=3")
        self.assertEqual((code, len(calls)), (3, 1), self.text)
        self.assertEqual(self.report()["status"], "max_iterations")

    def test_a_bad_case(self):
        self.write("bad.toml", CASE.replace("size", "sise"))
        code, calls = self.job("cpu.sbatch", "bad.toml")
        self.assertEqual((code, len(calls)), (2, 1), self.text)

    def test_gpu(self):
        code, calls = self.job("gpu.sbatch", "case.toml")
        self.assertEqual(code, 0, self.text)
        self.assertIn("--gpus-per-task=1", calls[0])
        self.assertIn("--kokkos-map-device-id-by=mpi_rank", calls[0])


if __name__ == "__main__":
    unittest.main()
