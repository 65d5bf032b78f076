# 1. installs; 2. builds and runs consumer/ and apps/examples/minimal.cpp with find_package(libsolve),
# the latter with pkg-config, too; 3. builds plugins/template out
# of tree with libsolve_add_plugin and asks the installed application whether it sees it. In between, the
# smoke tests of the Spack recipe.

function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(code)
    message(FATAL_ERROR "${what} failed (${code}):\n${out}\n${err}")
  endif()
  set(output "${out}${err}" PARENT_SCOPE)
endfunction()

set(prefix ${WORK}/prefix)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
step("installation" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

# The prefix must not depend on where it was installed first.
set(moved ${WORK}/moved)
file(RENAME ${prefix} ${moved})
set(prefix ${moved})

set(flags -G ${GENERATOR} -DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM} -DCMAKE_CXX_COMPILER=${CXX}
          -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -Dlibsolve_ROOT=${prefix})
if(SANITIZE)
  list(APPEND flags "-DCMAKE_CXX_FLAGS=-fsanitize=address,undefined -fno-omit-frame-pointer -O1")
  set(ENV{ASAN_OPTIONS} detect_leaks=0)
endif()

step("configuring the consumer" ${CMAKE_COMMAND} -S ${SOURCE}/tests/install/consumer -B ${WORK}/consumer ${flags}
     -DWITH_SUNDIALS=${SUNDIALS})
step("building the consumer" ${CMAKE_COMMAND} --build ${WORK}/consumer)
if(NOT CUDA)
  step("running the consumer" ${WORK}/consumer/consumer)
  message(STATUS "${output}")
  if(NOT output MATCHES "consumer: ok")
    message(FATAL_ERROR "the consumer did not say 'consumer: ok'")
  endif()
  step("running the minimal example" ${WORK}/consumer/minimal)
  message(STATUS "minimal: ${output}")
  if(SUNDIALS)
    step("running the consumer of SUNDIALS" ${WORK}/consumer/consumer_sundials)
    message(STATUS "${output}")
  endif()
endif()

# What `spack install` and `spack test run` check, on this prefix; consumer/ is built above.
if(EXISTS ${prefix}/bin/libsolve AND NOT CUDA)
  set(ENV{LIBSOLVE_NO_CONSUMER} 1)
  step("the checks of the Spack recipe" ${PYTHON} ${SOURCE}/tests/install/spack_recipe_test.py
       ${SOURCE} ${BUILD}/CMakeCache.txt ${prefix})
endif()

if(PKG_CONFIG AND NOT CUDA)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/lib/pkgconfig)
  step("pkg-config" ${PKG_CONFIG} --cflags --libs libsolve)
  separate_arguments(words UNIX_COMMAND "${output}")
  if(SANITIZE)
    list(APPEND words -fsanitize=address,undefined)
  endif()
  step("building with pkg-config" ${CXX} ${SOURCE}/apps/examples/minimal.cpp -o ${WORK}/minimal_pc ${words})
  step("running what pkg-config built" ${WORK}/minimal_pc)
  message(STATUS "pkg-config: ${output}")
  if(SUNDIALS)
    step("pkg-config" ${PKG_CONFIG} --cflags --libs libsolve-sundials)
    separate_arguments(words UNIX_COMMAND "${output}")
    if(SANITIZE)
      list(APPEND words -fsanitize=address,undefined)
    endif()
    step("building with pkg-config and SUNDIALS" ${CXX}
         ${SOURCE}/tests/install/consumer/consumer_sundials.cpp -o ${WORK}/sundials_pc ${words})
    step("running what pkg-config built with SUNDIALS" ${WORK}/sundials_pc)
    message(STATUS "pkg-config: ${output}")
  endif()
endif()

# A PETSc program that knows nothing of libsolve, with the library as it is installed.
if(EXISTS ${BUILD}/tests/petsc_plain_program AND NOT CUDA)
  step("running a PETSc program" ${BUILD}/tests/petsc_plain_program
       -dll_append ${prefix}/lib/libsolve_in_petsc.so -max_its 8
       -ksp_type libsolve -ksp_libsolve_method cg -pc_type libsolve -pc_libsolve_method multigrid)
  message(STATUS "PETSc program: ${output}")
endif()

if(EXISTS ${SOURCE}/plugins/template/CMakeLists.txt)
  file(COPY ${SOURCE}/plugins/template DESTINATION ${WORK})
  step("configuring the template" ${CMAKE_COMMAND} -S ${WORK}/template -B ${WORK}/template/build ${flags})
  step("building the template" ${CMAKE_COMMAND} --build ${WORK}/template/build)
  file(GLOB plugin ${WORK}/template/build/lib/libsolve/plugins/*.so)
  if(NOT plugin)
    message(FATAL_ERROR "the template left no plugin in ${WORK}/template/build/lib/libsolve/plugins")
  endif()
  if(NOT CUDA)
    step("testing the template" ${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/template/build --output-on-failure)
  endif()
  if(EXISTS ${prefix}/bin/libsolve AND NOT CUDA)
    file(REMOVE ${prefix}/lib/libsolve/plugins/template.so)  # the one of the tree
    set(ENV{LIBSOLVE_PLUGIN_PATH} ${WORK}/template/build/lib/libsolve/plugins)
    step("libsolve list" ${prefix}/bin/libsolve list --json)
    if(NOT output MATCHES "template/build/lib/libsolve/plugins/template.so")
      message(FATAL_ERROR "`libsolve list` does not show the plugin built out of tree:\n${output}")
    endif()
    message(STATUS "the installed application lists the plugin built out of tree")
  endif()
endif()
file(REMOVE_RECURSE ${WORK})
