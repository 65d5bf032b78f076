#pragma once

#include <libsolve/learn/adam.hpp>
#include <libsolve/learn/trainer.hpp>
#include <libsolve/plugin/registry.hpp>

#include "basis_network.hpp"

namespace hard_constraint_experts {

/// 64 cells, 50 steps.
ComponentSpec default_training_problem();
/// 400 points an expert.
ExpertOptions training_experts();

struct TrainerOptions {
  NetworkOptions network = {};
  learn::AdamOptions adam = {};
  ExpertOptions experts = training_experts();
  std::string loss = "newton-step";
  double initial_low = 0.0;
  double initial_high = 0.2;
  ComponentSpec problem = default_training_problem();

  static void describe(Fields<TrainerOptions>& f);
  static void check(const TrainerOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// Learns basis functions end to end (Chalapathi, Du, Krishnapriyan 2024, section 3): each step
/// draws an initial value and the points of the experts, solves their least squares, and takes the
/// loss of what they say together, differentiated by the implicit function theorem. No solutions
/// are needed. In double; sums do not depend on the number of threads.
class HardConstraintExpertsTrainer final : public Trainer {
 public:
  using Options = TrainerOptions;
  HardConstraintExpertsTrainer(const Options& options, const Context& context);
  std::string description() const override;
  void resume(const TrainingState& state) override;
  /// Samples whose experts have no strict minimum teach nothing; they are counted, and so are experts
  /// that stopped before their minimum, of which the implicit function theorem holds nearly only. A
  /// training that learned from no sample at all is a breakdown.
  Report train(Monitor& monitor) override;
  Weights weights() const override;
  TrainingState state() const override;

  /// The loss of the next sample; its gradient by the parameters, empty where there is none.
  double differentiate(std::vector<double>& gradient);
  BasisNetwork& network() { return network_; }

 private:
  /// Mean relative error against time stepping, of initial values between those of the options, and
  /// how many experts did not converge in it.
  std::pair<double, int> mean_error();

  Options options_;
  std::uint64_t seed_;
  std::string problem_text_;
  SorptionGrid grid_;
  BasisNetwork network_;
  learn::Adam adam_;
  Experts experts_;
  Basis basis_, by_basis_;
  std::int64_t step_ = 0;
  std::int64_t skipped_ = 0, open_ = 0;  ///< samples; experts that did not converge
};

}  // namespace hard_constraint_experts
