#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tuning {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A solver with one of its options free: "omega", or "preconditioner.omega" of an inner
/// component. The option is a number, or one of several words, of which value k stands for word k.
/// Where the solver can change it in place (Tunable) it is asked to; else it is made again, and kept
/// for the next time.
class ParameterisedSolver {
 public:
  /// `parameter` "" for none. Throws InputError for an option that the solver does not have.
  ParameterisedSolver(ComponentSpec spec, std::string parameter, std::vector<std::string> words,
                      const Context& context);

  /// Throws InputError unless the solver takes each of these values.
  void check(const std::vector<double>& values) const;
  /// The solver with this value; `absolute_tolerance` < 0 leaves its own.
  LinearSolver& with(double value, double absolute_tolerance);
  /// "1.35", or the word.
  std::string text(double value) const;
  /// Solvers made so far.
  int num_made() const { return num_made_; }
  /// Whether values change in place.
  bool is_in_place() const { return is_in_place_; }

 private:
  ComponentSpec spec_with(double value) const;
  ComponentSpec spec_;
  std::string parameter_;
  std::vector<std::string> words_;
  Context context_;
  std::map<double, std::unique_ptr<LinearSolver>> made_;  ///< by value; one under 0 in place
  LinearSolver* last_ = nullptr;
  int num_made_ = 0;
  bool is_in_place_ = false;
};

/// Sets `path` ("preconditioner.omega") in the options of `spec`, inner components given by name
/// turned into tables on the way.
void set_option(ComponentSpec& spec, const std::string& path, const Value& value);

}  // namespace tuning
