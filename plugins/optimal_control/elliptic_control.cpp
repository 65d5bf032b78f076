#include "elliptic_control.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <numbers>

#include "control_functions.hpp"

namespace optimal_control {

void EllipticControlOptions::describe(Fields<EllipticControlOptions>& f) {
  using O = EllipticControlOptions;
  f.add("size", &O::size, Range::closed(1, 10000),
        "N inner points along each side: 2 N^2 variables, N^2 constraints");
  f.add("control_cost", &O::control_cost, Range::above(0.0), "beta");
  f.add("reaction", &O::reaction, Choices{{"none", "cubic", "exponential"}},
        "phi(y): 0, s y^3, s (exp(y) - 1)");
  f.add("reaction_strength", &O::reaction_strength, Range::at_least(0.0), "s");
  f.add("target", &O::target, Choices{{"waves", "constant", "step"}},
        "y_d: sin(2 pi x1) cos(pi x2) + x1, 1, or 1 in the middle square and -1 around it");
  f.add("weight", &O::weight, Choices{{"area", "none"}},
        "w: h^2, so that f is the integral, or 1, so that f' has the size of y");
  f.add("control_lower", &O::control_lower, "bound of every u");
  f.add("control_upper", &O::control_upper, "bound of every u");
  f.add("state_upper", &O::state_upper, "bound of every y");
}

void EllipticControlOptions::check(const EllipticControlOptions& o, const std::string& prefix,
                                   const SourceLocation& where, Diagnostics& problems) {
  if (!(o.control_lower <= o.control_upper))
    problems.add(where, prefix + "control_lower",
                 "must be at most control_upper, " + format_number(o.control_upper) + ", is " +
                     format_number(o.control_lower));
  if (std::isnan(o.state_upper) || o.state_upper == -INFINITY)
    problems.add(where, prefix + "state_upper", "must be a number or inf");
}

namespace {

double target_at(const std::string& target, double x1, double x2) {
  constexpr double pi = std::numbers::pi;
  if (target == "constant") return 1.0;
  if (target == "step") {
    const bool inside = std::abs(x1 - 0.5) < 0.25 && std::abs(x2 - 0.5) < 0.25;
    return inside ? 1.0 : -1.0;
  }
  return std::sin(2.0 * pi * x1) * std::cos(pi * x2) + x1;
}

}  // namespace

std::unique_ptr<Problem> EllipticControlSource::create() {
  const EllipticControlOptions& o = options_;
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'elliptic-control' works on one rank, there are " +
                      std::to_string(context_.communicator.size()));
  const double h = 1.0 / (o.size + 1.0);
  std::vector<double> target;
  for (int j = 0; j < o.size; ++j)
    for (int i = 0; i < o.size; ++i)
      target.push_back(target_at(o.target, (i + 1) * h, (j + 1) * h));
  const ReactionTerm reaction{o.reaction == "cubic"         ? Reaction::cubic
                              : o.reaction == "exponential" ? Reaction::exponential
                                                            : Reaction::none,
                              o.reaction_strength};
  const auto functions = std::make_shared<ControlFunctions>(
      o.size, o.weight == "area" ? h * h : 1.0, o.control_cost, reaction, target);
  const std::size_t points = target.size();
  Bounds bounds{std::vector<double>(2 * points, -INFINITY),
                std::vector<double>(2 * points, INFINITY)};
  for (std::size_t k = 0; k < points; ++k) {
    bounds.upper[k] = o.state_upper;
    bounds.lower[points + k] = o.control_lower;
    bounds.upper[points + k] = o.control_upper;
  }
  const Bounds equal{std::vector<double>(points, 0.0), std::vector<double>(points, 0.0)};
  auto problem = std::make_unique<NonlinearProgram>(functions, bounds, equal,
                                                    std::vector<double>(2 * points, 0.0));
  problem->text = "elliptic control, " + std::to_string(o.size) + " x " + std::to_string(o.size) +
                  " points, reaction " + o.reaction + ", control cost " +
                  format_number(o.control_cost);
  return problem;
}

}  // namespace optimal_control
