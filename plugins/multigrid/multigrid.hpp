/// \file
/// Geometric multigrid as a preconditioner for operators on structured grids.
#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hierarchy_setup.hpp"

namespace multigrid {

class Survey;

struct MultigridOptions {
  std::string coarsening = "auto";
  std::string cycle = "auto";
  int pre_sweeps = 2;
  int post_sweeps = 2;
  std::optional<double> omega;
  std::string order = "auto";
  std::string precision = "auto";
  std::optional<double> strength;
  int coarse_size = 600;
  bool fused = true;
  double semi_coarsening = 0.5;

  static void describe(libsolve::Fields<MultigridOptions>& f) {
    using O = MultigridOptions;
    using libsolve::Range;
    f.add(
        "coarsening", &O::coarsening,
        libsolve::Choices{{"auto", "piecewise-constant", "aligned", "operator-dependent",
                            "connected-pieces"}},
        "kind of coarse levels; auto: connected-pieces for solids with Neumann walls, "
        "aligned where jumps lie on planes (one rank), operator-dependent for other jumping or "
        "anisotropic coefficients, else piecewise-constant");
    f.add("cycle", &O::cycle, libsolve::Choices{{"auto", "V", "W", "F"}},
          "order of the visits to coarse levels; auto: V where coefficients are constant and "
          "coarsening is piecewise-constant, else W");
    f.add("pre_sweeps", &O::pre_sweeps, Range::closed(1, 8), "sweeps before the coarse correction");
    f.add("post_sweeps", &O::post_sweeps, Range::closed(1, 8), "sweeps after it");
    f.add("omega", &O::omega, Range::open(0.0, 2.0),
          "relaxation factor of the sweeps; auto: 1.1 with order \"same\", else 1");
    f.add("order", &O::order, libsolve::Choices{{"auto", "same", "symmetric"}},
          "\"symmetric\" mirrors the colours after the coarse correction: cg keeps its short form; "
          "\"same\" needs flexible-cg (cg moves to it by itself) and fewer steps; auto: same in 2D "
          "and 3D");
    f.add("precision", &O::precision, libsolve::Choices{{"auto", "float", "double"}},
          "numbers inside the cycle; auto: float, but double where couplings differ by more than "
          "1e12 (2D: 1e8), and in 1D, where float is refused beyond coarse_size");
    f.add("strength", &O::strength, Range::open(0.0, 2.0),
          "piecewise-constant only: coarse couplings relative to the Galerkin ones; auto: 0.5");
    f.add("coarse_size", &O::coarse_size, Range::closed(1, 20000),
          "unknowns at which a direct solver takes over (operator-dependent: 80 at most)");
    f.add("semi_coarsening", &O::semi_coarsening, Range::closed(0.0, 1.0),
          "an axis whose couplings are weaker than this times the strongest is not halved; 0: all "
          "are");
    f.add("fused", &O::fused,
          "piecewise-constant, host only: all sweeps of a level in one trip through memory (same "
          "numbers either way)");
  }
};

/// z = M r, one multigrid cycle on A z = r from z = 0; see README.md. Setup reads the coefficients
/// once; memory about 11 bytes an unknown with constant coefficients in 3D (float), 68 with
/// the coarsenings for variable ones. A must be a StencilOperator (Unsupported otherwise); on several
/// ranks rank_cycle.hpp says who does what.
class Multigrid final : public libsolve::Preconditioner {
 public:
  using Options = MultigridOptions;
  Multigrid(const Options& options, const libsolve::Context& context);
  Multigrid(Multigrid&&) noexcept;
  ~Multigrid() override;

  void setup(const libsolve::LinearSystem& system) override;
  /// The same for an operator that somebody has already looked at.
  void setup(Survey& survey);
  void apply(const libsolve::Vector& r, const libsolve::Vector& z) override;
  libsolve::DotPair apply_with_dots(const libsolve::Vector& r, const libsolve::Vector& z,
                                    const libsolve::Vector* q) override;
  bool is_linear() const override { return true; }
  bool is_symmetric() const override { return symmetric_; }
  double memory_bytes() const override;
  std::vector<libsolve::Measure> metrics() const override;
  std::vector<std::string> notes() const override { return {note_}; }

  /// Set-up and one step of flexible CG with this cycle (cost.hpp); zeros over several ranks.
  Work work() const;

 private:
  struct Cycle;
  template <class Real>
  struct CycleOf;
  template <class Real>
  struct CycleOverRanks;

  Options options_;
  bool symmetric_ = false;
  double krylov_work_ = 0.0;
  std::string note_;
  std::unique_ptr<Cycle> cycle_;
};

}  // namespace multigrid
