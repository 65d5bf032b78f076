#pragma once

#include "their_solver.hpp"

/// The names of this plugin. Each is a struct of options that makes its solver; WithStopping<...>
/// and the classes at the end turn it into a linear solver and a preconditioner.
namespace petsc_plugin {

/// What every preset of PETSc's takes: options in PETSc's own words, behind its own, so that they
/// win.
struct OwnWords {
  std::string options = "";
  template <class O>
  static void describe_words(Fields<O>& f) {
    f.add(
        "options", &O::options,
        "options in PETSc's words, \"-ksp_type cg -pc_type gamg\"; one that PETSc does not use is "
        "an error");
  }
};

/// Any KSP with any PC.
struct AnyKsp : OwnWords {
  static constexpr const char* name = "petsc";
  bool matrix_free = false;
  template <class O>
  static void describe_fields(Fields<O>& f) {
    describe_words(f);
    f.add("matrix_free", &O::matrix_free,
          "multiply by the operator itself (MATSHELL) instead of an assembled matrix");
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
};

/// Any PC. What it is, PETSc does not tell.
struct AnyPc : OwnWords {
  static constexpr const char* name = "petsc-pc";
  bool symmetric = false;
  bool linear = true;
  template <class O>
  static void describe_fields(Fields<O>& f) {
    describe_words(f);
    f.add("symmetric", &O::symmetric,
          "it is symmetric and positive definite where A is: cg may do");
    f.add("linear", &O::linear,
          "it is the same linear map each time; false moves to flexible methods");
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
  bool is_linear() const { return linear; }
  bool is_symmetric() const { return linear && symmetric; }
};

/// PETSc's smoothed aggregation with its defaults: Chebyshev(2) over Jacobi.
struct Gamg : OwnWords {
  static constexpr const char* name = "petsc-gamg";
  template <class O>
  static void describe_fields(Fields<O>& f) {
    describe_words(f);
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
  bool is_linear() const { return true; }
  bool is_symmetric() const { return true; }
};

/// hypre's BoomerAMG through PETSc; hybrid symmetric Gauss-Seidel sweeps.
struct BoomerAmg : OwnWords {
  static constexpr const char* name = "hypre-boomeramg";
  double strong_threshold = 0.5;
  std::string coarsening = "HMIS";
  std::string interpolation = "ext+i";
  int aggressive_levels = 1;
  int max_row_entries = 4;
  template <class O>
  static void describe_fields(Fields<O>& f) {
    f.add("strong_threshold", &O::strong_threshold, Range::closed(0.0, 1.0),
          "couplings above this times the row's largest are strong; 0.25 for 2D problems");
    f.add("coarsening", &O::coarsening, Choices{{"HMIS", "PMIS", "Falgout", "CLJP"}},
          "how coarse points are chosen");
    f.add("interpolation", &O::interpolation,
          Choices{{"ext+i", "ext", "classical", "standard", "multipass", "FF1"}},
          "how fine points follow coarse ones");
    f.add("aggressive_levels", &O::aggressive_levels, Range::at_least(0.0),
          "levels coarsened aggressively, from the finest");
    f.add("max_row_entries", &O::max_row_entries, Range::at_least(0.0),
          "entries kept in a row of the interpolation; 0: all");
    describe_words(f);
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
  bool is_linear() const { return true; }
  bool is_symmetric() const { return true; }
};

/// hypre's PFMG through its structured interface.
struct Pfmg {
  static constexpr const char* name = "hypre-pfmg";
  std::string coarse_operator = "auto";
  std::string smoother = "auto";
  int sweeps = 1;
  bool skip_relax = true;
  template <class O>
  static void describe_fields(Fields<O>& f) {
    f.add("coarse_operator", &O::coarse_operator, Choices{{"auto", "galerkin", "non-galerkin"}},
          "auto: non-galerkin for constant coefficients, galerkin for others");
    f.add("smoother", &O::smoother, Choices{{"auto", "jacobi", "red-black"}},
          "auto: red-black for constant coefficients, weighted jacobi for others");
    f.add("sweeps", &O::sweeps, Range::at_least(1.0), "before and after each coarse correction");
    f.add("skip_relax", &O::skip_relax,
          "no sweeps on levels whose direction needs none, as PFMG has it");
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
  bool is_linear() const { return true; }
  bool is_symmetric() const { return true; }
};

/// PETSc's own sparse factors: L D L^T of symmetric matrices, else LU.
struct Lu : OwnWords {
  static constexpr const char* name = "petsc-lu";
  template <class O>
  static void describe_fields(Fields<O>& f) {
    describe_words(f);
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
};

/// Those of MUMPS, through PETSc.
struct Mumps : OwnWords {
  static constexpr const char* name = "mumps";
  template <class O>
  static void describe_fields(Fields<O>& f) {
    describe_words(f);
  }
  std::unique_ptr<petsc::Solver> make(const std::string& asker) const;
};

// ---- options of the components
// --------------------------------------------------------------------

template <class Preset>
struct PreconditionerOptions : Preset {
  static void describe(Fields<PreconditionerOptions>& f) { Preset::describe_fields(f); }
};

/// Convergence as everywhere: ||b - A x|| <= max(relative_tolerance ||b||, absolute_tolerance).
template <class Preset>
struct IterativeOptions : Preset {
  StoppingCriteria criteria;
  static void describe(Fields<IterativeOptions>& f) {
    f.add_group(&IterativeOptions::criteria);
    Preset::describe_fields(f);
  }
  StoppingCriteria stopping() const { return criteria; }
};

template <class Preset>
struct DirectOptions : Preset {
  double relative_tolerance = 1e-8;
  double absolute_tolerance = 0.0;
  int max_refinements = 10;
  static void describe(Fields<DirectOptions>& f) {
    using O = DirectOptions;
    f.add("relative_tolerance", &O::relative_tolerance, Range::closed(0.0, 1.0),
          "refine until the residual norm is below this times that of the right-hand side");
    f.add("absolute_tolerance", &O::absolute_tolerance, Range::at_least(0.0), "or below this");
    f.add("max_refinements", &O::max_refinements, Range::at_least(0.0),
          "steps x += M (b - A x) after the first");
    Preset::describe_fields(f);
  }
  StoppingCriteria stopping() const {
    return {relative_tolerance, absolute_tolerance, std::int64_t{max_refinements} + 1};
  }
};

// ---- components
// -----------------------------------------------------------------------------------

template <class OptionsOfMethod>
class LinearMethod final : public TheirSolver {
 public:
  using Options = OptionsOfMethod;
  LinearMethod(const Options& options, const Context&)
      : TheirSolver(Options::name, options.stopping(),
                    options.make("linear-solver '" + std::string(Options::name) + "'")) {}
};

template <class Preset>
class PreconditionerOf final : public TheirPreconditioner {
 public:
  using Options = PreconditionerOptions<Preset>;
  PreconditionerOf(const Options& options, const Context&)
      : TheirPreconditioner(options.make("preconditioner '" + std::string(Options::name) + "'"),
                            options.is_linear(), options.is_symmetric()) {}
};

}  // namespace petsc_plugin
