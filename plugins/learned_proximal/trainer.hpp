#pragma once

#include <libsolve/learn/adam.hpp>
#include <libsolve/learn/trainer.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <vector>

#include "convex_pass.hpp"
#include "pictures.hpp"

namespace learned_proximal {

/// The default of a rate fit for a convex network.
learn::AdamOptions default_adam();

struct TrainerOptions {
  ConvexNetworkOptions network = {};
  learn::AdamOptions adam = default_adam();
  double sigma = 0.1;
  double sharpened = 0.5;
  int size = 24;
  int batch = 16;
  double l1_part = 0.7;
  double gamma_begin = 0.2;
  double gamma_end = 0.07;

  static void describe(Fields<TrainerOptions>& f);
  static void check(const TrainerOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// Learns f = grad psi from pictures x and y = x + sigma n, n white noise, so that f tends to
/// the proximal operator of -sigma^2 log p(x) as gamma falls to 0 and `sharpened` is 0 (Fang,
/// Buchanan, Sulam 2024, theorem 3.2): first with the
/// mean of |f(y) - x|, then with the proximal matching loss
///   m(d) = 1 - exp(-d^2 / gamma^2),  d^2 the mean of (f(y) - x)^2 over the cells of a picture,
/// gamma falling from `gamma_begin` to `gamma_end`. Differs from the paper: gamma falls
/// geometrically with each step. Network in float; the samples of a batch go to the threads of the
/// host, their gradients are added in order: the digits do not depend on the number of threads.
class ProximalTrainer final : public Trainer {
 public:
  using Options = TrainerOptions;
  ProximalTrainer(const Options& options, const Context& context);
  std::string description() const override;
  void resume(const TrainingState& state) override;
  Report train(Monitor& monitor) override;
  Weights weights() const override;
  TrainingState state() const override;

 private:
  /// One picture of the batch.
  struct Item {
    std::unique_ptr<ConvexPass<float>> pass;
    std::vector<float> gradient;
    std::vector<double> x, y, f;
    double loss = 0.0;
  };
  double step();
  /// Loss of picture `number` and its gradient by the parameters.
  void differentiate(std::uint64_t number, double gamma, Item& item) const;
  /// 0 while the loss is the l1 norm.
  double gamma_of(std::int64_t step) const;
  /// Mean over pictures not trained on of the mean squared error, with noise and without.
  struct Errors {
    double noisy = 0.0, found = 0.0;
  };
  Errors judge();
  void scale_readout();

  Options options_;
  ConvexNetwork network_;
  PackedNetwork<float> packed_;
  Pictures pictures_;
  std::vector<float> parameters_, units_;
  learn::Adam adam_;
  std::vector<Item> batch_;
  std::int64_t step_ = 0;
};

}  // namespace learned_proximal
