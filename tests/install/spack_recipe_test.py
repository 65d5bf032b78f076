"""The Spack recipe against the build it describes, without Spack: a small stand-in for Spack's package
API records the directives of package.py and runs its methods.

usage: spack_recipe_test.py SOURCE CMakeCache.txt [PREFIX]    with PREFIX also what `spack test run` does
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest

SOURCE, CACHE = sys.argv[1:3]
PREFIX = sys.argv[3] if len(sys.argv) > 3 else None
REPOSITORY = os.path.join(SOURCE, "cmake", "spack_repo", "libsolve")


# ---- the stand-in ---------------------------------------------------------------------------------
class Recorder:
    """What the directives of a class body said: lists of (arguments, keywords)."""

    def __init__(self):
        self.calls = {}
        self.conditions = []  # of `with when(...)`
        self.defaults = []  # of `with default_args(...)`

    def directive(self, name):
        def record(*arguments, **keywords):
            for defaults in self.defaults:
                keywords = {**defaults, **keywords}
            when = self.conditions + ([keywords["when"]] if keywords.get("when") else [])
            keywords["when"] = " ".join(when)
            self.calls.setdefault(name, []).append((arguments, keywords))

        return record

    @contextlib.contextmanager
    def when(self, condition):
        self.conditions.append(condition)
        yield
        self.conditions.pop()

    @contextlib.contextmanager
    def default_args(self, **keywords):
        self.defaults.append(keywords)
        yield
        self.defaults.pop()


class Path(str):
    """prefix.bin.name"""

    def __getattr__(self, name):
        return Path(os.path.join(self, name))


class Executable:
    def __init__(self, path):
        self.path = path

    def __call__(self, *words, output=None, error=None):
        done = subprocess.run([self.path, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=600)
        assert done.returncode == 0, f"{self.path} {words}: {done.returncode}\n{done.stdout}"
        return done.stdout


class Spec:
    """A concrete spec that knows variants only: "+mpi ~petsc cuda_arch=90"."""

    def __init__(self, text=""):
        self.words = text.split()
        values = dict(w.split("=") for w in self.words if "=" in w)
        self.variants = {k: types.SimpleNamespace(value=v) for k, v in values.items()}

    def satisfies(self, word):
        return word in self.words

    def __getitem__(self, name):
        program = shutil.which({"python": "python3", "mpi": "mpicc"}.get(name, name)) or name
        folder = Path(os.path.dirname(program))
        return types.SimpleNamespace(command=Executable(program), mpicc=program,
                                     prefix=types.SimpleNamespace(bin=folder))


class PackageBase:
    run_tests = False

    def define(self, name, value):
        if isinstance(value, bool):
            return f"-D{name}:BOOL={'ON' if value else 'OFF'}"
        return f"-D{name}:STRING={value}"


def load_recipe():
    """The class, and the recorder of its directives."""
    recorder = Recorder()
    api = types.ModuleType("spack.package")
    for name in ("version", "variant", "depends_on", "conflicts", "requires", "license", "maintainers"):
        setattr(api, name, recorder.directive(name))
    api.when, api.default_args = recorder.when, recorder.default_args
    api.join_path = os.path.join
    api.Executable = Executable
    api.SkipTest = unittest.SkipTest
    api.run_after = lambda phase: lambda method: method
    api.cache_extra_test_sources = lambda package, sources: package.cached.extend(sources)
    cmake = types.ModuleType("cmake")
    cmake.CMakePackage = type("CMakePackage", (PackageBase,), {})
    cmake.generator = recorder.directive("generator")
    cuda = types.ModuleType("cuda")
    cuda.CudaPackage = type("CudaPackage", (PackageBase,), {})
    builtin = "spack_repo.builtin.build_systems"
    modules = {"spack": types.ModuleType("spack"), "spack.package": api, builtin + ".cmake": cmake,
               builtin + ".cuda": cuda}
    for name in ("spack_repo", "spack_repo.builtin", builtin):
        modules[name] = types.ModuleType(name)
    sys.modules.update(modules)
    path = os.path.join(REPOSITORY, "packages", "libsolve", "package.py")
    spec = importlib.util.spec_from_file_location("libsolve_recipe", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Libsolve, recorder.calls


def package(text, prefix="/nowhere"):
    made = LIBSOLVE()
    made.spec, made.prefix, made.cached = Spec(text), Path(prefix), []
    return made


def text_of(*path):
    with open(os.path.join(SOURCE, *path)) as file:
        return file.read()


def defines(text):
    """Name -> value of what the recipe hands to CMake for this spec."""
    pairs = [re.fullmatch(r"-D(\w+):\w+=(.*)", a).groups() for a in package(text).cmake_args()]
    return dict(pairs)


LIBSOLVE, CALLS = load_recipe()
ALL = "+mpi +petsc +sundials +openmp +eigen +plots"
VARIANTS = {arguments[0] for arguments, _ in CALLS["variant"]}

# Options that the recipe leaves alone: they do not change what is installed, or belong to a developer.
LEFT_ALONE = {
    "LIBSOLVE_DEPS_DIR", "LIBSOLVE_KOKKOS_URL", "LIBSOLVE_KOKKOS_SHA256",  # of a Kokkos built along
    "LIBSOLVE_PCH", "LIBSOLVE_PLUGINS", "LIBSOLVE_PYOMO_PYTHON", "LIBSOLVE_PYTHON", "LIBSOLVE_SANITIZE",
    "LIBSOLVE_TEST_TIMEOUT", "LIBSOLVE_WERROR",
}  # fmt: skip
# Name of a dependency in CMake -> Spack's, and the variant that brings it ("" for always).
PACKAGES = {
    "Kokkos": ("kokkos", ""), "MPI": ("mpi", "+mpi"), "HDF5": ("hdf5", ""), "ZLIB": ("zlib-api", ""),
    "PNG": ("libpng", ""),
    "tomlplusplus": ("tomlplusplus", ""), "CLI11": ("cli11", ""), "fmt": ("fmt", ""),
    "nlohmann_json": ("nlohmann-json", ""), "PETSC": ("petsc", "+petsc"), "HYPRE": ("hypre", "+petsc"),
    "SUNDIALS": ("sundials", "+sundials"), "EIGEN": ("eigen", "+eigen"),
    "KOKKOS_KERNELS": ("kokkos-kernels", "+kokkos-kernels"), "GTest": ("googletest", "+tests"),
    "PkgConfig": ("pkgconfig", ""), "CUDA": ("cuda", "+cuda"),
}  # fmt: skip
NOT_OFFERED = {"ASL", "IPOPT", "LEMON"}  # fixed to OFF


class Recipe(unittest.TestCase):
    def dependencies(self, name):
        """(spec, condition) of every depends_on for that package."""
        return [(a[0], k["when"]) for a, k in CALLS["depends_on"]
                if re.split(r"[@+~ ]", a[0])[0] == name]

    def test_layout(self):
        self.assertRegex(text_of("cmake", "spack_repo", "libsolve", "repo.yaml"),
                         r"namespace: libsolve\n\s+api: v2\.\d")
        self.assertIn("libsolve: cmake/spack_repo/libsolve\n", text_of("spack.yaml"))
        self.assertEqual(LIBSOLVE.git, "file://" + os.path.realpath(SOURCE))

    def test_every_option_of_the_recipe_is_one_of_the_build(self):
        cache = set(re.findall(r"^(LIBSOLVE_\w+):(?!INTERNAL)", text_of(CACHE), re.M))
        named = {n for n in defines(ALL + " +cuda cuda_arch=90") if n.startswith("LIBSOLVE_")}
        self.assertEqual(named - cache, set(), "the recipe sets what CMake does not know")
        self.assertEqual(cache - named - LEFT_ALONE, set(),
                         "CMake options that the recipe neither sets nor leaves alone on purpose")

    def test_every_feature_is_on_or_off_never_found_by_chance(self):
        for text in ("", ALL, ALL + " +cuda cuda_arch=80 +kokkos-kernels"):
            for name, value in defines(text).items():
                if name.startswith("LIBSOLVE_ENABLE_"):
                    self.assertIn(value, ("ON", "OFF"), name)

    def test_variants_reach_cmake(self):
        for variant in ("mpi", "petsc", "sundials", "eigen", "kokkos-kernels"):
            option = "LIBSOLVE_ENABLE_" + variant.upper().replace("-", "_")
            self.assertIn(variant, VARIANTS)
            self.assertEqual(defines("+" + variant)[option], "ON")
            self.assertEqual(defines("~" + variant)[option], "OFF")
        self.assertEqual(defines("+tests")["BUILD_TESTING"], "ON")
        self.assertEqual(defines("~tests")["BUILD_TESTING"], "OFF")
        gpu = defines("+cuda cuda_arch=80")
        self.assertEqual((gpu["LIBSOLVE_ENABLE_CUDA"], gpu["LIBSOLVE_CUDA_ARCH"]), ("ON", "AMPERE80"))
        self.assertNotIn("LIBSOLVE_CUDA_ARCH", defines("~cuda"))

    def test_every_dependency_of_the_build_is_one_of_the_recipe(self):
        cmake = text_of("cmake", "LibsolveDependencies.cmake")
        found = set(re.findall(r"^libsolve_optional\((\w+)", cmake, re.M))
        found |= set(re.findall(r"^libsolve_header_library\((\w+)", cmake, re.M))
        found |= set(re.findall(r"^\s*find_package\((Kokkos|HDF5|PkgConfig)\b", cmake, re.M))
        self.assertGreater(len(found), 10)
        for name in found - NOT_OFFERED:
            spack, condition = PACKAGES[name]
            conditions = [when for _, when in self.dependencies(spack)]
            self.assertTrue(any(when == condition or not when for when in conditions),
                            f"{spack}: wanted when '{condition}', depends_on has {conditions}")

    def test_conditions_name_variants_that_are_there(self):
        known = VARIANTS | {"cuda", "build_type"}
        for kind in ("depends_on", "conflicts"):
            for arguments, keywords in CALLS[kind]:
                own = keywords["when"].split("^")[0] + " " + keywords["when"]
                own = re.sub(r"\^\S+( [+~]\S+)*", "", own)  # ^petsc +kokkos speaks of petsc
                for name in re.findall(r"[+~]([a-z][\w-]*)", own):
                    self.assertIn(name, known, keywords["when"])

    def test_versions(self):
        project = re.search(r"project\(libsolve VERSION ([\d.]+)", text_of("CMakeLists.txt")).group(1)
        versions = [arguments[0] for arguments, _ in CALLS["version"]]
        self.assertIn("main", versions)
        number = lambda text: [int(part) for part in text.split(".")]
        for (name,), keywords in CALLS["version"]:
            if "branch" not in keywords:  # a release
                self.assertLessEqual(number(name), number(project))
                self.assertIn("sha256", keywords, f"release {name} without a checksum")

    def test_minimum_versions_agree_with_cmake(self):
        cmake = text_of("CMakeLists.txt")
        minimum = re.search(r"cmake_minimum_required\(VERSION ([\d.]+)", cmake).group(1)
        self.assertIn(f"cmake@{minimum}:", [spec for spec, _ in self.dependencies("cmake")])
        needed = text_of("cmake", "LibsolveDependencies.cmake")
        for package_name, spack in (("SUNDIALS", "sundials"), ("Kokkos", "kokkos"),
                                    ("KokkosKernels", "kokkos-kernels")):
            at_least = re.search(rf"find_package\({package_name} ([\d.]+)", needed).group(1)
            specs = [s for s, _ in self.dependencies(spack) if "@" in s]
            asked = re.search(r"@([\d.]+)", specs[0]).group(1)
            self.assertGreaterEqual([int(p) for p in asked.split(".")],
                                    [int(p) for p in at_least.split(".")], spack)

    def test_one_gpu_architecture_for_kokkos_and_us(self):
        for arch in LIBSOLVE.kokkos_gpus:
            self.assertIn((f"kokkos +cuda +cmake_lang cuda_arch={arch}", f"+cuda cuda_arch={arch}"),
                          self.dependencies("kokkos"))
        values = [k for a, k in CALLS["variant"] if a[0] == "cuda_arch"][0]
        self.assertFalse(values["multi"])
        self.assertEqual(set(values["values"]) - {"none"}, set(LIBSOLVE.kokkos_gpus))
        self.assertIn(("kokkos +cuda_lambda", "+cuda ^kokkos@4"), self.dependencies("kokkos"))

    def test_conflicts_say_what_to_do(self):
        for arguments, keywords in CALLS["conflicts"]:
            self.assertTrue(keywords.get("msg"), arguments)

    def test_environment_of_dependents(self):
        folder = tempfile.mkdtemp(prefix="libsolve-spack-")
        self.addCleanup(shutil.rmtree, folder)
        paths = []
        environment = types.SimpleNamespace(
            prepend_path=lambda name, value: paths.append((name, value)))
        dependent = types.SimpleNamespace(prefix=folder)
        package("").setup_dependent_run_environment(environment, dependent)
        self.assertEqual(paths, [], "a package without plugins")
        plugins = os.path.join(folder, "lib", "libsolve", "plugins")
        os.makedirs(plugins)
        package("").setup_dependent_run_environment(environment, dependent)
        self.assertEqual(paths, [("LIBSOLVE_PLUGIN_PATH", plugins)])

    def test_sources_of_the_smoke_tests_exist(self):
        made = package("")
        made.keep_what_the_tests_need()
        self.assertTrue(made.cached)
        for path in made.cached:
            self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)


@unittest.skipUnless(PREFIX, "no installation given")
class Installed(unittest.TestCase):
    """Sanity checks and stand-alone tests of the recipe on an installed prefix."""

    def setUp(self):
        features = subprocess.run([os.path.join(PREFIX, "bin", "libsolve"), "--version"], text=True,
                                  stdout=subprocess.PIPE, check=True).stdout
        on = [f"+{name}" for name in ("mpi", "cuda", "sundials") if f" {name}" in features]
        self.package = package(" ".join(on), PREFIX)
        self.package.test_suite = types.SimpleNamespace(current_test_cache_dir=SOURCE)
        folder = tempfile.mkdtemp(prefix="libsolve-spack-")
        self.addCleanup(shutil.rmtree, folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)

    def test_sanity_check(self):
        for path in LIBSOLVE.sanity_check_is_file:
            self.assertTrue(os.path.isfile(os.path.join(PREFIX, path)), path)
        for path in LIBSOLVE.sanity_check_is_dir:
            self.assertTrue(os.path.isdir(os.path.join(PREFIX, path)), path)

    def test_version(self):
        self.package.test_version()

    def test_list(self):
        self.package.test_list()

    def test_run(self):
        self.package.test_run()

    @unittest.skipIf(os.environ.get("LIBSOLVE_NO_CONSUMER"), "tests/install builds it already")
    def test_consumer(self):
        self.package.test_consumer()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"])
