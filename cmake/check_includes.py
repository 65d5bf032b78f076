#!/usr/bin/env python3
"""Compares every #include with the table of layers: includes point downwards only.

usage: check_includes.py [SOURCE_FOLDER]; exit code 1 and one line per offence.
"""
import re
import sys
from pathlib import Path

# Which layers of libsolve/ a layer may include, beside itself.
PROBLEMS = {"linear", "optimize", "bilevel", "transport", "pde", "learn"}
LAYERS = {
    "core": set(),
    "linear": {"core"},
    "optimize": {"linear", "core"},
    "bilevel": {"optimize", "linear", "core"},
    "transport": {"linear", "core"},
    "pde": {"optimize", "linear", "core"},
    "learn": {"linear", "core"},
    "plugin": PROBLEMS | {"core"},
    "io": PROBLEMS | {"core"},
    "adapters": PROBLEMS | {"core", "plugin"},
    "run": PROBLEMS | {"core", "plugin", "io", "adapters"},
}
EVERYTHING = set(LAYERS)

# Third-party headers, and the places (folder or file prefix) whose .cpp and detail/ files may use them.
# Headers that are installed use none of these, but for INSTALLED (library, prefix of the file).
INSTALLED = [
    ("mpi", "libsolve/plugin/abi_stamp.hpp"),  # a plugin's stamp names the MPI it was built with
    ("petsc", "libsolve/adapters/petsc/program/"),  # not installed: shared with apps/petsc
    ("sundials", "libsolve/adapters/sundials/"),  # for programs that use SUNDIALS, and a library of its own
]
THIRD_PARTY = {
    "mpi": (r"mpi\.h", ["libsolve/core/communicator", "libsolve/core/runtime", "libsolve/plugin/abi_stamp",
                        "libsolve/adapters/", "libsolve/io/", "apps/", "tests/"]),
    "hdf5": (r"(hdf5|H5\w*)\.h", ["libsolve/io/", "tests/"]),
    "toml++": (r"toml\+\+/.*|toml\.hpp", ["libsolve/io/", "libsolve/run/", "tests/"]),
    "zlib": (r"zlib\.h", ["libsolve/io/", "tests/"]),
    "libpng": (r"png\.h", ["libsolve/io/"]),
    "json": (r"nlohmann/.*", ["libsolve/plugin/", "libsolve/io/", "libsolve/run/", "apps/", "tests/"]),
    "fmt": (r"fmt/.*", ["libsolve/", "plugins/", "apps/", "tests/"]),
    "CLI11": (r"CLI/.*", ["apps/"]),
    "petsc": (r"petsc(/private/)?\w*\.h", ["libsolve/adapters/", "libsolve/core/runtime", "apps/examples/",
                                          "apps/bench/", "apps/petsc/", "tests/"]),
    "hypre": (r"_?(HYPRE|hypre)_\w+\.h", ["libsolve/adapters/"]),
    "sundials": (r"(sundials|cvode|cvodes|arkode|ida|idas|kinsol|nvector|sunlinsol|sunmatrix|sunnonlinsol)/.*",
                 ["libsolve/adapters/", "plugins/sundials_time/", "apps/examples/", "tests/"]),
    "Eigen": (r"Eigen/.*", ["libsolve/adapters/", "plugins/", "apps/bench/", "tests/"]),
    "lemon": (r"lemon/.*", ["plugins/sparse_transport/"]),
    "AMPL": (r"asl_\w+\.h", ["plugins/nl/"]),
    "Ipopt": (r"Ip\w+\.hpp", ["plugins/ipopt/"]),
    "GoogleTest": (r"(gtest|gmock)/.*", ["tests/", "plugins/*/tests/"]),
    "CUDA": (r"cuda\w*\.h", ["libsolve/core/", "tests/"]),
}
STANDARD_OR_SYSTEM = re.compile(
    r"[a-z_]+|(std\w+|assert|ctype|dlfcn|elf|errno|execinfo|fcntl|float|immintrin|inttypes|limits|link|malloc|"
    r"locale|math|omp|poll|pthread|sched|setjmp|signal|spawn|string|strings|termios|time|unistd|x86intrin)\.h|sys/\w+\.h")
KOKKOS = re.compile(r"(Kokkos_|KokkosSparse_|KokkosBlas|KokkosKernels_|impl/Kokkos_)\w*\.hpp")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def place_allows(relative: str, places: list[str]) -> bool:
    for place in places:
        pattern = re.escape(place).replace(r"\*", "[^/]+")
        if re.match(pattern, relative):
            return True
    return False


def allowed_layers(relative: str) -> set[str]:
    parts = relative.split("/")
    if parts[0] == "libsolve":
        return LAYERS.get(parts[1], set()) | {parts[1]}
    if parts[0] == "plugins" and "tests" not in parts:
        return EVERYTHING - {"run"}
    return EVERYTHING


def problem_with(root: Path, file: Path, kind: str, name: str):
    """None, or what is wrong with one include."""
    relative = file.relative_to(root).as_posix()
    parts = relative.split("/")
    public = parts[0] == "libsolve" and file.suffix == ".hpp" and "detail" not in parts
    if kind == '"':
        target = (file.parent / name).resolve()
        if not target.is_file():
            if parts[0] == "plugins" and (root / parts[0] / parts[1] / name).is_file():
                return None  # a plugin's own folder is on its include path
            return "no such file beside it; write <libsolve/...> for headers of the library"
        other = target.relative_to(root).as_posix().split("/") if target.is_relative_to(root) else []
        if parts[0] == "libsolve":
            return "headers of the library are included as <libsolve/...>"
        if other[:1] == ["plugins"] and (parts[0] != "tests") and other[:2] != parts[:2]:
            return "another plugin's header: ask the registry for the method by its name"
        return None
    if name.startswith("libsolve/"):
        layer = name.split("/")[1]
        if layer not in LAYERS:
            return f"'{layer}' is not a layer in cmake/check_includes.py"
        allowed = allowed_layers(relative)
        if layer not in allowed:
            return f"{parts[0]}/{parts[1]} may include only {', '.join(sorted(allowed))}"
        if "/detail/" in name and parts[0] in ("plugins", "apps"):
            return "detail headers are internal to libsolve"
        return None
    if name.startswith("plugins/"):
        return None if parts[0] == "tests" else "a plugin's header: ask the registry for the method by its name"
    if name.startswith("tests/"):
        return None if "tests" in parts else "only tests include tests"
    if KOKKOS.fullmatch(name):
        return None
    for library, (pattern, places) in THIRD_PARTY.items():
        if re.fullmatch(pattern, name):
            if public and not any(l == library and relative.startswith(f) for l, f in INSTALLED):
                return f"{library} in a header that is installed: move it into the .cpp or into detail/"
            if not place_allows(relative, places):
                return f"{library} is used in {', '.join(places)} only"
            return None
    if STANDARD_OR_SYSTEM.fullmatch(name):
        return None
    return "not known to cmake/check_includes.py: say there which layer may use it"


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    offences = 0
    num_files = 0
    for top in ("libsolve", "plugins", "apps", "tests"):
        for file in sorted((root / top).rglob("*.[ch]pp")):
            num_files += 1
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                problem = match and problem_with(root, file, match[1], match[2])
                if problem:
                    print(f"{file.relative_to(root)}:{number}: {line.strip()}: {problem}")
                    offences += 1
    print(f"{num_files} files, {offences} offences")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
