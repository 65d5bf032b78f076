#pragma once

#include <libsolve/adapters/petsc.hpp>
#include <libsolve/adapters/tao.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/exchange.hpp>
#include <libsolve/plugin/abi_stamp.hpp>

namespace libsolve::petsc::detail {

/// What the file being compiled belongs to, in lines "key=value": the stamp that plugins have, the
/// revision, and the sizes of what goes between libsolve.so and libsolve_petsc.so.
inline std::string build_identity(const char* revision) {
  static constexpr libsolve::detail::AbiText stamp{libsolve::detail::abi_stamp()};
  std::string text = std::string(stamp.text) + "revision=" + revision + "\nsizes=";
  for (const std::size_t size :
       {sizeof(KspSettings), sizeof(PfmgSettings), sizeof(InnerTask), sizeof(InnerOutcome),
        sizeof(SolveWatch), sizeof(LinearSystem), sizeof(CsrMatrix), sizeof(StencilOperator),
        sizeof(Partition), sizeof(Vector), sizeof(Exchange), sizeof(TaoSettings),
        sizeof(NonlinearProgram), sizeof(LclSettings)})
    text += " " + std::to_string(size);
  return text + "\n";
}

/// What libsolve_petsc.so offers, by its one entry "libsolve_petsc_library".
struct Library {
  const char* identity;  ///< build_identity() of it; the first member for all times
  std::string (*version_text)();
  std::unique_ptr<Solver> (*make_ksp)(const KspSettings&);
  std::unique_ptr<Solver> (*make_pfmg)(const PfmgSettings&);
  std::unique_ptr<Exchange> (*make_exchange)(const Partition&, std::span<const GlobalIndex>);
  std::unique_ptr<TaoSolver> (*make_tao)(const TaoSettings&);
  std::unique_ptr<TaoSolver> (*make_lcl)(const LclSettings&);
};
using LibraryEntry = const Library* (*)();

}  // namespace libsolve::petsc::detail
