#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/learn/weights.hpp>
#include <vector>

namespace libsolve::learn {

/// Options of the optimiser, to be a group of a trainer's options.
struct AdamOptions {
  int steps = 2000;
  double learning_rate = 3e-3;
  int warm_up = 50;
  double decay_begin = 0.3;
  double decay_to = 0.02;
  double clip = 1.0;

  static void describe(Fields<AdamOptions>& f) {
    using O = AdamOptions;
    f.add("steps", &O::steps, Range::at_least(1), "steps of the optimiser");
    f.add("learning_rate", &O::learning_rate, Range::above(0.0), "Adam's rate after the warm-up");
    f.add("warm_up", &O::warm_up, Range::at_least(0), "steps in which the rate grows linearly");
    f.add("decay_begin", &O::decay_begin, Range::closed(0.0, 1.0),
          "part of the steps after which the rate falls by a half cosine; 1: never");
    f.add("decay_to", &O::decay_to, Range::closed(0.0, 1.0),
          "rate at the last step, of the full one");
    f.add("clip", &O::clip, Range::above(0.0), "longer gradients are cut to this norm");
  }
};

/// Adam (Kingma and Ba 2015): moments m, v of the gradient g with decay 0.9 and 0.999,
///   w -= rate(k) m^ / (sqrt(v^) + 1e-8), hats: without the bias of the zero start.
/// Parameters are float; moments and the arithmetic are double.
class LIBSOLVE_EXPORT Adam {
 public:
  Adam(const AdamOptions& options, std::size_t num_parameters);
  /// The rate of step k, counted from 0.
  double rate(std::int64_t k) const;
  /// One step with this gradient; returns its norm before clipping. A gradient that is not finite
  /// changes nothing.
  double step(std::int64_t k, const std::vector<double>& gradient, std::vector<float>& parameters);

  /// "adam/m", "adam/v".
  std::vector<NamedArray> state() const;
  /// Takes them out of a state; InputError where they are missing or of another length.
  void resume(const Weights& state);

 private:
  AdamOptions options_;
  std::vector<double> m_;
  std::vector<double> v_;
};

}  // namespace libsolve::learn
