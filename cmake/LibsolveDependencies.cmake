# Finds every dependency. Optional ones obey LIBSOLVE_ENABLE_<PACKAGE> = AUTO | ON | OFF:
# AUTO takes what is there, ON makes a missing package an error, OFF leaves it out.
# Results: LIBSOLVE_HAVE_<PACKAGE> (0 or 1), the targets libsolve_public_dependencies and
# libsolve_private_dependencies, and one row each in the table that ends the configure step.

include(${CMAKE_CURRENT_LIST_DIR}/kokkos/bundled.cmake)
find_package(PkgConfig)

add_library(libsolve_private_dependencies INTERFACE)
set_property(GLOBAL PROPERTY LIBSOLVE_TABLE "")

# One row of the table: name, state, version, what it is for.
function(libsolve_row name state version purpose)
  foreach(pair "name;16" "state;12" "version;10")
    list(GET pair 0 what)
    list(GET pair 1 width)
    string(LENGTH "${${what}}" length)
    if(length LESS width)
      math(EXPR fill "${width} - ${length}")
      string(REPEAT " " ${fill} blanks)
      string(APPEND ${what} "${blanks}")
    endif()
  endforeach()
  set_property(GLOBAL APPEND_STRING PROPERTY LIBSOLVE_TABLE "  ${name} ${state} ${version} ${purpose}\n")
endfunction()

function(libsolve_print_summary)
  get_property(table GLOBAL PROPERTY LIBSOLVE_TABLE)
  set(native ", this processor")
  if(NOT LIBSOLVE_NATIVE)
    set(native ", any processor")
  endif()
  if(LIBSOLVE_SANITIZE)
    string(APPEND native ", sanitizers")
  endif()
  message("\nlibsolve ${PROJECT_VERSION}: ${CMAKE_BUILD_TYPE}${native}, "
          "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}\n\n"
          "  dependency       state        version    what it is for\n"
          "  ---------------- ------------ ---------- --------------------------------------------\n"
          "${table}")
endfunction()

# libsolve_optional(NAME <default> <label> <purpose> <Debian package>): declares LIBSOLVE_ENABLE_NAME,
# calls libsolve_find_NAME() unless OFF, defines LIBSOLVE_HAVE_NAME and adds the row.
macro(libsolve_optional NAME default label purpose package)
  set(LIBSOLVE_ENABLE_${NAME} ${default} CACHE STRING "${label}: AUTO, ON or OFF (${purpose})")
  set_property(CACHE LIBSOLVE_ENABLE_${NAME} PROPERTY STRINGS AUTO ON OFF)
  set(LIBSOLVE_HAVE_${NAME} 0)
  set(LIBSOLVE_VERSION_${NAME} "")
  if(LIBSOLVE_ENABLE_${NAME})
    cmake_language(CALL libsolve_find_${NAME})
    if(LIBSOLVE_HAVE_${NAME})
      libsolve_row("${label}" found "${LIBSOLVE_VERSION_${NAME}}" "${purpose}")
    elseif(LIBSOLVE_ENABLE_${NAME} STREQUAL "AUTO")
      libsolve_row("${label}" "not found" "" "${purpose} (${package})")
    else()
      message(FATAL_ERROR "LIBSOLVE_ENABLE_${NAME} is ON, but ${label} was not found. "
                          "On Debian: apt-get install ${package}. Or set it to OFF.")
    endif()
  else()
    libsolve_row("${label}" disabled "" "${purpose}")
  endif()
endmacro()

# ---- Kokkos -------------------------------------------------------------------------------------
set(LIBSOLVE_KOKKOS AUTO CACHE STRING "AUTO: find_package first, else build it; SYSTEM or BUNDLED: only that")
set_property(CACHE LIBSOLVE_KOKKOS PROPERTY STRINGS AUTO SYSTEM BUNDLED)
option(LIBSOLVE_ENABLE_CUDA "Kokkos kernels on NVIDIA GPUs" OFF)
set(LIBSOLVE_CUDA_ARCH HOPPER90 CACHE STRING "GPU architecture as Kokkos names it (Kokkos_ARCH_<this>)")
set(LIBSOLVE_KOKKOS_URL "" CACHE STRING "Official Kokkos release archive to build instead of the bundled source")
set(LIBSOLVE_KOKKOS_SHA256 "" CACHE STRING "Checksum of LIBSOLVE_KOKKOS_URL")

if(LIBSOLVE_ENABLE_CUDA)
  if(CMAKE_VERSION VERSION_LESS 3.26)  # does not know -std=c++20 for nvcc 13
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    string(REGEX MATCH "[0-9]+$" CMAKE_CUDA_ARCHITECTURES ${LIBSOLVE_CUDA_ARCH})
  endif()
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
endif()

set(kokkos_found_how found)
if(NOT LIBSOLVE_KOKKOS STREQUAL "BUNDLED")
  find_package(Kokkos 4.3 CONFIG QUIET)
endif()
if(NOT Kokkos_FOUND)
  if(LIBSOLVE_KOKKOS STREQUAL "SYSTEM")
    message(FATAL_ERROR "LIBSOLVE_KOKKOS is SYSTEM, but no Kokkos 4.3 or newer was found. Set "
                        "Kokkos_ROOT to its prefix, or LIBSOLVE_KOKKOS to AUTO to build it along. "
                        "(Debian's libtrilinos-kokkos-dev is 3.4: too old.)")
  endif()
  libsolve_bundled_kokkos(libsolve_kokkos_prefix)
  set(kokkos_found_how "built along")
  find_package(Kokkos 4.3 CONFIG REQUIRED PATHS ${libsolve_kokkos_prefix} NO_DEFAULT_PATH)
endif()
# A second configure finds the Kokkos built along in the cache; it has to be installed along all the same.
string(FIND "${Kokkos_DIR}" "${CMAKE_BINARY_DIR}/_deps/" kokkos_in_build)
if(NOT libsolve_kokkos_prefix AND kokkos_in_build EQUAL 0)
  get_filename_component(libsolve_kokkos_prefix "${Kokkos_DIR}/../../.." ABSOLUTE)
endif()
get_target_property(kokkos_type Kokkos::kokkoscore TYPE)
if(NOT kokkos_type STREQUAL "SHARED_LIBRARY")
  message(FATAL_ERROR "Plugins need Kokkos as a shared library, found ${kokkos_type} in ${Kokkos_DIR}: "
                      "rebuild it with BUILD_SHARED_LIBS=ON, add +shared to kokkos in spack.yaml, or "
                      "set LIBSOLVE_KOKKOS=BUNDLED to build one along.")
endif()
if(LIBSOLVE_ENABLE_CUDA AND NOT Kokkos_ENABLE_CUDA)
  message(FATAL_ERROR "LIBSOLVE_ENABLE_CUDA is ON, but the Kokkos in ${Kokkos_DIR} has no CUDA. "
                      "Set Kokkos_ROOT to one that has it, or LIBSOLVE_KOKKOS=BUNDLED.")
endif()
if(Kokkos_ENABLE_CUDA AND NOT LIBSOLVE_ENABLE_CUDA)
  message(FATAL_ERROR "The Kokkos in ${Kokkos_DIR} is built for CUDA: set LIBSOLVE_ENABLE_CUDA=ON, or "
                      "Kokkos_ROOT to one for the CPU.")
endif()
list(JOIN Kokkos_DEVICES "+" kokkos_devices)
libsolve_row(Kokkos "${kokkos_found_how}" "${Kokkos_VERSION}" "kernels; ${kokkos_devices}")
set(LIBSOLVE_HAVE_CUDA ${LIBSOLVE_ENABLE_CUDA})
if(LIBSOLVE_ENABLE_CUDA)
  libsolve_row(CUDA found "${CMAKE_CUDA_COMPILER_VERSION}" "GPU kernels, ${LIBSOLVE_CUDA_ARCH}")
  # std::array is indexed in kernels: constexpr on the host, and on the device with this flag only.
  string(APPEND CMAKE_CUDA_FLAGS " --expt-relaxed-constexpr")
  # Kokkos 4.7 against CUDA 13; harmless with older ones.
  string(APPEND CMAKE_CUDA_FLAGS " -include ${CMAKE_CURRENT_LIST_DIR}/kokkos/cuda13_compat.h")
else()
  libsolve_row(CUDA disabled "" "GPU kernels (LIBSOLVE_ENABLE_CUDA, preset cuda)")
endif()

# ---- MPI, HDF5 ----------------------------------------------------------------------------------
function(libsolve_find_MPI)
  find_package(MPI QUIET COMPONENTS C)
  if(MPI_C_FOUND)
    set(LIBSOLVE_HAVE_MPI 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_MPI "${MPI_C_VERSION}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(MPI AUTO MPI "runs on many nodes" libopenmpi-dev)
if(LIBSOLVE_HAVE_MPI)
  find_package(MPI QUIET COMPONENTS C)  # MPIEXEC_EXECUTABLE in this scope
endif()

set(LIBSOLVE_HAVE_HDF5_PARALLEL 0)
set(hdf5_target)
if(HDF5_ROOT OR DEFINED ENV{HDF5_ROOT})
  # the one named, not the distribution's: below
elseif(LIBSOLVE_HAVE_MPI AND PkgConfig_FOUND)
  pkg_check_modules(HDF5_MPI QUIET IMPORTED_TARGET hdf5-openmpi)
  if(HDF5_MPI_FOUND)
    set(hdf5_target PkgConfig::HDF5_MPI)
    set(hdf5_version ${HDF5_MPI_VERSION})
    set(LIBSOLVE_HAVE_HDF5_PARALLEL 1)
  endif()
elseif(PkgConfig_FOUND)
  pkg_check_modules(HDF5_SERIAL QUIET IMPORTED_TARGET hdf5-serial)
  if(HDF5_SERIAL_FOUND)
    set(hdf5_target PkgConfig::HDF5_SERIAL)
    set(hdf5_version ${HDF5_SERIAL_VERSION})
  endif()
endif()
if(NOT hdf5_target)
  set(HDF5_PREFER_PARALLEL ${LIBSOLVE_HAVE_MPI})
  find_package(HDF5 QUIET COMPONENTS C)
  if(NOT HDF5_FOUND)
    message(FATAL_ERROR "HDF5 was not found. On Debian: apt-get install libhdf5-openmpi-dev "
                        "(with MPI) or libhdf5-dev (without); elsewhere set HDF5_ROOT.")
  endif()
  if(HDF5_IS_PARALLEL AND NOT LIBSOLVE_HAVE_MPI)
    message(FATAL_ERROR "The HDF5 found needs MPI, which is switched off. Install a serial HDF5 "
                        "(Debian: libhdf5-dev) or set HDF5_ROOT to one.")
  endif()
  set(hdf5_target hdf5::hdf5)
  set(hdf5_version ${HDF5_VERSION})
  set(LIBSOLVE_HAVE_HDF5_PARALLEL ${HDF5_IS_PARALLEL})
endif()
target_link_libraries(libsolve_private_dependencies INTERFACE ${hdf5_target})
set(hdf5_kind serial)
if(LIBSOLVE_HAVE_HDF5_PARALLEL)
  set(hdf5_kind parallel)
endif()
libsolve_row(HDF5 found "${hdf5_version}" "result files, ${hdf5_kind}")

# ---- header libraries ---------------------------------------------------------------------------
function(libsolve_header_library package target apt purpose)
  find_package(${package} QUIET CONFIG)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} was not found (${purpose}). On Debian: apt-get install ${apt}; "
                        "elsewhere set ${package}_ROOT.")
  endif()
  libsolve_row(${package} found "${${package}_VERSION}" "${purpose}")
endfunction()
libsolve_header_library(tomlplusplus tomlplusplus::tomlplusplus libtomlplusplus-dev "case files")
libsolve_header_library(CLI11 CLI11::CLI11 libcli11-dev "command line")
libsolve_header_library(fmt fmt::fmt-header-only libfmt-dev "text output")
if(LIBSOLVE_ENABLE_CUDA)  # fmt 9 denies nvcc the constexpr functions that its consteval ones call
  set_property(TARGET fmt::fmt-header-only APPEND PROPERTY
               INTERFACE_COMPILE_DEFINITIONS $<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>)
endif()
libsolve_header_library(nlohmann_json nlohmann_json::nlohmann_json nlohmann-json3-dev "JSON output")
target_link_libraries(libsolve_private_dependencies INTERFACE
  tomlplusplus::tomlplusplus fmt::fmt-header-only nlohmann_json::nlohmann_json)

# ---- optional packages --------------------------------------------------------------------------
function(libsolve_find_ZLIB)
  find_package(ZLIB QUIET)
  if(ZLIB_FOUND)
    target_link_libraries(libsolve_private_dependencies INTERFACE ZLIB::ZLIB)
    set(LIBSOLVE_HAVE_ZLIB 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_ZLIB "${ZLIB_VERSION_STRING}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(ZLIB AUTO zlib "compressed input files" zlib1g-dev)

# Linked by libsolve; LIBSOLVE_HAVE_PNG is defined for the one source that uses it (libsolve/CMakeLists.txt).
function(libsolve_find_PNG)
  find_package(PNG QUIET)
  if(PNG_FOUND)
    target_link_libraries(libsolve_private_dependencies INTERFACE PNG::PNG)
    set(LIBSOLVE_HAVE_PNG 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_PNG "${PNG_VERSION_STRING}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(PNG AUTO libpng "pictures as data (PNG files)" libpng-dev)

# PETSc and what comes with it: linked by libsolve_petsc.so only.
add_library(libsolve_petsc_dependencies INTERFACE)
function(libsolve_find_PETSC)
  if(PkgConfig_FOUND AND LIBSOLVE_HAVE_MPI)
    pkg_check_modules(PETSC QUIET IMPORTED_TARGET PETSc)
    if(PETSC_FOUND)
      # Debian's pkg-config file carries the flags of PETSc's own build.
      set_property(TARGET PkgConfig::PETSC PROPERTY INTERFACE_COMPILE_OPTIONS)
      target_link_libraries(libsolve_petsc_dependencies INTERFACE PkgConfig::PETSC)
      set(LIBSOLVE_HAVE_PETSC 1 PARENT_SCOPE)
      set(LIBSOLVE_VERSION_PETSC "${PETSC_VERSION}" PARENT_SCOPE)
    endif()
  endif()
endfunction()
libsolve_optional(PETSC AUTO PETSc "distributed matrices, hypre, MUMPS; methods for PETSc programs"
                  libpetsc-real-dev)

# The hypre that PETSc uses, for its interface for structured grids.
function(libsolve_find_HYPRE)
  if(LIBSOLVE_HAVE_PETSC)
    find_path(HYPRE_INCLUDE_DIR HYPRE_struct_ls.h HINTS ${PETSC_INCLUDE_DIRS} PATH_SUFFIXES hypre)
    find_library(HYPRE_LIBRARY HYPRE HINTS ${PETSC_LIBRARY_DIRS})
    mark_as_advanced(HYPRE_INCLUDE_DIR HYPRE_LIBRARY)
    if(HYPRE_INCLUDE_DIR AND HYPRE_LIBRARY AND EXISTS ${HYPRE_INCLUDE_DIR}/_hypre_struct_ls.h)
      file(STRINGS ${HYPRE_INCLUDE_DIR}/HYPRE_config.h version REGEX "define HYPRE_RELEASE_VERSION")
      string(REGEX REPLACE ".*\"([^\"]+)\".*" "\\1" version "${version}")
      target_include_directories(libsolve_petsc_dependencies SYSTEM INTERFACE ${HYPRE_INCLUDE_DIR})
      target_link_libraries(libsolve_petsc_dependencies INTERFACE ${HYPRE_LIBRARY})
      set(LIBSOLVE_HAVE_HYPRE 1 PARENT_SCOPE)
      set(LIBSOLVE_VERSION_HYPRE "${version}" PARENT_SCOPE)
    endif()
  endif()
endfunction()
libsolve_optional(HYPRE AUTO hypre "PFMG on structured grids (with PETSc)" libhypre-dev)

function(libsolve_find_SUNDIALS)
  find_package(SUNDIALS 6.4 QUIET CONFIG)
  if(NOT SUNDIALS_FOUND)  # its package takes one major version at a time
    find_package(SUNDIALS 7.0 QUIET CONFIG)
  endif()
  if(SUNDIALS_FOUND)
    set(LIBSOLVE_HAVE_SUNDIALS 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_SUNDIALS "${SUNDIALS_VERSION}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(SUNDIALS AUTO SUNDIALS "time integration; methods for SUNDIALS programs"
                  libsundials-dev)

function(libsolve_find_EIGEN)
  find_package(Eigen3 QUIET CONFIG)
  if(Eigen3_FOUND)
    target_link_libraries(libsolve_private_dependencies INTERFACE Eigen3::Eigen)
    set(LIBSOLVE_HAVE_EIGEN 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_EIGEN "${Eigen3_VERSION}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(EIGEN AUTO Eigen "sparse direct methods, reference answers in tests" libeigen3-dev)

function(libsolve_find_KOKKOS_KERNELS)
  find_package(KokkosKernels 4.3 QUIET CONFIG)
  if(KokkosKernels_FOUND)
    target_link_libraries(libsolve_private_dependencies INTERFACE Kokkos::kokkoskernels)
    set(LIBSOLVE_HAVE_KOKKOS_KERNELS 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_KOKKOS_KERNELS "${KokkosKernels_VERSION}" PARENT_SCOPE)
  endif()
endfunction()
# Not by default: it must have been built against the very Kokkos that is used here.
libsolve_optional(KOKKOS_KERNELS OFF "Kokkos Kernels" "comparison of sparse kernels" "build it from source")

# Linked by the plugin ipopt only. The shared library alone: its pkg-config file also names the MUMPS
# it uses, whose sequential build brings MPI functions of its own.
add_library(libsolve_ipopt_dependencies INTERFACE)
function(libsolve_find_IPOPT)
  if(PkgConfig_FOUND)
    pkg_check_modules(IPOPT QUIET ipopt)
    find_library(IPOPT_LIBRARY ipopt HINTS ${IPOPT_LIBRARY_DIRS})
    mark_as_advanced(IPOPT_LIBRARY)
    if(IPOPT_FOUND AND IPOPT_LIBRARY)
      target_include_directories(libsolve_ipopt_dependencies SYSTEM INTERFACE ${IPOPT_INCLUDE_DIRS})
      target_compile_definitions(libsolve_ipopt_dependencies INTERFACE HAVE_CSTDDEF)  # of 3.11's headers
      target_link_libraries(libsolve_ipopt_dependencies INTERFACE ${IPOPT_LIBRARY})
      set(LIBSOLVE_HAVE_IPOPT 1 PARENT_SCOPE)
      set(LIBSOLVE_VERSION_IPOPT "${IPOPT_VERSION}" PARENT_SCOPE)
    endif()
  endif()
endfunction()
libsolve_optional(IPOPT AUTO Ipopt "nonlinear programs, for comparison" coinor-libipopt-dev)

# Headers only; for the method `lemon` and the tests of `exact`.
add_library(libsolve_lemon INTERFACE)
function(libsolve_find_LEMON)
  find_path(LEMON_INCLUDE_DIR lemon/network_simplex.h HINTS ${LEMON_ROOT} PATH_SUFFIXES include)
  mark_as_advanced(LEMON_INCLUDE_DIR)
  if(LEMON_INCLUDE_DIR)
    target_include_directories(libsolve_lemon SYSTEM INTERFACE ${LEMON_INCLUDE_DIR})
    target_compile_definitions(libsolve_lemon INTERFACE LIBSOLVE_HAVE_LEMON=1)
    file(STRINGS ${LEMON_INCLUDE_DIR}/lemon/config.h version REGEX "define LEMON_VERSION")
    string(REGEX REPLACE ".*\"([^\"]+)\".*" "\\1" version "${version}")
    set(LIBSOLVE_HAVE_LEMON 1 PARENT_SCOPE)
    set(LIBSOLVE_VERSION_LEMON "${version}" PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(LEMON AUTO LEMON "network simplex, for comparison" liblemon-dev)

# AMPL's solver library, for the problem source `nl`.
add_library(libsolve_asl INTERFACE)
function(libsolve_find_ASL)
  find_path(ASL_INCLUDE_DIR asl_pfgh.h HINTS ${ASL_ROOT}
            PATH_SUFFIXES ampl-netlib-solvers coin-or/asl coin/ThirdParty asl)
  find_library(ASL_LIBRARY NAMES amplsolver coinasl HINTS ${ASL_ROOT})
  mark_as_advanced(ASL_INCLUDE_DIR ASL_LIBRARY)
  if(ASL_INCLUDE_DIR AND ASL_LIBRARY)
    target_include_directories(libsolve_asl SYSTEM INTERFACE ${ASL_INCLUDE_DIR})
    target_link_libraries(libsolve_asl INTERFACE ${ASL_LIBRARY})
    set(LIBSOLVE_HAVE_ASL 1 PARENT_SCOPE)
  endif()
endfunction()
libsolve_optional(ASL AUTO "AMPL library" "problems in .nl files" libamplsolver-dev)
