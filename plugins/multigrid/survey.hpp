/// \file
/// What set-up learns from the coefficients before it builds anything.
#pragma once

#include <optional>

#include "aligned.hpp"
#include "coarsening_choice.hpp"

namespace multigrid {

/// Answers about the coefficients of A, each found when it is first asked for, by one or two passes
/// over them, and then kept: who has to choose and who builds share one survey. A must outlive it.
class Survey {
 public:
  Survey(const libsolve::StencilOperator& A, double semi_coarsening)
      : A_(A), semi_coarsening_(semi_coarsening) {}

  [[nodiscard]] const libsolve::StencilOperator& A() const { return A_; }
  const CoarseningChoice& choice() {
    if (!choice_) choice_ = choose_coarsening(A_);
    return *choice_;
  }
  /// The first cut grid of aligned.hpp, where it fits.
  const std::optional<CutGrid>& cuts() {
    if (!cuts_) cuts_ = aligned_grid(A_, semi_coarsening_);
    return *cuts_;
  }
  /// The kind of levels that `coarsening = "auto"` stands for.
  Coarsening coarsening() {
    const Coarsening kind = choice().coarsening;
    return kind == Coarsening::operator_dependent && cuts() ? Coarsening::aligned : kind;
  }

 private:
  const libsolve::StencilOperator& A_;
  double semi_coarsening_;
  std::optional<CoarseningChoice> choice_;
  std::optional<std::optional<CutGrid>> cuts_;
};

}  // namespace multigrid
