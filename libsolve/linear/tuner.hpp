#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/resumable.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// What is tuned over a sequence of systems.
struct TuningSpace {
  std::string parameter = {};        ///< "omega", "preconditioner.pre_sweeps"
  std::vector<double> values = {};   ///< the arms: what may be played, ascending, at least one
  bool is_continuous = false;        ///< numbers between the first and the last may be played, too
  double context_low = 0.0;          ///< contexts to expect; low = high where nothing is known
  double context_high = 0.0;
  double least_cost = 1.0;  ///< no choice costs less: 1 iteration, 0 seconds
};

/// What a tuner may look at before it chooses.
struct TuningSituation {
  double context = 0.0;  ///< a number that says how this system differs: shift, gamma, diffusivity
  const LinearSystem* system = nullptr;
  double reduction = 1e-8;  ///< final over first residual norm that the solve is asked for
};

/// Chooses a parameter for each system of a sequence from the costs of those before. All ranks make
/// the same calls with the same numbers and choose alike.
///
/// state() is everything it has learned, and where its random numbers stand; restore() comes after
/// begin() with the same space.
class LIBSOLVE_EXPORT Tuner : public Component, public Resumable {
 public:
  static constexpr std::string_view kind = "tuner";
  static constexpr std::string_view problem_class = "linear-sequence";
  ~Tuner() override;

  /// Forgets everything. Throws Unsupported where it cannot tune this.
  virtual void begin(const TuningSpace& space) = 0;
  /// The value to play for the next system: one of the arms, or between them where that is allowed.
  virtual double choose(const TuningSituation& situation) = 0;
  /// What the value just chosen has cost: iterations, or seconds; > 0.
  virtual void observe(double cost) = 0;

  /// Products with A beyond the solves since begin(), for estimates of eigenvalues.
  virtual double extra_products() const { return 0.0; }
  /// What these took, inside choose(), with everything else that runs over the unknowns.
  virtual double extra_seconds() const { return 0.0; }
};

}  // namespace libsolve
