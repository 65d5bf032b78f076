#pragma once

#include <Kokkos_Macros.hpp>
#include <cstddef>
#include <libsolve/core/config.hpp>
#include <libsolve/core/export.hpp>
#include <libsolve/core/index.hpp>
#include <libsolve/core/version.hpp>
#include <string>

#if LIBSOLVE_HAVE_MPI
#include <mpi.h>  // for its name and version only
#endif

/// What a plugin was built with, as plain text in a section of its own (`.libsolve.abi`) of the
/// shared library. The loader reads it from the file and compares it with its own before the file
/// is opened as a library, so that no code of a plugin that does not fit ever runs, not even the
/// constructors of its static objects. To look at one: `readelf -p .libsolve.abi FILE`.
namespace libsolve::detail {

/// Raised with every change of the interface between the library and plugins: the abstract classes,
/// the core types they use, the registration entry.
inline constexpr int abi_interface = 3;

/// One value of a stamp; longer text is cut.
struct AbiWord {
  char text[64] = {};

  constexpr AbiWord() = default;
  constexpr AbiWord(const char* value) { *this << value; }
  constexpr AbiWord& operator<<(const char* value) {
    std::size_t n = 0;
    while (text[n] != '\0') ++n;
    while (*value != '\0' && n + 1 < sizeof text) text[n++] = *value++;
    return *this;
  }
  constexpr AbiWord& operator<<(long value) {
    char digits[24] = {};
    std::size_t n = sizeof digits - 1;
    do {
      digits[--n] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value > 0);
    return *this << &digits[n];
  }
};

/// The fields of a stamp. All have to be equal; the keys in the text are the names of the members.
struct AbiStamp {
  AbiWord interface_number;
  AbiWord libsolve_version;
  AbiWord compiler;          ///< "GNU 12.2"
  AbiWord standard_library;  ///< "libstdc++ 12, C++11 strings"
  AbiWord cxx_abi;           ///< of the language itself: __GXX_ABI_VERSION
  AbiWord cxx_standard;      ///< __cplusplus: 202002
  AbiWord kokkos_version;
  AbiWord kokkos_namespace;  ///< "Kokkos_libsolve" for the bundled Kokkos, else "Kokkos"
  AbiWord backends;          ///< execution spaces and which is the default
  AbiWord index_bits;        ///< "32 local, 64 global"
  AbiWord build_type;        ///< "release" or "debug" (assertions on), and checks that come on top
  AbiWord cuda;              ///< version of the CUDA compiler, or "none"
  AbiWord mpi;               ///< "Open MPI 4", "MPICH 4", "none"
};

#define LIBSOLVE_TEXT_OF(x) #x
#define LIBSOLVE_TEXT(x) LIBSOLVE_TEXT_OF(x)

/// The stamp of the file being compiled.
constexpr AbiStamp abi_stamp() {
  AbiStamp s;
  s.interface_number << static_cast<long>(abi_interface);
  s.libsolve_version << LIBSOLVE_VERSION;

#if defined(__clang__)
  s.compiler << "Clang " << long{__clang_major__} << "." << long{__clang_minor__};
#else
  s.compiler << "GNU " << long{__GNUC__} << "." << long{__GNUC_MINOR__};
#endif
#if defined(_LIBCPP_VERSION)
  s.standard_library << "libc++ " << long{_LIBCPP_VERSION};
#else
  s.standard_library << "libstdc++ " << long{_GLIBCXX_RELEASE}
                     << (_GLIBCXX_USE_CXX11_ABI ? ", C++11 strings" : ", old strings");
#endif
  s.cxx_abi << long{__GXX_ABI_VERSION};
  s.cxx_standard << long{__cplusplus};

  s.kokkos_version << long{KOKKOS_VERSION / 10000} << "." << long{KOKKOS_VERSION / 100 % 100} << "."
                   << long{KOKKOS_VERSION % 100};
#if defined(KOKKOS_ENABLE_IMPL_VIEW_LEGACY)
  s.kokkos_version << ", legacy views";
#endif
  s.kokkos_namespace << LIBSOLVE_TEXT(Kokkos);
#if defined(KOKKOS_ENABLE_CUDA)
  s.backends << "Cuda ";
#endif
#if defined(KOKKOS_ENABLE_HIP)
  s.backends << "HIP ";
#endif
#if defined(KOKKOS_ENABLE_SYCL)
  s.backends << "SYCL ";
#endif
#if defined(KOKKOS_ENABLE_OPENMP)
  s.backends << "OpenMP ";
#endif
#if defined(KOKKOS_ENABLE_THREADS)
  s.backends << "Threads ";
#endif
#if defined(KOKKOS_ENABLE_HPX)
  s.backends << "HPX ";
#endif
#if defined(KOKKOS_ENABLE_SERIAL)
  s.backends << "Serial ";
#endif
  s.backends << "(default "
#if defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_CUDA)
             << "Cuda)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_HIP)
             << "HIP)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_SYCL)
             << "SYCL)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_OPENMP)
             << "OpenMP)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_THREADS)
             << "Threads)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_HPX)
             << "HPX)";
#elif defined(KOKKOS_ENABLE_DEFAULT_DEVICE_TYPE_SERIAL)
             << "Serial)";
#else
             << "other)";
#endif

  s.index_bits << long{8 * sizeof(Index)} << " local, " << long{8 * sizeof(GlobalIndex)}
               << " global";

#if defined(NDEBUG)
  s.build_type << "release";
#else
  s.build_type << "debug";
#endif
#if defined(_GLIBCXX_DEBUG)
  s.build_type << ", checked containers";
#endif
#if defined(KOKKOS_ENABLE_DEBUG) || defined(KOKKOS_ENABLE_DEBUG_BOUNDS_CHECK)
  s.build_type << ", checked views";
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LIBSOLVE_ABI_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIBSOLVE_ABI_SANITIZED 1
#endif
#endif
#if defined(LIBSOLVE_ABI_SANITIZED)
  s.build_type << ", address sanitizer";
#endif

#if defined(__CUDACC_VER_MAJOR__)
  s.cuda << long{__CUDACC_VER_MAJOR__} << "." << long{__CUDACC_VER_MINOR__};
#else
  s.cuda << "none";
#endif
#if defined(OMPI_MAJOR_VERSION)
  s.mpi << "Open MPI " << long{OMPI_MAJOR_VERSION};
#elif defined(MPICH_NUMVERSION)
  s.mpi << "MPICH " << long{MPICH_NUMVERSION / 10000000};
#elif LIBSOLVE_HAVE_MPI
  s.mpi << "MPI " << long{MPI_VERSION};
#else
  s.mpi << "none";
#endif
  return s;
}

/// A stamp as it lies in the file: lines "key=value", the first one is "libsolve-abi=1" (the number
/// of this layout), ended by a zero byte.
struct AbiText {
  char text[1536] = {};

  constexpr explicit AbiText(const AbiStamp& s) {
    std::size_t n = 0;
    const auto put = [&](const char* t) {
      while (*t != '\0') text[n++] = *t++;
    };
    const auto line = [&](const char* key, const AbiWord& value) {
      put(key);
      put("=");
      put(value.text);
      put("\n");
    };
    line("libsolve-abi", "1");
    line("interface_number", s.interface_number);
    line("libsolve_version", s.libsolve_version);
    line("compiler", s.compiler);
    line("standard_library", s.standard_library);
    line("cxx_abi", s.cxx_abi);
    line("cxx_standard", s.cxx_standard);
    line("kokkos_version", s.kokkos_version);
    line("kokkos_namespace", s.kokkos_namespace);
    line("backends", s.backends);
    line("index_bits", s.index_bits);
    line("build_type", s.build_type);
    line("cuda", s.cuda);
    line("mpi", s.mpi);
  }
};

/// The stamp of libsolve itself, as text.
LIBSOLVE_EXPORT std::string own_abi_text();

}  // namespace libsolve::detail

/// Puts a stamp into the file being compiled; part of LIBSOLVE_PLUGIN.
#define LIBSOLVE_EMIT_ABI_STAMP_OF(stamp)                                                          \
  extern "C" {                                                                                     \
  __attribute__((                                                                                  \
      used, visibility("default"),                                                                 \
      section(".libsolve.abi"))) extern constexpr ::libsolve::detail::AbiText libsolve_plugin_abi{ \
      stamp};                                                                                      \
  }
#define LIBSOLVE_EMIT_ABI_STAMP LIBSOLVE_EMIT_ABI_STAMP_OF(::libsolve::detail::abi_stamp())
