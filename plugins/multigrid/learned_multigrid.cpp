#include "learned_multigrid.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/weights_file.hpp>

#include "aligned.hpp"
#include "coarsening_choice.hpp"
#include "guard.hpp"

namespace multigrid {
namespace {

int num_axes(const libsolve::StencilOperator& A) {
  return int(std::count_if(A.grid().cells.begin(), A.grid().cells.end(),
                           [](auto n) { return n > 1; }));
}

std::string plain_coarsening(const libsolve::StencilOperator& A) {
  Coarsening kind = choose_coarsening(A).coarsening;
  if (kind == Coarsening::operator_dependent &&
      aligned_grid(A, MultigridOptions{}.semi_coarsening))
    kind = Coarsening::aligned;
  return to_text(kind);
}

/// Whether setting s is what plain multigrid takes by itself.
bool is_plain(const libsolve::StencilOperator& A, int s) {
  const MultigridOptions o = setting(s).options, given;
  const bool is_constant = A.is_constant() && o.coarsening == "piecewise-constant";
  return o.cycle == (is_constant ? "V" : "W") && o.pre_sweeps == given.pre_sweeps && !o.omega &&
         !o.strength && o.coarsening == plain_coarsening(A);
}

}  // namespace

LearnedMultigrid::LearnedMultigrid(const Options& options, const libsolve::Context& context)
    : options_(options), context_(context) {}

void LearnedMultigrid::setup(const libsolve::LinearSystem& system) {
  inner_.reset();
  const auto* A = dynamic_cast<const libsolve::StencilOperator*>(&system.A());
  if (A == nullptr)
    throw libsolve::Unsupported(
        "learned-multigrid needs an operator on a structured grid (StencilOperator), got: " +
        system.A().description() + "; use ic0 or another preconditioner for matrices");
  MultigridOptions given;
  given.order = options_.order;
  given.precision = options_.precision;
  chosen_ = plain_setting;
  if (A->row_partition().communicator().size() > 1) {
    why_ = "plain on several ranks";
  } else if (A->grid().num_cells() < options_.min_cells) {
    why_ = "plain below " + std::to_string(options_.min_cells) + " cells";
  } else {
    chosen_ = choose(*A);
  }
  inner_ = std::make_unique<Multigrid>(setting(chosen_, given).options, context_);
  inner_->setup(system);
}

int LearnedMultigrid::choose(const libsolve::StencilOperator& A) {
  if (!network_) {
    const libsolve::Weights weights = libsolve::read_weights(
        libsolve::find_weights(options_.weights, context_.base_folder));
    libsolve::require_network(weights, ChoiceNetwork::name);
    libsolve::require_operator(weights, "diffusion", num_axes(A));
    network_.emplace(weights);
  }
  const ChoiceNetwork::Costs costs = (*network_)(features_of(A));
  const int best = int(std::min_element(costs.begin(), costs.end()) - costs.begin());
  const double gain = costs[plain_setting] - costs[best];
  why_ = setting(best).name + " foreseen " + libsolve::format_number(std::round(100 * std::exp(gain)) / 100) +
         " times as fast as plain";
  if (best == plain_setting || gain < options_.margin) {
    why_ += ", plain taken";
    return plain_setting;
  }
  if (is_plain(A, best)) {
    why_ += ", which is plain";
    return plain_setting;
  }
  if (!options_.guard) return best;
  // On a small piece multigrid might take another kind of levels than on the whole.
  MultigridOptions plain;
  plain.order = options_.order;
  plain.coarsening = plain_coarsening(A);
  MultigridOptions chosen = setting(best, plain).options;
  const GuardResult result = compare_cycles(A, plain, chosen);
  const auto text = [](double v) { return libsolve::format_number(std::round(100 * v) / 100); };
  why_ += "; guard: factors " + text(result.chosen.factor) + " against " + text(result.plain.factor);
  if (result.keeps_chosen()) return best;
  why_ += ", stepped back to plain";
  return plain_setting;
}

std::vector<libsolve::Measure> LearnedMultigrid::metrics() const {
  if (!inner_) return {};
  std::vector<libsolve::Measure> all = inner_->metrics();
  all.push_back({"setting", double(chosen_), ""});
  return all;
}

std::vector<std::string> LearnedMultigrid::notes() const {
  if (!inner_) return {};
  std::vector<std::string> all = {"learned-multigrid: " + setting(chosen_).name + " (" + why_ + ")"};
  for (std::string& note : inner_->notes()) all.push_back(std::move(note));
  return all;
}

}  // namespace multigrid
