# Builds the bundled Kokkos: libsolve_bundled_kokkos(<out: prefix>).
#
# The source comes from the pygenten source distribution, fetched by pip, which verifies its sha256
# (requirements.txt). Where pip cannot have it, the official release archive is downloaded and its sha256
# compared; LIBSOLVE_KOKKOS_URL and LIBSOLVE_KOKKOS_SHA256 name another archive, a local one for instance.
#
# The library is built with -DKokkos=Kokkos_libsolve, so that its symbols cannot meet those of another
# Kokkos in the same process (Debian's PETSc brings one through Trilinos); see
# libsolve/docs/decisions/0001-bundled-kokkos-in-its-own-namespace.md. The installed package gives the
# definition to whoever links it.
#
# Also a script, to build one Kokkos that several build folders share:
#   cmake -DLIBSOLVE_KOKKOS_PREFIX=/opt/kokkos -P cmake/kokkos/bundled.cmake

set(LIBSOLVE_KOKKOS_NAMESPACE Kokkos_libsolve)
set(_LIBSOLVE_KOKKOS_RECIPE 1)  # raise it when a change of this file changes what is built
set(_LIBSOLVE_KOKKOS_URL https://github.com/kokkos/kokkos/releases/download/4.7.01/kokkos-4.7.01.tar.gz)
set(_LIBSOLVE_KOKKOS_SHA256 404cf33e76159e83b8b4ad5d86f6899d442b5da4624820ab457412116cdcd201)
set(_LIBSOLVE_KOKKOS_DIR ${CMAKE_CURRENT_LIST_DIR})

# Runs a command; its output goes to <log>, whose tail is shown when the command fails.
function(_libsolve_kokkos_step what log)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_FILE ${log} ERROR_FILE ${log})
  if(code)
    file(READ ${log} text)
    string(LENGTH "${text}" length)
    if(length GREATER 3000)
      math(EXPR start "${length} - 3000")
      string(SUBSTRING "${text}" ${start} -1 text)
    endif()
    message(FATAL_ERROR "Kokkos: ${what} failed (${code}).\n${text}\nThe whole log: ${log}")
  endif()
endfunction()

# Puts the source tree of Kokkos into <work>/source: from LIBSOLVE_KOKKOS_URL where given, else from the
# package index, else from the official release.
function(_libsolve_kokkos_source work)
  if(LIBSOLVE_KOKKOS_URL)
    if(NOT LIBSOLVE_KOKKOS_SHA256)
      message(FATAL_ERROR "LIBSOLVE_KOKKOS_URL needs LIBSOLVE_KOKKOS_SHA256, the archive's checksum "
                          "as its release page states it.")
    endif()
    _libsolve_kokkos_archive(${work} ${LIBSOLVE_KOKKOS_URL} ${LIBSOLVE_KOKKOS_SHA256} problem)
    if(problem)
      message(FATAL_ERROR "Kokkos: ${problem}")
    endif()
    return()
  endif()
  _libsolve_kokkos_pip(${work} pip_problem)
  if(NOT pip_problem)
    return()
  endif()
  message(STATUS "Kokkos: ${pip_problem}\n   trying ${_LIBSOLVE_KOKKOS_URL}")
  _libsolve_kokkos_archive(${work} ${_LIBSOLVE_KOKKOS_URL} ${_LIBSOLVE_KOKKOS_SHA256} problem)
  if(problem)
    message(FATAL_ERROR
      "Kokkos: no source to build it from.\n${pip_problem}\n${problem}\n"
      "Install Kokkos 4.3 or newer as a shared library and set Kokkos_ROOT, or give LIBSOLVE_KOKKOS_URL "
      "(file:// too) and LIBSOLVE_KOKKOS_SHA256 of an official release archive.")
  endif()
endfunction()

# From the package index: pip refuses a file whose checksum differs.
function(_libsolve_kokkos_pip work problem)
  set(${problem} "" PARENT_SCOPE)
  set(found)
  foreach(python ${LIBSOLVE_PYTHON} python3 /usr/bin/python3)
    execute_process(COMMAND ${python} -m pip --version RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
      set(found ${python})
      break()
    endif()
  endforeach()
  if(NOT found)
    set(${problem} "no python3 with pip to fetch the bundled source (Debian: python3-pip)" PARENT_SCOPE)
    return()
  endif()
  message(STATUS "Kokkos: fetching the bundled source with pip")
  file(REMOVE_RECURSE ${work}/download)
  file(MAKE_DIRECTORY ${work}/download)
  execute_process(
    COMMAND ${found} -m pip download --no-deps --no-binary pygenten --require-hashes
            -d ${work}/download -r ${_LIBSOLVE_KOKKOS_DIR}/requirements.txt
    RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  file(GLOB archive ${work}/download/pygenten-*.tar.gz)
  if(code OR NOT archive)
    set(${problem} "pip could not fetch the bundled source:\n${text}" PARENT_SCOPE)
    return()
  endif()
  _libsolve_kokkos_unpack(${work} ${archive} */tpls/kokkos)
endfunction()

# From an archive of Kokkos itself.
function(_libsolve_kokkos_archive work url sha256 problem)
  set(${problem} "" PARENT_SCOPE)
  message(STATUS "Kokkos: fetching ${url}")
  set(archive ${work}/download/kokkos.tar.gz)
  file(DOWNLOAD ${url} ${archive} STATUS status TIMEOUT 600)
  list(GET status 0 code)
  if(code)
    set(${problem} "${url}: ${status}" PARENT_SCOPE)
    return()
  endif()
  file(SHA256 ${archive} found)
  if(NOT found STREQUAL sha256)
    set(${problem} "${url} has sha256 ${found}, expected ${sha256}; it was not used" PARENT_SCOPE)
    file(REMOVE ${archive})
    return()
  endif()
  _libsolve_kokkos_unpack(${work} ${archive} *)
endfunction()

# The folder that matches <pattern> inside the archive becomes <work>/source.
function(_libsolve_kokkos_unpack work archive pattern)
  file(REMOVE_RECURSE ${work}/unpacked ${work}/source)
  file(MAKE_DIRECTORY ${work}/unpacked)
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${work}/unpacked PATTERNS ${pattern}/*)
  file(GLOB tree ${work}/unpacked/${pattern})
  file(RENAME ${tree} ${work}/source)
  file(REMOVE_RECURSE ${work}/unpacked ${work}/download)
endfunction()

function(libsolve_bundled_kokkos out)
  set(cxx ${CMAKE_CXX_COMPILER})
  if(NOT cxx)
    find_program(cxx_found NAMES $ENV{CXX} c++ g++ REQUIRED NO_CACHE)
    set(cxx ${cxx_found})
  endif()
  if(NOT DEFINED LIBSOLVE_NATIVE)
    set(LIBSOLVE_NATIVE ON)
  endif()

  set(options -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON -DCMAKE_CXX_STANDARD=20
      -DKokkos_ENABLE_OPENMP=ON -DKokkos_ENABLE_SERIAL=ON -DCMAKE_INSTALL_LIBDIR=lib
      -DKokkos_ARCH_NATIVE=${LIBSOLVE_NATIVE}
      -DCMAKE_CXX_FLAGS=-DKokkos=${LIBSOLVE_KOKKOS_NAMESPACE})
  if(LIBSOLVE_ENABLE_CUDA)
    if(NOT LIBSOLVE_CUDA_ARCH)
      set(LIBSOLVE_CUDA_ARCH HOPPER90)
    endif()
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      string(REGEX MATCH "[0-9]+$" CMAKE_CUDA_ARCHITECTURES ${LIBSOLVE_CUDA_ARCH})
    endif()
    list(APPEND options -DKokkos_ENABLE_CUDA=ON -DKokkos_ARCH_${LIBSOLVE_CUDA_ARCH}=ON
         -DKokkos_ENABLE_COMPILE_AS_CMAKE_LANGUAGE=ON
         -DCMAKE_CUDA_ARCHITECTURES=${CMAKE_CUDA_ARCHITECTURES}
         -DCMAKE_CUDA_STANDARD=20
         # cmake 3.25 does not know -std=c++20 for nvcc 13
         -DCMAKE_CUDA20_STANDARD_COMPILE_OPTION=-std=c++20
         -DCMAKE_CUDA20_EXTENSION_COMPILE_OPTION=-std=c++20
         "-DCMAKE_CUDA_FLAGS=-DKokkos=${LIBSOLVE_KOKKOS_NAMESPACE} -include @compat@")
  endif()

  # The key: source, options, compiler and, for -march=native, the processor.
  if(LIBSOLVE_KOKKOS_URL)
    set(hash ${LIBSOLVE_KOKKOS_SHA256})
  else()
    file(READ ${_LIBSOLVE_KOKKOS_DIR}/requirements.txt requirements)
    string(REGEX MATCH "sha256:[0-9a-f]+" hash "${requirements}")
  endif()
  execute_process(COMMAND ${cxx} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(target)
  if(LIBSOLVE_NATIVE)
    execute_process(COMMAND ${cxx} -march=native -Q --help=target OUTPUT_VARIABLE target ERROR_QUIET)
  endif()
  string(REGEX REPLACE "\n.*" "" version "${version}")
  string(MD5 target "${target}")
  set(stamp "${hash}\n${options}\n${version}\n${target}\n${_LIBSOLVE_KOKKOS_RECIPE}\n")
  string(SHA256 key "${stamp}")
  string(SUBSTRING ${key} 0 12 key)

  if(LIBSOLVE_KOKKOS_PREFIX)
    set(prefix ${LIBSOLVE_KOKKOS_PREFIX})
    get_filename_component(deps ${prefix} DIRECTORY)
  else()
    set(deps ${LIBSOLVE_DEPS_DIR})
    set(prefix ${deps}/kokkos-${key})
  endif()
  set(${out} ${prefix} PARENT_SCOPE)
  set(stamp_file ${prefix}/libsolve-kokkos.stamp)
  if(EXISTS ${stamp_file})
    file(READ ${stamp_file} built)
    if(built STREQUAL stamp)
      return()
    endif()
  endif()

  file(MAKE_DIRECTORY ${deps})
  file(LOCK ${deps}/kokkos.lock GUARD FUNCTION TIMEOUT 900)
  if(EXISTS ${stamp_file})  # another build folder may have finished it meanwhile
    file(READ ${stamp_file} built)
    if(built STREQUAL stamp)
      return()
    endif()
  endif()
  file(REMOVE_RECURSE ${prefix})
  _libsolve_kokkos_source(${deps})

  message(STATUS "Kokkos: building it into ${prefix} (about a minute)")
  set(work ${deps}/kokkos-build-${key})
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work} ${prefix}/include)
  file(COPY ${_LIBSOLVE_KOKKOS_DIR}/cuda13_compat.h DESTINATION ${prefix}/include)
  string(REPLACE "@compat@" "${prefix}/include/cuda13_compat.h" options "${options}")
  find_program(ninja ninja NO_CACHE)
  set(generator)
  if(ninja)
    set(generator -G Ninja -DCMAKE_MAKE_PROGRAM=${ninja})
  endif()
  find_program(ccache ccache NO_CACHE)
  if(ccache)
    list(APPEND options -DCMAKE_CXX_COMPILER_LAUNCHER=${ccache})
  endif()
  if(LIBSOLVE_ENABLE_CUDA AND CMAKE_CUDA_COMPILER)
    list(APPEND options -DCMAKE_CUDA_COMPILER=${CMAKE_CUDA_COMPILER})
  endif()
  set(log ${prefix}/libsolve-kokkos.log)
  _libsolve_kokkos_step(configure ${log} ${CMAKE_COMMAND} -S ${deps}/source -B ${work} ${generator}
    -DCMAKE_INSTALL_PREFIX=${prefix} -DCMAKE_CXX_COMPILER=${cxx} ${options})
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  _libsolve_kokkos_step(build ${log} ${CMAKE_COMMAND} --build ${work} --parallel ${cores})
  _libsolve_kokkos_step(install ${log} ${CMAKE_COMMAND} --install ${work})

  # The package says under which name the namespace lives, to every target that links it.
  set(config ${prefix}/lib/cmake/Kokkos/KokkosConfig.cmake)
  if(NOT EXISTS ${config})
    message(FATAL_ERROR "Kokkos: ${config} is missing after its installation; see ${log}")
  endif()
  file(APPEND ${config} "
# Added by libsolve: this build lives in a namespace of its own.
set(Kokkos_LIBSOLVE_NAMESPACE ${LIBSOLVE_KOKKOS_NAMESPACE})
get_target_property(_libsolve_definitions Kokkos::kokkoscore INTERFACE_COMPILE_DEFINITIONS)
if(NOT \"Kokkos=${LIBSOLVE_KOKKOS_NAMESPACE}\" IN_LIST _libsolve_definitions)
  set_property(TARGET Kokkos::kokkoscore APPEND PROPERTY
               INTERFACE_COMPILE_DEFINITIONS Kokkos=${LIBSOLVE_KOKKOS_NAMESPACE})
endif()
unset(_libsolve_definitions)
")
  file(REMOVE_RECURSE ${work} ${deps}/source)
  file(WRITE ${stamp_file} "${stamp}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  if(NOT LIBSOLVE_KOKKOS_PREFIX)
    message(FATAL_ERROR "usage: cmake -DLIBSOLVE_KOKKOS_PREFIX=<folder> [-DLIBSOLVE_NATIVE=OFF] "
                        "[-DLIBSOLVE_ENABLE_CUDA=ON] -P cmake/kokkos/bundled.cmake")
  endif()
  get_filename_component(LIBSOLVE_KOKKOS_PREFIX ${LIBSOLVE_KOKKOS_PREFIX} ABSOLUTE)
  libsolve_bundled_kokkos(prefix)
  message(STATUS "Kokkos: ${prefix}")
endif()
