#pragma once

#include <libsolve/linear/linear_system.hpp>
#include <libsolve/plugin/registry.hpp>

#include "poisson_options.hpp"

namespace poisson {

/// Builds the linear system of -div(k grad u) + s u = f on a box by finite volumes (README.md).
/// Every field is made on the device from (seed, purpose, index): the same for any number of
/// threads. Cost: a few passes over the grid; with solids one pass on the host that finds the
/// connected components.
class PoissonSource final : public libsolve::ProblemSource {
 public:
  using Options = PoissonOptions;
  static constexpr std::string_view problem_class = libsolve::LinearSystem::class_name;

  PoissonSource(const Options& options, const libsolve::Context& context);
  /// Throws IoError, ShapeError or DataError for files that cannot be used; Unsupported on more
  /// than one rank.
  std::unique_ptr<libsolve::Problem> create() override;

 private:
  Options options_;
  libsolve::Context context_;
};

}  // namespace poisson
