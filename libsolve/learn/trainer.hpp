#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/learn/weights.hpp>

namespace libsolve {

/// What a training needs to go on to the same digits: weights, moments, data that change on the
/// way. Random numbers come from counters (core/random.hpp), so `step` is their whole state.
struct TrainingState {
  std::int64_t step = 0;
  std::vector<NamedArray> arrays = {};
  std::string file = {};  ///< where it was read from
};

/// Learns the weights of a network from a recipe, its options; `libsolve train CASE` runs it. Seed,
/// registry (for problem sources by name) and folder come with the Context of its constructor.
/// The same seed and number of threads give the same weights, also through state() and resume().
class LIBSOLVE_EXPORT Trainer : public Component {
 public:
  static constexpr std::string_view kind = "trainer";
  static constexpr std::string_view problem_class = "learn";
  ~Trainer() override;

  /// One line: network, parameters, operator, steps.
  virtual std::string description() const = 0;
  /// Goes on where `state` was taken. InputError where it is of another network.
  virtual void resume(const TrainingState& state) = 0;
  /// Trains to the last step of the recipe: status converged, whatever the loss is. Calls
  /// monitor.observe(step, samples) after each step, counted from 1 over all parts of a resumed
  /// training, with the sample "loss" first, and stops when the answer is not `proceed`. A loss
  /// that is not finite is the status non_finite. Measures: what tells how good the weights are.
  virtual Report train(Monitor& monitor) = 0;
  /// The weights of now, for a file. During train() to be called from its monitor only.
  virtual Weights weights() const = 0;
  /// What resume() needs, under the same rule.
  virtual TrainingState state() const = 0;
};

}  // namespace libsolve
