# Installation: one prefix with lib/, bin/, include/, and a package for find_package(libsolve).

include(CMakePackageConfigHelpers)

set(package_dir lib/cmake/libsolve)
# Components: what a project can demand of the libsolve it finds.
set(LIBSOLVE_COMPONENTS)
foreach(name MPI PETSC SUNDIALS EIGEN CUDA)
  if(LIBSOLVE_HAVE_${name})
    string(TOLOWER ${name} name)
    list(APPEND LIBSOLVE_COMPONENTS ${name})
  endif()
endforeach()
set(LIBSOLVE_BUNDLED_KOKKOS OFF)
if(libsolve_kokkos_prefix)
  set(LIBSOLVE_BUNDLED_KOKKOS ON)
  install(DIRECTORY ${libsolve_kokkos_prefix}/ DESTINATION lib/libsolve-deps/kokkos USE_SOURCE_PERMISSIONS
          PATTERN libsolve-kokkos.log EXCLUDE)
endif()

set_target_properties(libsolve PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/libsolve-deps/kokkos/lib"
                      INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS libsolve EXPORT libsolveTargets LIBRARY DESTINATION lib)
if(TARGET libsolve_app)
  set_target_properties(libsolve_app PROPERTIES
    INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN/../lib/libsolve-deps/kokkos/lib"
    INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS libsolve_app RUNTIME DESTINATION bin)
endif()
set(not_built)
if(NOT TARGET libsolve_sundials)
  set(not_built REGEX /adapters/sundials EXCLUDE)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/libsolve/ ${CMAKE_BINARY_DIR}/generated/libsolve/
        DESTINATION include/libsolve FILES_MATCHING PATTERN *.hpp
        PATTERN docs EXCLUDE PATTERN adapters/petsc EXCLUDE ${not_built})
install(EXPORT libsolveTargets NAMESPACE libsolve:: DESTINATION ${package_dir})
if(TARGET libsolve_sundials)
  install(EXPORT libsolveSundialsTargets NAMESPACE libsolve:: FILE libsolveSundialsTargets.cmake
          DESTINATION ${package_dir})
endif()
configure_package_config_file(cmake/libsolveConfig.cmake.in ${CMAKE_BINARY_DIR}/libsolveConfig.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/libsolveConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/libsolveConfig.cmake ${CMAKE_BINARY_DIR}/libsolveConfigVersion.cmake
              cmake/libsolve_add_plugin.cmake
        DESTINATION ${package_dir})
install(FILES tests/support/main.cpp DESTINATION ${package_dir} RENAME libsolve_test_main.cpp)
install(FILES cmake/kokkos/cuda13_compat.h DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION share/doc/libsolve)

# pkg-config: the same for programs that are not built with CMake.
set(pc_options)
get_target_property(definitions Kokkos::kokkoscore INTERFACE_COMPILE_DEFINITIONS)
list(FILTER definitions INCLUDE REGEX "^Kokkos=")
foreach(definition ${definitions})
  string(APPEND pc_options " -D${definition}")
endforeach()
if(OPENMP IN_LIST Kokkos_DEVICES)
  string(APPEND pc_options " -fopenmp")
endif()
set(pc_mpi)
if(LIBSOLVE_HAVE_MPI)
  list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND "-isystem " OUTPUT_VARIABLE pc_mpi)
  list(JOIN pc_mpi " " pc_mpi)
  string(APPEND pc_mpi " -DOMPI_SKIP_MPICXX=1 -DMPICH_SKIP_MPICXX=1")
endif()
get_target_property(kokkos_file Kokkos::kokkoscore LOCATION)
cmake_path(GET kokkos_file PARENT_PATH kokkos_folder)
cmake_path(GET kokkos_folder FILENAME pc_kokkos_lib)
cmake_path(GET kokkos_folder PARENT_PATH pc_kokkos)
if(libsolve_kokkos_prefix)
  set(pc_kokkos "\${prefix}/lib/libsolve-deps/kokkos")
endif()
if(NOT LIBSOLVE_HAVE_CUDA)
  configure_file(cmake/libsolve.pc.in ${CMAKE_BINARY_DIR}/libsolve.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/libsolve.pc DESTINATION lib/pkgconfig)
  if(TARGET libsolve_sundials)
    foreach(name core_shared core_static generic_shared generic_static)  # core: 7.0 and newer
      if(TARGET SUNDIALS::${name})
        get_target_property(pc_sundials_file SUNDIALS::${name} LOCATION)
        get_target_property(pc_sundials_cflags SUNDIALS::${name} INTERFACE_INCLUDE_DIRECTORIES)
        break()
      endif()
    endforeach()
    list(TRANSFORM pc_sundials_cflags PREPEND -I)
    list(JOIN pc_sundials_cflags " " pc_sundials_cflags)
    cmake_path(GET pc_sundials_file PARENT_PATH pc_sundials_folder)
    cmake_path(GET pc_sundials_file FILENAME pc_sundials_name)
    string(REGEX REPLACE "^lib|\\.(so|a).*" "" pc_sundials_name ${pc_sundials_name})
    configure_file(cmake/libsolve-sundials.pc.in ${CMAKE_BINARY_DIR}/libsolve-sundials.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/libsolve-sundials.pc DESTINATION lib/pkgconfig)
  endif()
endif()
