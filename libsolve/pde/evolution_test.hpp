#pragma once

#include <cstdint>
#include <libsolve/pde/evolution.hpp>
#include <string>

namespace libsolve {

/// What of an Evolution's functions does not fit together, relative, the largest of all steps; zero
/// but for rounding, for differences (some 1e-9 of smooth functions of size one) and for what steps
/// are solved to.
struct EvolutionDefects {
  double state_adjoint = 0.0;      ///< w^T (C v) against v^T (C^T w)
  double before_adjoint = 0.0;     ///< E
  double parameter_adjoint = 0.0;  ///< D; with add_parameter_adjoint() adding to what is there
  double state = 0.0;              ///< C v against differences of c_n
  double before = 0.0;             ///< E v
  double parameter = 0.0;          ///< D q
  double step = 0.0;               ///< c_n after solve_step(), over c_n before it
  double tangent = 0.0;            ///< C solve_tangent(r) - r
  double adjoint = 0.0;            ///< C^T solve_adjoint(r) - r
  /// (p^T c_n)'' along a direction against differences of E^T p, C^T p, D^T p; added to what is there.
  double second_derivative = 0.0;
  double cost_gradient = 0.0;  ///< g_n' against differences of g_n; and of r
  double cost_hessian = 0.0;   ///< g_n'' (v, q) against differences of g_n'; and of r

  LIBSOLVE_EXPORT double largest() const;
  LIBSOLVE_EXPORT std::string text() const;  ///< all of them, for messages
};

/// At the given m (of a size that suits the problem) and states of its run, moved by `distance` in random
/// directions so that no residual is zero; differences by steps of `difference` (fourth order). Collective.
LIBSOLVE_EXPORT EvolutionDefects evolution_defects(Evolution& evolution, const Vector& m,
                                                   std::uint64_t seed, double distance = 0.1,
                                                   double difference = 1e-3);

}  // namespace libsolve
