# Helpers for tests: environment, executables from folders, MPI runs.

set(LIBSOLVE_TEST_TIMEOUT 600 CACHE STRING "Seconds after which a test is stopped")

# A Python that has what the plots and the checks of result files need; Debian's, if another comes first.
if(NOT DEFINED LIBSOLVE_PYTHON)
  find_program(python NAMES python3 NO_CACHE)
  foreach(candidate ${python} /usr/bin/python3)
    execute_process(COMMAND ${candidate} -c "import h5py, matplotlib" RESULT_VARIABLE code
                    OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
      set(LIBSOLVE_PYTHON ${candidate} CACHE FILEPATH "Python with h5py and matplotlib")
      break()
    endif()
  endforeach()
endif()
if(LIBSOLVE_PYTHON)
  libsolve_row(Python found "" "plots (h5py, matplotlib): ${LIBSOLVE_PYTHON}")
else()
  libsolve_row(Python "not found" "" "plots (python3-h5py, python3-matplotlib)")
  set(LIBSOLVE_PYTHON python3)
endif()

# Environment of every test: two threads that may share cores with the neighbours, and ranks that let
# others work while they wait (four on two busy cores: 3 s instead of minutes).
set(LIBSOLVE_TEST_ENVIRONMENT
  OMP_NUM_THREADS=2 OMP_PROC_BIND=false
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_btl_base_warn_component_unused=0 OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_mpi_yield_when_idle=1
  OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_hwloc_base_binding_policy=none)
if(LIBSOLVE_SANITIZE)
  list(APPEND LIBSOLVE_TEST_ENVIRONMENT
    ASAN_OPTIONS=fast_unwind_on_malloc=0:detect_leaks=1
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_LIST_DIR}/lsan.supp:print_suppressions=0)
endif()

# libsolve_test_properties(<test> <label>...)
function(libsolve_test_properties test)
  set_tests_properties(${test} PROPERTIES LABELS "${ARGN}" TIMEOUT ${LIBSOLVE_TEST_TIMEOUT}
                       ENVIRONMENT "${LIBSOLVE_TEST_ENVIRONMENT}")
endfunction()

# libsolve_add_test(<name> <label> SOURCES <file>... [RANKS <n>...] [LIBRARIES <target>...])
# One GoogleTest executable that is one test; with RANKS one test <name>_<n> for each number of ranks,
# under mpirun.
function(libsolve_add_test name label)
  cmake_parse_arguments(arg "" "" "RANKS;SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE libsolve::libsolve libsolve_test_support ${arg_LIBRARIES})
  target_compile_definitions(${name} PRIVATE
    LIBSOLVE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LIBSOLVE_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_options(${name} PRIVATE LINKER:--as-needed)
  libsolve_settings(${name})
  if(arg_RANKS)
    foreach(ranks ${arg_RANKS})
      set(test ${name}_${ranks})
      add_test(NAME ${test} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks}
               ${MPIEXEC_PREFLAGS} $<TARGET_FILE:${name}>)
      libsolve_test_properties(${test} ${label} mpi)
      set_tests_properties(${test} PROPERTIES PROCESSORS ${ranks})
      set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT ASAN_OPTIONS=detect_leaks=0
                   OMP_NUM_THREADS=1)
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
    libsolve_test_properties(${name} ${label})
  endif()
endfunction()
