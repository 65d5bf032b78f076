#include "learned_multigrid.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/linear/operator_forms.hpp>
#include <map>
#include <mutex>

#include "guard.hpp"
#include "survey.hpp"

namespace multigrid {
namespace {

int num_axes(const libsolve::StencilOperator& A) {
  return int(std::count_if(A.grid().cells.begin(), A.grid().cells.end(),
                           [](auto n) { return n > 1; }));
}

/// Weights as read, and the network they make.
struct Trained {
  libsolve::Weights weights;
  ChoiceNetwork network;
};

/// A file is parsed once in a process, and again when it has changed.
std::shared_ptr<const Trained> read_once(const std::string& path) {
  namespace fs = std::filesystem;
  struct Known {
    fs::file_time_type written;
    std::uintmax_t bytes = 0;
    std::shared_ptr<const Trained> trained;
  };
  static std::mutex mutex;
  static std::map<std::string, Known> all;
  const std::lock_guard lock(mutex);
  const auto written = fs::last_write_time(path);
  const auto bytes = fs::file_size(path);
  Known& known = all[path];
  if (!known.trained || known.written != written || known.bytes != bytes) {
    libsolve::Weights weights = libsolve::read_weights(path);
    ChoiceNetwork network(weights);
    known = {written, bytes, std::make_shared<Trained>(Trained{std::move(weights), network})};
  }
  return known.trained;
}

/// Whether setting s is what plain multigrid takes by itself.
bool is_plain(Survey& survey, int s) {
  const MultigridOptions o = setting(s).options, given;
  if (o.pre_sweeps != given.pre_sweeps || o.omega || o.semi_coarsening != given.semi_coarsening)
    return false;
  const bool is_constant = survey.A().is_constant() && o.coarsening == "piecewise-constant";
  return o.cycle == (is_constant ? "V" : "W") && o.coarsening == to_text(survey.coarsening());
}

}  // namespace

LearnedMultigrid::LearnedMultigrid(const Options& options, const libsolve::Context& context)
    : options_(options), context_(context) {}

void LearnedMultigrid::setup(const libsolve::LinearSystem& system) {
  inner_.reset();
  const auto A = libsolve::stencil_for(system.shared_A());
  if (A == nullptr)
    throw libsolve::Unsupported(
        "learned-multigrid needs an operator on a structured grid (StencilOperator), got: " +
        system.A().description() + "; use ic0 or another preconditioner for matrices");
  MultigridOptions given;
  given.order = options_.order;
  given.precision = options_.precision;
  chosen_ = plain_setting;
  Survey survey(*A, given.semi_coarsening);
  if (A->row_partition().communicator().size() > 1) {
    why_ = "plain on several ranks";
  } else if (A->grid().num_cells() < options_.min_cells) {
    why_ = "plain below " + std::to_string(options_.min_cells) + " cells";
  } else {
    chosen_ = choose(survey);
  }
  inner_ = std::make_unique<Multigrid>(setting(chosen_, given).options, context_);
  inner_->setup(survey);
}

int LearnedMultigrid::choose(Survey& survey) {
  const libsolve::StencilOperator& A = survey.A();
  const auto trained =
      read_once(libsolve::find_weights(options_.weights, context_.base_folder));
  libsolve::require_operator(trained->weights, "diffusion", num_axes(A));
  const ChoiceNetwork::Costs costs = trained->network(features_of(survey));
  const int best = int(std::min_element(costs.begin(), costs.end()) - costs.begin());
  const double gain = costs[plain_setting] - costs[best];
  why_ = setting(best).name + " foreseen " + libsolve::format_number(std::round(100 * std::exp(gain)) / 100) +
         " times as fast as plain";
  if (best == plain_setting || gain < options_.margin) {
    why_ += ", plain taken";
    return plain_setting;
  }
  if (is_plain(survey, best)) {
    why_ += ", which is plain";
    return plain_setting;
  }
  if (!options_.guard) return best;
  // On a small piece multigrid might take another kind of levels than on the whole.
  MultigridOptions plain;
  plain.order = options_.order;
  plain.coarsening = to_text(survey.coarsening());
  MultigridOptions chosen = setting(best, plain).options;
  const bool may_grow = survey.coarsening() == Coarsening::connected_pieces &&
                        chosen.coarsening != plain.coarsening;
  const GuardResult result = compare_cycles(A, plain, chosen, may_grow);
  const auto text = [](double v) { return libsolve::format_number(std::round(100 * v) / 100); };
  why_ += "; guard: factors " + text(result.chosen.factor) + " against " + text(result.plain.factor) +
          ", steps " + text(result.chosen.steps) + " against " + text(result.plain.steps);
  const double tried = std::log(result.plain.cost() / result.chosen.cost());
  if (result.keeps_chosen() && 0.5 * (gain + tried) >= options_.margin) return best;
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
