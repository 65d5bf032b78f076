#pragma once

#include <libsolve/core/options.hpp>

namespace sundials_time {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Flexible conjugate gradients with multigrid; how far they go the integrator says.
ComponentSpec default_solver();

/// What all integrators have.
struct IntegratorOptions {
  double relative_tolerance = 1e-6;
  double absolute_tolerance = 1e-9;
  double linear_tolerance = 0.05;
  std::int64_t max_steps = 100000;
  ComponentSpec solver = default_solver();

  template <class O>
  static void describe_common(Fields<O>& f);
};

struct CvodesOptions : IntegratorOptions {
  int order = 5;
  std::string checkpoints = "auto";
  int checkpoint_steps = 150;
  std::string interpolation = "hermite";
  static void describe(Fields<CvodesOptions>& f);
};

struct ArkodeOptions : IntegratorOptions {
  std::string scheme = "implicit";
  int order = 4;
  static void describe(Fields<ArkodeOptions>& f);
};

}  // namespace sundials_time
