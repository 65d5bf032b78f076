#include "experts.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

namespace hard_constraint_experts {

namespace {

/// A row is a sum of functions of u at one node each: their derivatives.
struct Term {
  std::size_t node = 0;
  double slope = 0.0;  ///< of the row by u at the node
  double curvature = 0.0;
};

struct RowAt {
  double value = 0.0;
  int num_terms = 0;
  Term terms[4] = {};
  void add(std::size_t node, double slope, double curvature = 0.0) {
    terms[num_terms++] = {node, slope, curvature};
  }
};

/// The rows of all experts: equations first, then values at t = 0, at x = 0, and at x = 1.
struct Rows {
  SorptionGrid grid;
  double weight = 1.0;
  int equations = 0;
  int functions = 0;
  const int* given = nullptr;
  const double* basis = nullptr;

  std::size_t node(int n, int i) const { return grid.node(n, i); }
  const double* at(std::size_t node) const {
    return basis + node * static_cast<std::size_t>(functions);
  }
  double u(std::size_t node, const double* w) const {
    const double* const b = at(node);
    double sum = grid.initial;
    for (int l = 0; l < functions; ++l) sum += b[l] * w[l];
    return sum;
  }

  RowAt equation(int k, const double* w, bool derivatives) const {
    RowAt row;
    const int n = k / grid.inner() + 1, i = k % grid.inner() + 1;
    const Sorption& law = grid.law;
    const double here = u(node(n, i), w);
    const double left = i > 1 ? u(node(n, i - 1), w) : 1.0;
    const double right = i < grid.size - 1 ? u(node(n, i + 1), w) : grid.outflow() * here;
    const double before = n > 1 ? u(node(n - 1, i), w) : grid.initial;
    row.value = law.mass(here) - law.mass(before) - grid.coupling() * (left - 2.0 * here + right);
    if (!derivatives) return row;
    const auto [to_left, middle, to_right] = grid.row(i, here);
    row.add(node(n, i), middle, law.retardation_slope(here));
    if (i > 1) row.add(node(n, i - 1), to_left);
    if (i < grid.size - 1) row.add(node(n, i + 1), to_right);
    if (n > 1) row.add(node(n - 1, i), -law.retardation(before), -law.retardation_slope(before));
    return row;
  }

  /// Row j of expert k at its weights.
  RowAt operator()(int k, int j, const double* w, bool derivatives) const {
    RowAt row;
    if (j < equations) {
      const int which = given[k * equations + j];
      return which < 0 ? row : equation(which, w, derivatives);
    }
    j -= equations;
    if (j < grid.inner()) {
      row.value = weight * (u(node(0, j + 1), w) - grid.initial);
      row.add(node(0, j + 1), weight);
      return row;
    }
    j -= grid.inner();
    if (j < grid.steps) {
      row.value = weight * (u(node(j + 1, 0), w) - 1.0);
      row.add(node(j + 1, 0), weight);
      return row;
    }
    const std::size_t end = node(j - grid.steps + 1, grid.size);
    row.value = weight * (u(end, w) - grid.outflow() * u(end - 1, w));
    row.add(end, weight);
    row.add(end - 1, -weight * grid.outflow());
    return row;
  }
};

struct Evaluate {
  Rows rows;
  int m;
  const double* w;
  const int* active;
  double *r, *J;  ///< J null: not asked for
  void operator()(int place) const {
    const int k = place / m, n = rows.functions;
    if (active[k] == 0) return;
    const RowAt row = rows(k, place % m, w + k * std::ptrdiff_t(n), J != nullptr);
    r[place] = row.value;
    if (J == nullptr) return;
    double* const out = J + place * std::ptrdiff_t(n);
    std::fill(out, out + n, 0.0);
    for (int t = 0; t < row.num_terms; ++t) {
      const double* const b = rows.at(row.terms[t].node);
      const double slope = row.terms[t].slope;
      for (int l = 0; l < n; ++l) out[l] += slope * b[l];
    }
  }
};

/// out = sum_j r_j r_j''(w) v for expert k.
struct Curvature {
  Rows rows;
  int m;
  const double *w, *v;
  const int* active;
  double* out;
  void operator()(int k) const {
    if (active[k] == 0) return;
    const int n = rows.functions;
    const double *wk = w + k * std::ptrdiff_t(n), *vk = v + k * std::ptrdiff_t(n);
    double* const sum = out + k * std::ptrdiff_t(n);
    std::fill(sum, sum + n, 0.0);
    for (int j = 0; j < rows.equations; ++j) {
      const RowAt row = rows(k, j, wk, true);
      for (int t = 0; t < row.num_terms; ++t) {
        if (row.terms[t].curvature == 0.0) continue;
        const double* const b = rows.at(row.terms[t].node);
        double along = 0.0;
        for (int l = 0; l < n; ++l) along += b[l] * vk[l];
        along *= row.value * row.terms[t].curvature;
        for (int l = 0; l < n; ++l) sum[l] += along * b[l];
      }
    }
  }
};

LeastSquaresShape shape_of(const SorptionGrid& g, const ExpertOptions& o, int functions,
                           const std::string& prefix, int& equations) {
  if (o.in_time() > g.steps || o.in_space() > g.inner())
    throw InputError({}, prefix + "experts",
                     "is [" + std::to_string(o.in_time()) + ", " + std::to_string(o.in_space()) +
                         "] for " + std::to_string(g.steps) + " times and " +
                         std::to_string(g.inner()) +
                         " inner nodes; take no more experts than those");
  const int rows = (g.steps + o.in_time() - 1) / o.in_time();
  const int columns = (g.inner() + o.in_space() - 1) / o.in_space();
  const auto box = static_cast<std::int64_t>(rows) * columns;
  const auto taken = o.sampled_points > 0 ? std::min<std::int64_t>(box, o.sampled_points) : box;
  const int problems = o.in_time() * o.in_space();
  const auto values = g.inner() + 2 * std::int64_t{g.steps};
  const std::int64_t row_of_all = std::int64_t{problems} * functions;
  if (const std::int64_t entries = row_of_all * (taken + values); entries > Experts::most_entries) {
    const std::string found = std::to_string(problems) + " experts of " +
                              std::to_string(functions) + " functions have " +
                              std::to_string(entries) + " numbers to keep, more than " +
                              std::to_string(Experts::most_entries) + "; ";
    const std::int64_t most = Experts::most_entries / row_of_all - values;
    if (most < 1)
      throw InputError({}, prefix + "experts", found + "take fewer experts or functions");
    throw InputError({}, prefix + "sampled_points",
                     (o.sampled_points == 0 ? "is 0, all equations: " : "is too large: ") + found +
                         "give at most " + std::to_string(most));
  }
  equations = static_cast<int>(taken);
  return {problems, equations + g.inner() + 2 * g.steps, functions, 0};
}

}  // namespace

void ExpertOptions::describe(Fields<ExpertOptions>& f) {
  using O = ExpertOptions;
  f.add("experts", &O::experts, Range::closed(1, 1024),
        "boxes in time and in space, an expert each");
  f.add("sampled_points", &O::sampled_points, Range::at_least(0),
        "equations that an expert is given, drawn from its box; 0: all");
  f.add("boundary_weight", &O::boundary_weight, Range::at_least(0.0),
        "of initial and boundary values beside the equations");
  f.add("ridge", &O::ridge, Range::above(0.0), "of 1/2 |w|^2");
  f.add("expert_tolerance", &O::expert_tolerance, Range::closed(0.0, 1.0),
        "of Levenberg and Marquardt's method: gradient, relative to that at the start");
  f.add("expert_iterations", &O::expert_iterations, Range::at_least(1), "its steps");
}

void ExpertOptions::check(const ExpertOptions& o, const std::string& prefix,
                          const SourceLocation& where, Diagnostics& problems) {
  if (o.experts.size() != 2)
    problems.add(
        where, prefix + "experts",
        "has " + std::to_string(o.experts.size()) + " entries; give two, [in time, in space]");
}

void Experts::check_size(const SorptionGrid& grid, const ExpertOptions& options, int num_functions,
                         const std::string& prefix) {
  int equations = 0;
  (void)shape_of(grid, options, num_functions, prefix, equations);
}

Experts::Experts(const SorptionGrid& grid, const ExpertOptions& options, int num_functions)
    : grid_(grid),
      options_(options),
      shape_(shape_of(grid, options, num_functions, "", equations_)),
      boxes_(static_cast<std::size_t>(shape_.problems)),
      given_("hard_constraint_experts::given", shape_.problems, equations_),
      solver_(Host(), shape_),
      w_("hard_constraint_experts::w", shape_.problems, num_functions) {
  for (int n = 1; n <= grid_.steps; ++n)
    for (int i = 1; i < grid_.size; ++i)
      boxes_[static_cast<std::size_t>(expert_of(n, i))].push_back(grid_.at(n, i));
  const Arrays::Scalar<double> ridge("hard_constraint_experts::ridge", shape_.problems);
  Kokkos::deep_copy(ridge, options.ridge);
  batch_.lambda = ridge;
  draw(0, 0);
}

int Experts::expert_of(int n, int i) const {
  const int in_time = (n - 1) * options_.in_time() / grid_.steps;
  const int in_space = (i - 1) * options_.in_space() / grid_.inner();
  return in_time * options_.in_space() + in_space;
}

void Experts::draw(std::uint64_t seed, std::uint64_t number) {
  Kokkos::deep_copy(given_, -1);
  const RandomStream stream(seed, "hard_constraint_experts::points");
  std::uint64_t index = number << 32;
  for (std::size_t k = 0; k < boxes_.size(); ++k) {
    std::vector<std::size_t> places = boxes_[k];
    const auto take = std::min(places.size(), static_cast<std::size_t>(equations_));
    for (std::size_t j = 0; j < take; ++j) {
      if (take < places.size()) {
        const double left = static_cast<double>(places.size() - j);
        const auto other = j + static_cast<std::size_t>(left * stream.uniform(index++));
        std::swap(places[j], places[other]);
      }
      given_(k, j) = static_cast<int>(places[j]);
    }
  }
}

void Experts::sample(std::uint64_t seed, std::uint64_t number) {
  if (options_.sampled_points > 0) draw(seed, number);
}

int Experts::solve(const Basis& basis, double* u) {
  const Rows rows{grid_,       options_.boundary_weight, equations_, shape_.unknowns, given_.data(),
                  basis.data()};
  const int m = shape_.rows;
  batch_.evaluate = [rows, m](const auto& w, const auto& active, const auto& r, const auto& J) {
    const Evaluate body{rows,          m,        w.data(),
                        active.data(), r.data(), J.size() == 0 ? nullptr : J.data()};
    Kokkos::parallel_for("hard_constraint_experts::rows",
                         Kokkos::RangePolicy<Host>(0, static_cast<int>(r.size())), body);
  };
  batch_.curvature = [rows, m](const auto& w, const auto& v, const auto& active, const auto& out) {
    Kokkos::parallel_for("hard_constraint_experts::curvature",
                         Kokkos::RangePolicy<Host>(0, static_cast<int>(w.extent(0))),
                         Curvature{rows, m, w.data(), v.data(), active.data(), out.data()});
  };
  Kokkos::deep_copy(w_, 0.0);
  LevenbergMarquardtOptions solver;
  solver.relative_tolerance = options_.expert_tolerance;
  solver.max_iterations = options_.expert_iterations;
  const int failed = solver_.solve(batch_, solver, w_);
  for (std::size_t k = 0; k < boxes_.size(); ++k)
    for (const std::size_t place : boxes_[k]) {
      const int n = static_cast<int>(place) / grid_.inner() + 1,
                i = static_cast<int>(place) % grid_.inner() + 1;
      u[place] = rows.u(rows.node(n, i), &w_(k, 0));
    }
  return failed;
}

bool Experts::add_adjoint(const Basis& basis, const double* g, const Basis& out) {
  const auto n = static_cast<std::size_t>(shape_.unknowns);
  // dL/dw_k = sum of g_j b(j) over box k.
  const Arrays::Vector<double> by_weights("hard_constraint_experts::dw", shape_.problems, n);
  const auto inner = static_cast<std::size_t>(grid_.inner());
  const auto node_of = [&](std::size_t place) {
    return grid_.node(static_cast<int>(place / inner) + 1, static_cast<int>(place % inner) + 1);
  };
  for (std::size_t k = 0; k < boxes_.size(); ++k)
    for (const std::size_t place : boxes_[k])
      for (std::size_t l = 0; l < n; ++l) by_weights(k, l) += g[place] * basis(node_of(place), l);
  LeastSquaresGradient<Host> gradient;
  gradient.Phi =
      Arrays::Matrix<double>("hard_constraint_experts::dJ", shape_.problems, shape_.rows, n);
  gradient.d = Arrays::Vector<double>("hard_constraint_experts::dr", shape_.problems, shape_.rows);
  solver_.adjoint(by_weights, gradient);
  Host().fence();
  for (std::size_t k = 0; k < boxes_.size(); ++k)
    if (!std::isfinite(gradient.d(k, 0))) return false;
  const Rows rows{grid_,       options_.boundary_weight, equations_, shape_.unknowns, given_.data(),
                  basis.data()};
  for (std::size_t k = 0; k < boxes_.size(); ++k) {
    const double* const w = &w_(k, 0);
    for (const std::size_t place : boxes_[k])
      for (std::size_t l = 0; l < n; ++l) out(node_of(place), l) += g[place] * w[l];
    for (int j = 0; j < shape_.rows; ++j) {
      const RowAt row = rows(static_cast<int>(k), j, w, true);
      const double dr = gradient.d(k, j);
      const double* const dJ = &gradient.Phi(k, j, 0);
      // r_j = f(u), J_j = sum_t f_t b(t), u = initial + b w.
      for (int t = 0; t < row.num_terms; ++t) {
        const Term& term = row.terms[t];
        const double* const b = rows.at(term.node);
        double by_value = dr * term.slope;
        for (std::size_t l = 0; l < n; ++l) by_value += term.curvature * dJ[l] * b[l];
        for (std::size_t l = 0; l < n; ++l)
          out(term.node, l) += by_value * w[l] + term.slope * dJ[l];
      }
    }
  }
  return true;
}

}  // namespace hard_constraint_experts
