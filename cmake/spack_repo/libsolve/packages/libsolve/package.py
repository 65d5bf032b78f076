# Spack recipe of libsolve. `spack env activate .` in the root of the repository uses it; elsewhere
# `spack repo add <clone>/cmake/spack_repo/libsolve`. Spack 1.0 or newer.

import os
from pathlib import Path

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class Libsolve(CMakePackage, CudaPackage):
    """Solvers for linear systems, optimisation, transport and control, on CPUs and GPUs through
    Kokkos, with methods as plugins."""

    # The repository this recipe is part of: there is no public address yet.
    git = Path(__file__).resolve().parents[5].as_uri()

    test_requires_compiler = True  # test_consumer builds a program

    license("BSD-3-Clause")

    # No release yet. One needs its archive's sha256 here and its number in the root's CMakeLists.txt.
    version("main", branch="main")

    variant("mpi", default=True, description="Runs on many nodes, parallel HDF5")
    variant("petsc", default=True, when="+mpi", description="Methods of PETSc, hypre and MUMPS")
    variant("sundials", default=True, description="Adapters for SUNDIALS programs")
    variant("eigen", default=True, description="Direct methods of Eigen's")
    variant("openmp", default=True, description="Kernels on host threads")
    variant("kokkos-kernels", default=False, description="Kokkos Kernels, for comparison")
    variant("plots", default=True, description="libsolve plot (Python with h5py and matplotlib)")
    variant("tests", default=False, description="Builds the tests, too; --test=root runs them")

    # Kokkos is built for one architecture, the same as ours. Its names for them:
    kokkos_gpus = {
        "70": "VOLTA70",
        "75": "TURING75",
        "80": "AMPERE80",
        "86": "AMPERE86",
        "89": "ADA89",
        "90": "HOPPER90",
        "100": "BLACKWELL100",
        "120": "BLACKWELL120",
    }
    variant(
        "cuda_arch",
        default="none",
        values=("none", *kokkos_gpus),
        multi=False,
        sticky=True,
        when="+cuda",
        description="The one GPU architecture to build for",
    )

    generator("ninja")
    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")  # finds PETSc

    # One shared Kokkos in a process, which this package's plugins find too. Of 4.x only the last
    # minor version: older ones and g++ 12.2 make Views that crash.
    depends_on("kokkos@4.7:5 +shared +pic +serial cxxstd=20")
    depends_on("kokkos +openmp", when="+openmp")
    depends_on("kokkos ~openmp", when="~openmp")
    depends_on("hdf5@1.10.2:")  # from there on compressed collective writes
    depends_on("hdf5 +mpi", when="+mpi")
    depends_on("hdf5 ~mpi", when="~mpi")
    depends_on("mpi", when="+mpi")
    depends_on("zlib-api")
    depends_on("libpng")
    with default_args(type="build"):  # headers that no header of ours includes
        depends_on("tomlplusplus@3.3:")
        depends_on("cli11@2.1:")
        depends_on("fmt@9:")
        depends_on("nlohmann-json@3.11:")
        depends_on("eigen@3.4:", when="+eigen")
        depends_on("googletest@1.12:", when="+tests")
    depends_on("googletest@1.12:", type="test")

    with when("+petsc"):
        depends_on("petsc@3.18: +mpi +shared +double ~complex +hypre +mumps")
        # Its interface for structured grids, beside PETSc's; we hand it arrays of the host.
        depends_on("hypre +mpi ~complex ~cuda")
    with when("+sundials"):
        depends_on("sundials@6.4: +shared +CVODE precision=double")
        depends_on("sundials +mpi", when="+mpi")
        depends_on("sundials ~mpi", when="~mpi")
    with when("+kokkos-kernels"):
        depends_on("kokkos-kernels@4.7:5")
        for arch in kokkos_gpus:
            depends_on(
                f"kokkos-kernels +cuda cuda_arch={arch}", when=f"+cuda cuda_arch={arch}"
            )
    with when("+plots"):
        depends_on("python@3.9:", type="run")
        depends_on("py-h5py", type="run")
        depends_on("py-matplotlib", type="run")

    # GPU. Our sources are compiled through CMake's CUDA language, so Kokkos has to export its flags
    # for it: +cmake_lang, which excludes +wrapper, Kokkos' other way with g++. A Kokkos with neither
    # concretizes, and fails while it is built.
    depends_on("kokkos ~cuda", when="~cuda")  # a CPU build cannot use one with CUDA
    depends_on("cuda@12:", when="+cuda")
    for arch in kokkos_gpus:
        depends_on(
            f"kokkos +cuda +cmake_lang cuda_arch={arch}", when=f"+cuda cuda_arch={arch}"
        )
    depends_on("kokkos +cuda_lambda", when="+cuda ^kokkos@4")  # Kokkos 5 has them always
    # With Kokkos these ask for the variant that only Kokkos 4 has; our adapters pass raw pointers.
    depends_on("petsc ~kokkos", when="+petsc +cuda ^kokkos@5:")
    depends_on("sundials ~kokkos", when="+sundials +cuda ^kokkos@5:")
    # PETSc up to 3.22 with Kokkos refuses the Kokkos that we need.
    conflicts("^petsc@:3.22 +kokkos", when="+petsc", msg="take petsc@3.23: or petsc ~kokkos")
    conflicts("cuda_arch=none", when="+cuda", msg="say which GPU, for example cuda_arch=90")
    conflicts("+cuda", when="%cxx=clang", msg="only nvcc with g++ has been tried")

    conflicts("%gcc@:11", msg="libsolve needs C++20 as g++ 12 has it")
    conflicts("%clang@:15", msg="libsolve needs C++20 as clang 16 has it")
    conflicts("platform=windows", msg="libsolve runs on Linux")
    conflicts("platform=darwin", msg="libsolve runs on Linux")

    sanity_check_is_file = [
        join_path("bin", "libsolve"),
        join_path("lib", "libsolve.so"),
        join_path("lib", "cmake", "libsolve", "libsolveConfig.cmake"),
        join_path("lib", "libsolve", "plugins", "multigrid.so"),
        join_path("include", "libsolve", "core", "version.hpp"),
    ]
    sanity_check_is_dir = ["bin", "include", "lib", "share"]

    def cmake_args(self):
        spec = self.spec
        args = [
            self.define("LIBSOLVE_KOKKOS", "SYSTEM"),
            self.define("LIBSOLVE_NATIVE", False),  # Spack's compiler wrapper says for which processor
            self.define("HDF5_ROOT", spec["hdf5"].prefix),  # and not one of the system's
            self.define("BUILD_TESTING", self.run_tests or spec.satisfies("+tests")),
            self.define("LIBSOLVE_ENABLE_CUDA", spec.satisfies("+cuda")),
            self.define("LIBSOLVE_ENABLE_MPI", spec.satisfies("+mpi")),
            self.define("LIBSOLVE_ENABLE_ZLIB", True),
            self.define("LIBSOLVE_ENABLE_PNG", True),
            self.define("LIBSOLVE_ENABLE_PETSC", spec.satisfies("+petsc")),
            self.define("LIBSOLVE_ENABLE_HYPRE", spec.satisfies("+petsc")),
            self.define("LIBSOLVE_ENABLE_SUNDIALS", spec.satisfies("+sundials")),
            self.define("LIBSOLVE_ENABLE_EIGEN", spec.satisfies("+eigen")),
            self.define("LIBSOLVE_ENABLE_KOKKOS_KERNELS", spec.satisfies("+kokkos-kernels")),
            self.define("LIBSOLVE_ENABLE_IPOPT", False),  # a reference to compare with
            self.define("LIBSOLVE_ENABLE_LEMON", False),  # a reference to compare with
            self.define("LIBSOLVE_ENABLE_ASL", False),  # none of the system's; so no .nl files
        ]
        if spec.satisfies("+cuda"):
            gpu = self.kokkos_gpus[spec.variants["cuda_arch"].value]
            args.append(self.define("LIBSOLVE_CUDA_ARCH", gpu))
        return args

    def setup_run_environment(self, env):
        if self.spec.satisfies("+plots"):
            env.set("LIBSOLVE_PYTHON", self.spec["python"].command.path)

    def setup_dependent_run_environment(self, env, dependent_spec):
        """Plugins of a package that depends on libsolve are found once it is loaded; the program
        finds its own without help."""
        folder = join_path(dependent_spec.prefix, "lib", "libsolve", "plugins")
        if os.path.isdir(folder):
            env.prepend_path("LIBSOLVE_PLUGIN_PATH", folder)

    # ---- spack test run libsolve -------------------------------------------------------------------

    @run_after("install")
    def keep_what_the_tests_need(self):
        cache_extra_test_sources(
            self,
            [
                join_path("data", "linear", "poisson2d.toml"),
                join_path("tests", "install", "consumer"),
                join_path("apps", "examples"),
            ],
        )

    def _libsolve(self, *words):
        program = Executable(join_path(self.prefix.bin, "libsolve"))
        return program(*words, output=str.split, error=str.split)

    def _needs_its_gpu(self):
        if self.spec.satisfies("+cuda") and not os.path.exists("/dev/nvidiactl"):
            raise SkipTest("this machine has no NVIDIA GPU")

    def test_version(self):
        """the program starts and says what it was built with"""
        assert "libsolve" in self._libsolve("--version")

    def test_list(self):
        """every plugin of the installation loads"""
        out = self._libsolve("list")
        for name in ("cg", "multigrid", "poisson"):
            assert name in out, f"'libsolve list' does not show {name}"
        assert "NOT LOADED" not in out, out

    def test_run(self):
        """a small case is solved, and its results file is readable"""
        self._needs_its_gpu()
        case = join_path(self.test_suite.current_test_cache_dir, "data", "linear", "poisson2d.toml")
        out = self._libsolve(
            "run", case, "--set", "problem.size=[64, 64]", "--output", "smoke.h5"
        )
        assert "converged" in out
        assert "converged" in self._libsolve("inspect", "smoke.h5")

    def test_consumer(self):
        """a program outside is built with find_package(libsolve) and runs"""
        source = join_path(self.test_suite.current_test_cache_dir, "tests", "install", "consumer")
        args = [
            "-S", source, "-B", "consumer", "-G", "Ninja",
            f"-DCMAKE_MAKE_PROGRAM={self.spec['ninja'].prefix.bin.ninja}",
            f"-Dlibsolve_ROOT={self.prefix}",
            self.define("WITH_SUNDIALS", self.spec.satisfies("+sundials")),
        ]  # fmt: skip
        if self.spec.satisfies("+mpi"):
            args.append(self.define("MPI_C_COMPILER", self.spec["mpi"].mpicc))
        cmake = self.spec["cmake"].command
        cmake(*args)
        cmake("--build", "consumer")
        self._needs_its_gpu()
        consumer = Executable(join_path(os.getcwd(), "consumer", "consumer"))
        assert "consumer: ok" in consumer(output=str.split, error=str.split)
