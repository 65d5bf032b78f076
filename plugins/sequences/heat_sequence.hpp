#pragma once

#include <libsolve/linear/linear_system_sequence.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/plugin/registry.hpp>

namespace sequences {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct HeatOptions {
  std::vector<int> size = {24, 24};
  std::int64_t systems = 5000;
  double time_step = 1e-3;
  double bump_radius = 0.25;
  std::string storage = "stencil";
  static void describe(Fields<HeatOptions>& f);
  static void check(const HeatOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// Heat equation u_t = kappa(t) Laplace u + f(x, t) on the unit square or cube, u = 0 on its walls
/// and at the start, by Crank-Nicolson on n inner nodes an axis, h = 1 / (n + 1) (Khodak, Chow,
/// Balcan, Talwalkar 2024, section 4):
///   (I + dt kappa / 2 L) u_(t+1) = (I - dt kappa / 2 L) u_t + dt f,   L = -Laplace,
/// kappa and f at the middle of the step,
///   kappa(t) = max(0.1 sin 2 pi t, -10 sin 2 pi t),
/// f a smooth bump that moves on a circle of radius 1/4 around the centre with 8 turns a unit of
/// time. Context: kappa. Initial guess: u_t.
class HeatSequence final : public LinearSystemSequence {
 public:
  HeatSequence(const HeatOptions& options, const Context& context);
  std::string description() const override;
  std::optional<std::pair<double, double>> context_range() const override { return {{0.0, 10.0}}; }

  static double diffusivity(double t);

 private:
  System make(std::int64_t t, const Vector* last) override;
  /// I + factor L.
  std::shared_ptr<StencilOperator> shifted_laplacian(double factor) const;
  HeatOptions options_;
  GridPartition parts_;
  Vector b_;
  Vector x_;
};

class HeatSource final : public ProblemSource {
 public:
  using Options = HeatOptions;
  static constexpr std::string_view problem_class = LinearSystemSequence::class_name;
  HeatSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override {
    return std::make_unique<HeatSequence>(options_, context_);
  }

 private:
  Options options_;
  Context context_;
};

}  // namespace sequences
