#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <memory>
#include <optional>
#include <string>

namespace transport_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// What every source of this class has: how strongly to regularise, balanced or not, how much of the
/// plan to store.
struct RegularizationOptions {
  std::optional<double> regularization = {};
  std::optional<double> relative_regularization = {};
  std::optional<double> marginal_penalty = {};
  double plan_threshold = 1e-3;

  static void describe(Fields<RegularizationOptions>& f);
  /// Exactly one of the two regularisations.
  static void check(const RegularizationOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The problem; `origin` ("'clouds.h5'", "generated") comes first in messages about its data.
std::unique_ptr<TransportProblem> make_problem(std::shared_ptr<const TransportCost> cost, Vector a,
                                               Vector b, const RegularizationOptions& options,
                                               const std::string& origin);

/// This rank's rows of the rows of the problem. Collective. ShapeError where ranks outnumber rows.
Partition rows_over_ranks(const Communicator& comm, GlobalIndex n);

/// Masses 1 / n over `rows`, or whole on every rank.
Vector uniform_mass(const Partition& rows, const char* label);

}  // namespace transport_sources
