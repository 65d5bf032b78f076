#pragma once

#include <libsolve/adapters/petsc.hpp>
#include <libsolve/linear/exchange.hpp>

namespace libsolve::petsc::detail {

/// What libsolve_petsc.so offers, by its one entry "libsolve_petsc_library".
struct Library {
  const char* libsolve_version;  ///< it belongs to one build of libsolve
  std::string (*version_text)();
  std::unique_ptr<Solver> (*make_ksp)(const KspSettings&);
  std::unique_ptr<Solver> (*make_pfmg)(const PfmgSettings&);
  std::unique_ptr<Exchange> (*make_exchange)(const Partition&, std::span<const GlobalIndex>);
};
using LibraryEntry = const Library* (*)();

}  // namespace libsolve::petsc::detail
