#include "methods.hpp"

namespace petsc_plugin {

namespace {
std::unique_ptr<petsc::Solver> ksp(const std::string& asker, const std::string& options,
                                   const char* ksp_type = "", bool matrix_free = false) {
  return petsc::make_ksp(
      {.options = options, .ksp_type = ksp_type, .matrix_free = matrix_free, .asker = asker});
}
}  // namespace

std::unique_ptr<petsc::Solver> AnyKsp::make(const std::string& asker) const {
  return ksp(asker, options, "", matrix_free);
}

std::unique_ptr<petsc::Solver> AnyPc::make(const std::string& asker) const {
  return ksp(asker, options);
}

std::unique_ptr<petsc::Solver> Gamg::make(const std::string& asker) const {
  return ksp(asker, "-pc_type gamg " + options, "cg");
}

std::unique_ptr<petsc::Solver> BoomerAmg::make(const std::string& asker) const {
  const std::string p = "-pc_hypre_boomeramg_";
  return ksp(asker,
             "-pc_type hypre -pc_hypre_type boomeramg " + p + "coarsen_type " + coarsening + " " +
                 p + "interp_type " + interpolation + " " + p + "strong_threshold " +
                 std::to_string(strong_threshold) + " " + p + "agg_nl " +
                 std::to_string(aggressive_levels) + " " + p + "P_max " +
                 std::to_string(max_row_entries) + " " + options,
             "cg");
}

std::unique_ptr<petsc::Solver> Pfmg::make(const std::string& asker) const {
  return petsc::make_pfmg({.coarse_operator = coarse_operator,
                           .smoother = smoother,
                           .sweeps = sweeps,
                           .skip_relax = skip_relax,
                           .asker = asker});
}

namespace {
/// Factors, applied as x += M (b - A x).
std::unique_ptr<petsc::Solver> direct(const std::string& asker, const std::string& options,
                                      const char* package) {
  return petsc::make_ksp(
      {.options = options, .ksp_type = "richardson", .factor_package = package, .asker = asker});
}
}  // namespace

std::unique_ptr<petsc::Solver> Lu::make(const std::string& asker) const {
  return direct(asker, options, "petsc");
}

std::unique_ptr<petsc::Solver> Mumps::make(const std::string& asker) const {
  return direct(asker, options, "mumps");
}

}  // namespace petsc_plugin
