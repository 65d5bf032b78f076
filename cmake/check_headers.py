#!/usr/bin/env python3
"""Compiles every header alone, so that each one includes what it uses.

usage: check_headers.py BUILD_FOLDER SOURCE_FOLDER PROBE [WITHOUT...]
The command is the one of PROBE in compile_commands.json, a source that links the libraries of this
tree and nothing else, with -fsyntax-only. Folders WITHOUT are left out (an adapter to what is not there). A header is compiled again only when something it includes changed.
Headers that reach Kokkos_Core.hpp get it precompiled, which cannot hide anything from them.
"""
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def compile_command(build: Path, probe: Path) -> list[str]:
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]).resolve() == probe.resolve():
            words = shlex.split(entry["command"])
            break
    else:
        sys.exit(f"{probe} is not in compile_commands.json")
    if Path(words[0]).name == "ccache":
        words = words[1:]
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "-o":
            skip = True
        elif word != "-c" and not word.startswith(("-O", "-g", "-fsanitize")) and Path(word) != probe:
            kept.append(word)
    return kept


def reaches_kokkos(source: Path, header: Path, seen: set[Path]) -> bool:
    if header in seen or not header.is_file():
        return False
    seen.add(header)
    names = re.findall(r"^#include <([^>]+)>", header.read_text(), re.MULTILINE)
    return "Kokkos_Core.hpp" in names or any(
        reaches_kokkos(source, source / name, seen) for name in names if name.startswith("libsolve/"))


def up_to_date(stamp: Path, depfile: Path) -> bool:
    if not stamp.is_file() or not depfile.is_file():
        return False
    age = stamp.stat().st_mtime
    words = depfile.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    try:
        return all(os.stat(word).st_mtime <= age for word in words)
    except OSError:
        return False


def main() -> int:
    build, source, probe = (Path(word).resolve() for word in sys.argv[1:4])
    without = [source / word for word in sys.argv[4:]]
    command = compile_command(build, probe)
    stamps = build / "headers_alone"
    stamps.mkdir(exist_ok=True)
    kokkos = stamps / "kokkos.hpp"
    headers = [f for top in ("libsolve", "plugins") for f in sorted((source / top).rglob("*.hpp"))
               if not any(f.is_relative_to(folder) for folder in without)]

    def files(header: Path):
        stem = stamps / header.relative_to(source).as_posix().replace("/", "__")
        return stem.with_suffix(".stamp"), stem.with_suffix(".d")

    def check(header: Path):
        relative = header.relative_to(source)
        stamp, depfile = files(header)
        if up_to_date(stamp, depfile):
            return None
        extra = []
        if relative.parts[0] == "plugins":
            extra = ["-I", str(source / "plugins" / relative.parts[1])]
        if reaches_kokkos(source, header, set()):
            extra += ["-include", str(kokkos)]
        done = subprocess.run(
            [*command, *extra, "-fsyntax-only", "-w", "-MD", "-MT", "header", "-MF", str(depfile),
             "-include", str(header), "-x", "c++", os.devnull],
            cwd=build, capture_output=True, text=True)
        if done.returncode:
            stamp.unlink(missing_ok=True)
            return f"{relative} does not compile alone:\n{done.stderr[:2000]}"
        stamp.write_text("")
        return None

    if not all(up_to_date(*files(h)) for h in headers):
        kokkos.write_text("#include <Kokkos_Core.hpp>\n")
        subprocess.run([*command, "-w", "-x", "c++-header", str(kokkos), "-o", f"{kokkos}.gch"],
                       cwd=build, check=True)
    with ThreadPoolExecutor(2) as pool:
        problems = [p for p in pool.map(check, headers) if p]
    Path(f"{kokkos}.gch").unlink(missing_ok=True)  # large
    print("\n".join(problems + [f"{len(headers)} headers, {len(problems)} do not compile alone"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
