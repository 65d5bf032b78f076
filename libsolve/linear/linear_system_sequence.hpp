#pragma once

#include <libsolve/core/resumable.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace libsolve {

/// Linear systems A_t x_t = b_t, t = 0, 1, ..., known one after the other: time steps, parameter
/// studies, files. Exactly one system is at hand; its solution may decide the next one.
class LIBSOLVE_EXPORT LinearSystemSequence : public Problem, public Resumable {
 public:
  static constexpr std::string_view class_name = "linear-sequence";
  ~LinearSystemSequence() override;

  /// Systems in the sequence.
  std::int64_t size() const noexcept { return size_; }
  /// Number of the system at hand; size() after the last one.
  std::int64_t position() const noexcept { return position_; }
  /// The system at hand, x holding its initial guess; valid until advance(). After the last one:
  /// the last system with its solution.
  LinearSystem& current() { return *current_; }
  const LinearSystem& current() const { return *current_; }
  /// A number that says how the system at hand differs from the others (shift, diffusivity).
  double context() const noexcept { return context_; }
  /// Contexts to expect; empty where nothing is known.
  virtual std::optional<std::pair<double, double>> context_range() const { return {}; }

  /// Takes x of the system at hand as its solution and goes on to the next one. The residual is
  /// recomputed first, for verify().
  void advance();

  std::string_view problem_class() const override { return class_name; }
  /// "x": the solution of the last system that was solved, or the first initial guess.
  std::vector<Field> solution() const override;
  /// "relative_residual": ||b - A x|| / ||b|| recomputed from A, b, x; the largest of the systems
  /// solved so far. "systems": how many these are.
  std::vector<Measure> verify() const override;
  /// Of one system.
  GlobalIndex num_unknowns() const override { return current_->num_unknowns(); }

  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

 protected:
  struct System {
    std::unique_ptr<LinearSystem> system = {};
    double context = 0.0;
  };
  /// `size` >= 1. The derived class calls start() once it can make systems.
  explicit LinearSystemSequence(std::int64_t size);
  void start() { take(make(0, nullptr)); }
  /// System number `t`; `last` is the solution of the system before it, null for t = 0. It may be
  /// the storage of the new x: then it is the initial guess.
  virtual System make(std::int64_t t, const Vector* last) = 0;

 private:
  void take(System made);
  std::int64_t size_;
  std::int64_t position_ = 0;
  std::unique_ptr<LinearSystem> current_;
  double context_ = 0.0;
  double worst_relative_residual_ = 0.0;
  Vector last_;  ///< solution before the system at hand; no storage at the first
};

}  // namespace libsolve
