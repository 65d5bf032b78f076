#pragma once

#include <cmath>
#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/formula_functions.hpp>
#include <memory>
#include <string>
#include <vector>

/// Bilevel programs from formulas in x1, x2, ..., y1, y2, ...
namespace bilevel_baselines::test {

using namespace libsolve;  // NOLINT
inline constexpr double none = INFINITY;

struct Text {
  Index nx = 0, ny = 0;
  std::string F = {}, f = {};
  std::vector<std::string> G = {}, g = {};  ///< <= 0
  std::vector<double> start = {};
  Bounds X = {}, Y = {};  ///< empty: none
  bool is_convex = true;
  std::size_t equalities = 0;  ///< that many of g, the first ones, are = 0
};

inline BilevelParts parts_of(const Text& t) {
  std::vector<std::string> names;
  for (Index i = 1; i <= t.nx; ++i) names.push_back("x" + std::to_string(i));
  for (Index i = 1; i <= t.ny; ++i) names.push_back("y" + std::to_string(i));
  const auto formulas = std::make_shared<Formulas>(names);
  const auto functions = [&](const std::string& objective, const std::vector<std::string>& rows) {
    const Index f = formulas->add(objective);
    std::vector<Index> c;
    for (const std::string& row : rows) c.push_back(formulas->add(row));
    return std::pair(f, c);
  };
  const auto [F, G] = functions(t.F, t.G);
  const auto [f, g] = functions(t.f, t.g);
  const auto bounds = [](const Bounds& b, std::size_t n) {
    return b.lower.empty() ? Bounds{std::vector<double>(n, -none), std::vector<double>(n, none)}
                           : b;
  };
  BilevelParts p;
  p.num_upper = t.nx;
  p.num_lower = t.ny;
  p.upper = std::make_shared<FormulaFunctions>(formulas, F, G);
  p.lower = std::make_shared<FormulaFunctions>(formulas, f, g);
  p.upper_variables = bounds(t.X, static_cast<std::size_t>(t.nx));
  p.lower_variables = bounds(t.Y, static_cast<std::size_t>(t.ny));
  p.upper_constraints = {std::vector<double>(t.G.size(), -none),
                         std::vector<double>(t.G.size(), 0.0)};
  p.lower_constraints = {std::vector<double>(t.g.size(), -none),
                         std::vector<double>(t.g.size(), 0.0)};
  for (std::size_t i = 0; i < t.equalities; ++i) p.lower_constraints.lower[i] = 0.0;
  p.start = t.start;
  p.lower_is_convex = t.is_convex;
  return p;
}

/// A quadratic lower level with a coupled equality and one inequality, nonlinear F.
inline Text quadratic() {
  return {.nx = 2,
          .ny = 3,
          .F = "sin(y1) + y2^2*x1 + exp(0.3*y3) + 0.1*x2^2",
          .f = "y1^2 + 1.5*y2^2 + 2*y3^2 + 0.5*y1*y2 - x1*y1 + x2*y2*0.7 - (x1 + x2)*y3",
          .g = {"y1 + y2 + y3 - 1 - 0.2*x1", "y3 - 0.1 - x2"},
          .start = {0.4, 0.3, 0.1, 0.2, 0.3},
          .equalities = 1};
}

/// Ridge-regularised logistic regression, x the logarithms of the weights; the loss on other
/// samples.
inline Text logistic() {
  const RandomStream s(3, "bilevel_baselines::logistic");
  const auto loss = [&](int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) {
      std::string margin;
      for (int j = 0; j < 3; ++j)
        margin += (j == 0 ? "" : " + ") + ("(" + std::to_string(s.normal(10 * i + j))) + ")*y" +
                  std::to_string(j + 1);
      const char* sign = s.uniform(10 * i + 9) < 0.5 ? "-" : "";
      text +=
          (text.empty() ? "" : " + ") + ("log(1 + exp(" + std::string(sign)) + "(" + margin + ")))";
    }
    return text;
  };
  return {.nx = 3,
          .ny = 3,
          .F = loss(50, 8),
          .f = loss(0, 12) + " + exp(x1)*y1^2 + exp(x2)*y2^2 + exp(x3)*y3^2",
          .start = {-1.0, -0.5, 0.2, 0.0, 0.0, 0.0}};
}

/// y in a box, of whose bounds some are active.
inline Text box() {
  return {
      .nx = 2,
      .ny = 4,
      .F = "(y1 - 1)^2 + y2*y3 + exp(y4) + 0.05*(x1^2 + x2^2)",
      .f = "(y1 - x1)^2 + (y2 - x1*x2)^2 + (y3 + x2)^2 + (y4 - x1 - x2)^4 + 0.1*y4^2 + 0.3*y1*y2",
      .start = {0.6, 0.8, 0.5, 0.5, 0.5, 0.5},
      .Y = {{0.0, 0.0, 0.0, -1.0}, {1.0, 0.3, 1.0, 2.0}}};
}

/// A support vector machine with a penalty exp(x_i) for each sample: y = (w, b, xi).
inline Text support_vectors(int n = 8) {
  const RandomStream s(5, "bilevel_baselines::support_vectors");
  const auto decision = [&](int i) {
    return "(" + std::to_string(s.normal(10 * i)) + "*y1 + (" +
           std::to_string(s.normal(10 * i + 1)) + ")*y2 + y3)";
  };
  const auto label = [&](int i) {
    return s.normal(10 * i) + 0.5 * s.normal(10 * i + 2) > 0.0 ? std::string("1")
                                                               : std::string("-1");
  };
  Text t{.nx = n, .ny = 3 + n, .F = "", .f = "0.5*(y1^2 + y2^2) + 0.0005*y3^2"};
  for (int i = 0; i < n; ++i) {
    const std::string x = "x" + std::to_string(i + 1), xi = "y" + std::to_string(4 + i);
    t.f += " + 0.5*exp(" + x + ")*" + xi + "^2";
    t.g.push_back("1 - (" + label(i) + ")*" + decision(i) + " - " + xi);
    t.F +=
        (i == 0 ? "" : " + ") + ("1/(1 + exp((" + label(100 + i)) + ")*" + decision(100 + i) + "))";
  }
  t.start.assign(static_cast<std::size_t>(2 * n + 3), 0.5);
  for (int i = 0; i < n; ++i) t.start[static_cast<std::size_t>(i)] = -0.2 + 0.1 * i;
  t.Y = {std::vector<double>(static_cast<std::size_t>(3 + n), -none),
         std::vector<double>(static_cast<std::size_t>(3 + n), none)};
  for (std::size_t i = 3; i < t.Y.size(); ++i) t.Y.lower[i] = 0.0;
  t.X = {std::vector<double>(static_cast<std::size_t>(n), -3.0),
         std::vector<double>(static_cast<std::size_t>(n), 3.0)};
  return t;
}

}  // namespace bilevel_baselines::test
