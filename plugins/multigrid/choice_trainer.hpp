/// \file
/// Trains the network of `learned-multigrid`.
#pragma once

#include <libsolve/learn/trainer.hpp>
#include <libsolve/plugin/registry.hpp>

#include "choice_network.hpp"

namespace multigrid {

struct ChoiceTrainerOptions {
  std::vector<std::string> families = {"jumps", "masks", "anisotropy", "mixtures"};
  libsolve::ComponentSpec problem = "poisson";
  std::vector<int> sizes = {32, 48, 64};
  int operators = 320;
  int steps = 380;
  int epochs = 50;
  double rate = 3e-3;
  double decay = 1e-2;
  double noise = 0.7;

  static void describe(libsolve::Fields<ChoiceTrainerOptions>& f);
  static void check(const ChoiceTrainerOptions& o, const std::string& prefix,
                    const libsolve::SourceLocation& where, libsolve::Diagnostics& problems);
};

/// Step i <= `operators`: draws operator i, solves with every setting to 1e-8, and keeps what each
/// costs: counted work (cost.hpp) of set-up and steps, so the same seed gives the same weights. A
/// solve ends where it costs e^1.5 times the best before it. Every later step: `epochs` of Adam over
/// all operators but each fifth, kept to validate.
/// Loss: mean over operators and settings of w_s (c_s - min(ln(cost_s / cost_best), 1.5))^2 / 2, with
/// w_s = 1 / (1 + 8 target): what matters is which settings are near the best.
class ChoiceTrainer final : public libsolve::Trainer {
 public:
  using Options = ChoiceTrainerOptions;
  ChoiceTrainer(const Options& options, const libsolve::Context& context);

  std::string description() const override;
  void resume(const libsolve::TrainingState& state) override;
  libsolve::Report train(libsolve::Monitor& monitor) override;
  libsolve::Weights weights() const override;
  libsolve::TrainingState state() const override;

 private:
  struct Row {
    Features features{};
    ChoiceNetwork::Costs excess{};  ///< ln(cost_s / cost_best)
  };
  static bool is_validation(std::size_t row) { return row % 5 == 4; }

  void add_operator(int index);
  void scale_features();
  /// Loss of the operators to train on, features with this noise, and its gradient.
  double differentiate(double noise, std::vector<double>& gradient) const;
  double run_epoch();
  /// Mean over the rows of one part of ln(cost plain / cost of what the network takes).
  double mean_gain(bool validation) const;
  /// The same of the best setting.
  double mean_gain_of_best(bool validation) const;

  Options options_;
  libsolve::Context context_;
  ChoiceNetwork network_;
  std::vector<double> first_moment_, second_moment_;
  std::vector<Row> rows_;
  std::array<int, 3> cells_{1, 1, 1};  ///< of the largest operator
  std::int64_t step_ = 0;
  std::int64_t epoch_ = 0;
};

}  // namespace multigrid
