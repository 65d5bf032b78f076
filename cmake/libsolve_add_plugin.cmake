# libsolve_add_plugin(<name> SOURCES <file>... [TESTS <file>...] [LIBRARIES <target>...])
#
# Builds <build>/lib/libsolve/plugins/<name>.so from SOURCES, one of which holds LIBSOLVE_PLUGIN(...).
# TESTS become one GoogleTest executable, test `plugin_<name>`: the objects of SOURCES are linked into
# it, and a main that brings up the Runtime comes along. LIBRARIES stay private to the plugin. In this
# tree, TESTS *_mpi_test.cpp become plugin_<name>_mpi, which runs on two and on four ranks.
#
# The same function serves plugins of this tree and plugins outside of it: there
#   find_package(libsolve REQUIRED)
#   libsolve_add_plugin(my_method SOURCES register.cpp my_method.cpp)
# builds it in <build>/lib/libsolve/plugins, and LIBSOLVE_PLUGIN_PATH=<that folder> makes it known;
# `cmake --install` puts it into <prefix>/lib/libsolve/plugins.

set(LIBSOLVE_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

function(libsolve_add_plugin name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;LIBRARIES" ${ARGN})
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "libsolve_add_plugin(${name} ...): SOURCES is missing or empty.")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "libsolve_add_plugin(${name} ...): unknown arguments ${arg_UNPARSED_ARGUMENTS}; "
                        "it knows SOURCES, TESTS, LIBRARIES.")
  endif()

  file(REMOVE ${CMAKE_BINARY_DIR}/lib/libsolve/plugins/${name}.absent)
  add_library(${name}_objects OBJECT ${arg_SOURCES})
  _libsolve_plugin_target(${name}_objects ${arg_LIBRARIES})
  add_library(${name} MODULE $<TARGET_OBJECTS:${name}_objects>)
  _libsolve_plugin_target(${name} ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .so LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/libsolve/plugins
    INSTALL_RPATH "$ORIGIN/../..;$ORIGIN/../../libsolve-deps/kokkos/lib")
  if(NOT TARGET libsolve)  # out of tree: find the libsolve it was built against, wherever it is
    set_target_properties(${name} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  endif()
  set_property(GLOBAL APPEND PROPERTY LIBSOLVE_PLUGIN_TARGETS ${name})
  install(TARGETS ${name} LIBRARY DESTINATION lib/libsolve/plugins)

  if(arg_TESTS AND BUILD_TESTING)
    set(tests plugin_${name})
    if(TARGET libsolve_test_support)  # in tree
      set(parallel ${arg_TESTS})
      list(FILTER arg_TESTS EXCLUDE REGEX "_mpi_test\\.cpp$")
      list(FILTER parallel INCLUDE REGEX "_mpi_test\\.cpp$")
      libsolve_add_test(plugin_${name} unit LIBRARIES ${arg_LIBRARIES} SOURCES ${arg_TESTS}
        $<TARGET_OBJECTS:${name}_objects>)
      if(parallel AND LIBSOLVE_HAVE_MPI)
        list(APPEND tests plugin_${name}_mpi)
        libsolve_add_test(plugin_${name}_mpi unit LIBRARIES ${arg_LIBRARIES} SOURCES ${parallel}
          $<TARGET_OBJECTS:${name}_objects> RANKS 2 4)
      endif()
    else()
      find_package(GTest REQUIRED)
      add_executable(plugin_${name} ${arg_TESTS} $<TARGET_OBJECTS:${name}_objects>
                     ${LIBSOLVE_CMAKE_DIR}/libsolve_test_main.cpp)
      _libsolve_plugin_target(plugin_${name} ${arg_LIBRARIES} GTest::gtest)
      add_test(NAME plugin_${name} COMMAND plugin_${name})
      set_tests_properties(plugin_${name} PROPERTIES LABELS unit ENVIRONMENT
        "OMP_PROC_BIND=false;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
    endif()
    foreach(test ${tests})
      target_include_directories(${test} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    endforeach()
  endif()
endfunction()

# libsolve_absent_plugin(<name> <reason> <name of a component>...)
#
# In place of libsolve_add_plugin where the plugin cannot be built: `libsolve list` and messages for
# those names say why. The reason is one line: "this build has no PETSc; ...".
function(libsolve_absent_plugin name reason)
  list(JOIN ARGN "\n" names)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lib/libsolve/plugins/${name}.absent
       CONTENT "${reason}\n${names}\n")
  install(FILES ${CMAKE_BINARY_DIR}/lib/libsolve/plugins/${name}.absent
          DESTINATION lib/libsolve/plugins)
  if(COMMAND libsolve_row)
    libsolve_row("plugin ${name}" "left out" "" "${reason}")
  endif()
endfunction()

# What every target made from plugin sources needs.
function(_libsolve_plugin_target target)
  target_link_libraries(${target} PRIVATE libsolve::libsolve ${ARGN})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
  if(COMMAND libsolve_settings)
    libsolve_settings(${target})
  elseif(Kokkos_ENABLE_CUDA)
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.(cpp|cxx|cc)$")
    set_source_files_properties(${sources} PROPERTIES LANGUAGE CUDA)
    set_target_properties(${target} PROPERTIES CUDA_STANDARD 20)
  endif()
endfunction()
