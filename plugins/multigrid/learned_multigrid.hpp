/// \file
/// Multigrid whose levels, cycle and weights a network chooses for the operator at hand.
#pragma once

#include "choice_network.hpp"

namespace multigrid {

struct LearnedMultigridOptions {
  std::string weights = "learned-multigrid";
  bool guard = true;
  int min_cells = 32768;
  double margin = 0.1;
  std::string order = "auto";
  std::string precision = "auto";

  static void describe(libsolve::Fields<LearnedMultigridOptions>& f) {
    using O = LearnedMultigridOptions;
    f.add("weights", &O::weights,
          "weights by name or file, as `libsolve train` writes them; shipped: learned-multigrid");
    f.add("guard", &O::guard,
          "compares what was chosen with plain multigrid on small pieces of the operator, and steps "
          "back to it where it is worse");
    f.add("min_cells", &O::min_cells, libsolve::Range::at_least(1),
          "smaller grids, and several ranks, take plain multigrid, without weights");
    f.add("margin", &O::margin, libsolve::Range::closed(0.0, 1.0),
          "by how much (natural logarithm) what is chosen has to be foreseen to be cheaper than "
          "plain multigrid, and, with the guard, by the mean of what is foreseen and tried");
    f.add("order", &O::order, libsolve::Choices{{"auto", "same", "symmetric"}},
          "as of multigrid");
    f.add("precision", &O::precision, libsolve::Choices{{"auto", "float", "double"}},
          "as of multigrid");
  }
};

/// z = M r, one cycle of `multigrid` with the setting that the network foresees to be the
/// cheapest; README.md. What M is depends on the operator only: linear, the same in every run. A
/// must be a StencilOperator with as many axes as the operators trained on.
class LearnedMultigrid final : public libsolve::Preconditioner {
 public:
  using Options = LearnedMultigridOptions;
  LearnedMultigrid(const Options& options, const libsolve::Context& context);

  void setup(const libsolve::LinearSystem& system) override;
  void apply(const libsolve::Vector& r, const libsolve::Vector& z) override {
    inner_->apply(r, z);
  }
  libsolve::DotPair apply_with_dots(const libsolve::Vector& r, const libsolve::Vector& z,
                                    const libsolve::Vector* q) override {
    return inner_->apply_with_dots(r, z, q);
  }
  bool is_linear() const override { return true; }
  bool is_symmetric() const override { return inner_ && inner_->is_symmetric(); }
  double memory_bytes() const override { return inner_ ? inner_->memory_bytes() : 0.0; }
  std::vector<libsolve::Measure> metrics() const override;
  std::vector<std::string> notes() const override;

  /// What set-up took, a number of settings.hpp.
  int chosen() const { return chosen_; }

 private:
  int choose(Survey& survey);

  Options options_;
  libsolve::Context context_;
  int chosen_ = plain_setting;
  std::string why_;
  std::unique_ptr<Multigrid> inner_;
};

}  // namespace multigrid
