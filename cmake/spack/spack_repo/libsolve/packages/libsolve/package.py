# Spack recipe of libsolve. `spack env activate .` in the root of the repository uses it.

from spack_repo.builtin.build_systems.cmake import CMakePackage
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class Libsolve(CMakePackage, CudaPackage):
    """Solvers for linear systems, optimisation, transport and control, on CPUs and GPUs through
    Kokkos, with methods as plugins."""

    # No public address yet: the `develop` entry of spack.yaml gives the sources.
    git = "https://libsolve.invalid/libsolve.git"

    license("BSD-3-Clause")

    version("main", branch="main")

    variant("mpi", default=True, description="Runs on many nodes, parallel HDF5")
    variant("petsc", default=True, when="+mpi", description="PETSc, hypre and MUMPS as methods")
    variant("sundials", default=True, description="Time integration with SUNDIALS")
    variant("eigen", default=True, description="Direct methods with Eigen")
    variant("openmp", default=True, description="Kernels on host threads")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")

    # One shared Kokkos in a process, found by this package's plugins too.
    depends_on("kokkos@4.7: +shared +pic +serial")
    depends_on("kokkos +openmp", when="+openmp")
    depends_on("kokkos cxxstd=20", when="^kokkos@4")
    depends_on("hdf5@1.10.2: +mpi", when="+mpi")
    depends_on("hdf5@1.10.2: ~mpi", when="~mpi")
    depends_on("mpi", when="+mpi")
    depends_on("zlib-api")
    depends_on("petsc@3.18: +mpi +double ~complex", when="+petsc")
    depends_on("sundials@6.4:", when="+sundials")
    depends_on("sundials +int64", when="+sundials ^petsc +int64")
    depends_on("sundials ~int64", when="+sundials ^petsc ~int64")
    depends_on("eigen@3.4:", when="+eigen")
    depends_on("tomlplusplus@3.3:")
    depends_on("cli11@2.1:")
    depends_on("fmt@9:")
    depends_on("nlohmann-json@3.11:")
    depends_on("googletest", type=("build", "test"))
    depends_on("py-h5py", type="run")
    depends_on("py-matplotlib", type="run")

    # GPU: Kokkos is built for one architecture, the same as ours. The sources are compiled through
    # CMake's CUDA language, which Kokkos has to know about.
    conflicts("cuda_arch=none", when="+cuda", msg="say which GPU: cuda_arch=90")
    for arch in CudaPackage.cuda_arch_values:
        depends_on(
            f"kokkos +cuda +cmake_lang cuda_arch={arch}", when=f"+cuda cuda_arch={arch}"
        )
    depends_on("kokkos +cuda_lambda", when="+cuda ^kokkos@4")
    # The bridges pass raw pointers, and Kokkos 5 has no cuda_lambda, for which these ask.
    depends_on("petsc ~kokkos", when="+petsc +cuda ^kokkos@5:")
    depends_on("sundials ~kokkos", when="+sundials +cuda ^kokkos@5:")

    def cmake_args(self):
        spec = self.spec
        args = [
            self.define("LIBSOLVE_KOKKOS", "SYSTEM"),
            self.define("LIBSOLVE_NATIVE", False),  # Spack's compiler wrapper chooses the processor
            self.define("BUILD_TESTING", self.run_tests),
            self.define_from_variant("LIBSOLVE_ENABLE_CUDA", "cuda"),
            self.define("LIBSOLVE_ENABLE_ZLIB", True),
            self.define("LIBSOLVE_ENABLE_IPOPT", False),
        ]
        for package in ("mpi", "petsc", "sundials", "eigen"):
            args.append(self.define(f"LIBSOLVE_ENABLE_{package.upper()}", f"+{package}" in spec))
        if "+cuda" in spec:
            args.append(
                self.define("CMAKE_CUDA_ARCHITECTURES", spec.variants["cuda_arch"].value)
            )
        return args

    @property
    def plugin_folder(self):
        return join_path(self.prefix.lib, "libsolve", "plugins")

    def setup_dependent_run_environment(self, env, dependent_spec):
        """A package that depends on libsolve and installs plugins is found after `spack load`."""
        folder = join_path(dependent_spec.prefix.lib, "libsolve", "plugins")
        env.prepend_path("LIBSOLVE_PLUGIN_PATH", folder)

    def test_list(self):
        """every plugin of the installation loads"""
        libsolve = which(self.prefix.bin.libsolve)
        out = libsolve("list", output=str.split, error=str.split)
        assert "multigrid" in out
