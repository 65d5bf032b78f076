# Options and settings that hold for every target.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

option(LIBSOLVE_NATIVE "Optimise for this machine's processor (OFF for a build that runs elsewhere)" ON)
option(LIBSOLVE_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(LIBSOLVE_WERROR "Warnings are errors" OFF)
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(default_pch OFF)  # a compiler cache cannot keep objects made with a precompiled header
else()
  set(default_pch ON)
endif()
option(LIBSOLVE_PCH "Precompile the Kokkos headers (shorter builds, less useful with a compiler cache)"
       ${default_pch})
set(LIBSOLVE_PLUGINS "" CACHE STRING "Plugin folders to build; empty: all of plugins/")
set(LIBSOLVE_DEPS_DIR "$ENV{LIBSOLVE_DEPS_DIR}" CACHE PATH
    "Folder for dependencies built along; several build folders may share it")
if(NOT LIBSOLVE_DEPS_DIR)
  set(LIBSOLVE_DEPS_DIR ${CMAKE_BINARY_DIR}/_deps)
endif()
# Where libsolve_add_plugin leaves plugins and where an installed application looks for them.
set(LIBSOLVE_PLUGIN_DIR lib/libsolve/plugins)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_LIBDIR lib)  # the loader, the plugins and the package config rely on one layout

# The build folder has the layout of the installed tree, so that both find plugins the same way.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)

# Flags of our own targets only: libsolve_settings(<target>).
add_library(libsolve_flags INTERFACE)
target_compile_options(libsolve_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unknown-pragmas>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>  # g++ 12 sees overlaps in std::string that are none
  $<$<AND:$<BOOL:${LIBSOLVE_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>
  $<$<AND:$<BOOL:${LIBSOLVE_NATIVE}>,$<COMPILE_LANGUAGE:CXX>>:-march=native>)
if(LIBSOLVE_SANITIZE)
  target_compile_options(libsolve_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined -fno-omit-frame-pointer>)
  target_link_options(libsolve_flags INTERFACE -fsanitize=address,undefined)
endif()

# Everything that a target of this tree shares: flags, language of the sources, precompiled header.
function(libsolve_settings target)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:libsolve_flags>)
  libsolve_kokkos_language(${target})
  if(LIBSOLVE_PCH AND NOT Kokkos_ENABLE_CUDA)
    # One precompiled header for all libraries and one for all executables, whose -fPIC and -fPIE differ.
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
      _libsolve_precompile(libsolve_pch_executable EXECUTABLE)
      target_precompile_headers(${target} REUSE_FROM libsolve_pch_executable)
    else()
      _libsolve_precompile(libsolve_pch_library OBJECT)
      target_precompile_headers(${target} REUSE_FROM libsolve_pch_library)
    endif()
  endif()
endfunction()

# The target that owns a precompiled header, made once.
function(_libsolve_precompile name type)
  if(TARGET ${name})
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cpp CONTENT "int main() {}\n")
  if(type STREQUAL "EXECUTABLE")
    add_executable(${name} ${CMAKE_BINARY_DIR}/${name}.cpp)
  else()
    add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  endif()
  target_link_libraries(${name} PRIVATE Kokkos::kokkos libsolve_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_precompile_headers(${name} PRIVATE <Kokkos_Core.hpp> <algorithm> <cmath> <cstdint>
                            <functional> <memory> <string> <string_view> <vector>)
endfunction()

# With CUDA, nvcc compiles the sources whose includes reach Kokkos, since Kokkos' headers ask for it; the
# others stay with the C++ compiler (toml++, for one, is too much for nvcc).
function(libsolve_kokkos_language target)
  if(NOT Kokkos_ENABLE_CUDA)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  foreach(source ${sources})
    if(source MATCHES "\\.(cpp|cxx|cc)$")
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder} NORMALIZE)
      _libsolve_reaches_kokkos(${source} "${folder}" reaches)
      if(reaches)
        set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES LANGUAGE CUDA)
      endif()
    endif()
  endforeach()
endfunction()

# Whether <file> includes a Kokkos header, itself or through headers of this tree.
function(_libsolve_reaches_kokkos file target_folder out)
  get_property(known GLOBAL PROPERTY LIBSOLVE_REACHES_${file})
  if("${known}" STREQUAL "")
    set_property(GLOBAL PROPERTY LIBSOLVE_REACHES_${file} FALSE)  # ends circles
    set(known FALSE)
    cmake_path(GET file PARENT_PATH beside)
    file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
    foreach(line ${lines})
      string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]+)[>\"].*" "\\1" name "${line}")
      if(name MATCHES "^Kokkos_")
        set(known TRUE)
        break()
      endif()
      foreach(header ${PROJECT_SOURCE_DIR}/${name} ${beside}/${name} ${target_folder}/${name})
        if(EXISTS ${header})
          cmake_path(NORMAL_PATH header)
          _libsolve_reaches_kokkos(${header} "${target_folder}" known)
          break()
        endif()
      endforeach()
      if(known)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY LIBSOLVE_REACHES_${file} ${known})
  endif()
  set(${out} ${known} PARENT_SCOPE)
endfunction()
