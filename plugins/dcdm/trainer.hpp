#pragma once

#include <libsolve/learn/adam.hpp>
#include <libsolve/learn/trainer.hpp>
#include <libsolve/learn/training_pass.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <vector>

#include "host_operator.hpp"
#include "network.hpp"
#include "residual_pool.hpp"
#include "right_sides.hpp"

namespace dcdm {

/// The system that weights are trained on where the case names none: 16 cells along each axis, the
/// textbook matrix.
ComponentSpec default_training_problem();

struct DcdmTrainerOptions {
  NetworkOptions network = {};
  learn::AdamOptions adam = {};
  DataOptions data = {};
  int batch = 8;
  ComponentSpec problem = default_training_problem();

  static void describe(Fields<DcdmTrainerOptions>& f) {
    using O = DcdmTrainerOptions;
    f.add_group(&O::network);
    f.add_group(&O::adam);
    f.add_group(&O::data);
    f.add("batch", &O::batch, Range::closed(1, 1024), "right sides in one step");
    f.add_component("problem", &O::problem, ProblemSource::kind,
                    "where the operator comes from; its right-hand side is not used");
  }
};

/// Learns f from right sides b of unit norm alone (Kaneda et al. 2023, section 4.1): the loss of
/// one is
///   ||b - alpha A q||^2,  q = f(b),  alpha = q^T b / q^T A q,
/// blind to sign and scale of q. Network in float, the loss in double. The samples of a batch go to
/// the threads of the host, their gradients are added in order: the digits do not depend on the
/// number of threads.
class DcdmTrainer final : public Trainer {
 public:
  using Options = DcdmTrainerOptions;
  DcdmTrainer(const Options& options, const Context& context);
  std::string description() const override;
  void resume(const TrainingState& state) override;
  Report train(Monitor& monitor) override;
  Weights weights() const override;
  TrainingState state() const override;

 private:
  /// One sample of the batch: its pass through the network and work vectors.
  struct Sample {
    std::unique_ptr<learn::TrainingPass<float>> pass;
    std::vector<float> gradient;
    std::vector<double> b, q, Aq, rho, Arho;
    double loss = 0.0;
  };
  double step();
  void put_right_side(std::size_t i);
  /// q = f(b) into s.q.
  void evaluate(Sample& s) const;
  /// Loss and its gradient by the parameters.
  void differentiate(Sample& s) const;
  /// Steps of the method with the weights of now to a relative residual of 1e-6 on fixed white
  /// noise; the limit where it does not get there.
  int count_iterations();
  static int count_cg(const HostOperator& A, const std::vector<double>& b);

  Options options_;
  std::uint64_t seed_;
  std::unique_ptr<Problem> problem_;
  std::string problem_text_;
  Grid grid_;
  std::unique_ptr<HostOperator> A_;
  std::unique_ptr<RightSides> right_sides_;
  std::unique_ptr<ResidualPool> pool_;
  learn::Network<float> network_;
  learn::Adam adam_;
  std::vector<Sample> batch_;
  double input_norm_ = 1.0;
  std::int64_t step_ = 0;
};

}  // namespace dcdm
