#include "k_sparse.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>
#include <limits>
#include <numeric>

#include "exact.hpp"
#include "newton.hpp"

namespace sparse_transport {

namespace {

/// Mass of a point where a unit of mass is, on average: sum a_i^2 / sum a_i, of the side with less.
double typical_mass(const std::vector<double>& a, const std::vector<double>& b) {
  const auto mean = [](const std::vector<double>& v) {
    return std::inner_product(v.begin(), v.end(), v.begin(), 0.0) /
           std::accumulate(v.begin(), v.end(), 0.0);
  };
  return std::min(mean(a), mean(b));
}

/// Of the side with less. Where few points have most of the mass, most entries of the plan are as
/// small as this, and the entropic plan has to be as narrow.
double median_mass(const std::vector<double>& a, const std::vector<double>& b) {
  const auto median = [](std::vector<double> v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
  };
  return std::min(median(a), median(b));
}

/// First potentials, and what they cost.
struct EntropicGuess {
  Potentials x;
  std::int64_t passes = 0;
  std::int64_t newton_steps = 0;
};

EntropicGuess guess_by_sweeps(const TransportProblem& inner, int sweeps, Monitor& monitor) {
  const double largest = inner.cost().maximum();
  const double last = inner.regularization();
  SinkhornSweeps sinkhorn(inner);
  sinkhorn.start();
  for (double eps = std::max(0.05 * largest, last);; eps = std::max(eps / 4.0, last)) {
    for (int k = 0; k < sweeps && monitor.poll() == Verdict::proceed; ++k)
      (void)sinkhorn.sweep(eps, /*single_precision=*/true);
    if (eps <= last) break;
  }
  return {{to_host(inner.f().view()), to_host(inner.g().view())}, sinkhorn.passes(), 0};
}

/// Potentials of the entropic plan of the regularization `width`; the columns' are then fitted by the
/// dual. How the start ends is no matter: it is a guess, and measured as one.
EntropicGuess entropic_guess(const TransportProblem& problem, double width,
                             double mass, const KSparseOptions& options, const Context& context,
                             Monitor& monitor) {
  const double largest = problem.cost().maximum() > 0.0 ? problem.cost().maximum() : 1.0;
  TransportProblem inner(problem.shared_cost(), problem.a(), problem.b(),
                         std::clamp(width, 1e-6 * largest, 0.05 * largest));
  ComponentSpec start = options.start;
  if (start.name == "none") {
    if (context.registry == nullptr ||
        context.registry->find(TransportSolver::kind, "sns") == nullptr)
      return guess_by_sweeps(inner, options.start_sweeps, monitor);
    start = ComponentSpec("sns");
    start.options.set("tolerance", Value(1e-3 * mass));
  }
  const Report report = context.make<TransportSolver>(start)->solve(inner, monitor);
  const auto count = [&report](const char* name) {
    const double value = report.value(name);
    return std::isfinite(value) ? static_cast<std::int64_t>(value) : 0;
  };
  return {{to_host(inner.f().view()), to_host(inner.g().view())}, count("passes"),
          count("newton_steps")};
}

/// The plan by rows.
std::vector<PlanEntry> by_rows(const ColumnEntries& columns, std::size_t num_rows) {
  std::vector<std::size_t> place(num_rows + 1, 0);
  for (const Index i : columns.rows) ++place[static_cast<std::size_t>(i) + 1];
  for (std::size_t i = 0; i < num_rows; ++i) place[i + 1] += place[i];
  std::vector<PlanEntry> plan(columns.rows.size());
  for (std::size_t j = 0; j + 1 < columns.first.size(); ++j)
    for (GlobalIndex e = columns.first[j]; e < columns.first[j + 1]; ++e)
      plan[place[columns.rows[e]]++] = {columns.rows[e], static_cast<Index>(j), columns.values[e]};
  return plan;
}

/// A plan by rows as columns, with its costs.
ColumnEntries by_columns(const TransportProblem& problem, const std::vector<PlanEntry>& plan) {
  const auto n = static_cast<std::size_t>(problem.cost().rows().local_size());
  const auto m = static_cast<std::size_t>(problem.cost().num_columns());
  const SparseEntries entries = sparse_entries(n, plan);
  problem.cost().evaluate(entries);
  const std::vector<double> costs = to_host(entries.values);
  ColumnEntries c;
  c.first.assign(m + 1, 0);
  for (const PlanEntry& e : plan) ++c.first[static_cast<std::size_t>(e.column) + 1];
  for (std::size_t j = 0; j < m; ++j) c.first[j + 1] += c.first[j];
  std::vector<GlobalIndex> place(c.first.begin(), c.first.end() - 1);
  c.rows.resize(plan.size());
  c.values.resize(plan.size());
  c.costs.resize(plan.size());
  for (std::size_t e = 0; e < plan.size(); ++e) {
    const auto at = static_cast<std::size_t>(place[plan[e].column]++);
    c.rows[at] = plan[e].row;
    c.values[at] = plan[e].mass;
    c.costs[at] = costs[e];
  }
  return c;
}

/// Of an optimal tree of the unregularised problem: alpha_i + beta_j = C_ij + gamma T_ij along it,
/// the solution where gamma is small.
struct LinearProgram {
  Potentials x;
  std::vector<PlanEntry> plan;
  Report report;
};
LinearProgram solve_linear_program(const TransportProblem& problem, double gamma,
                                   Monitor& monitor) {
  LinearProgram lp;
  NetworkSimplex simplex = Exact({}, {}).find_tree(problem, monitor, lp.report);
  lp.plan = simplex.flows();
  simplex.recompute_potentials(gamma);
  lp.x = {simplex.row_potentials(), simplex.column_potentials()};
  return lp;
}

/// k = 1: Omega** is gamma / 2 |t_j|_1^2, constant on the marginals, so the relaxation is the
/// unregularised problem with beta_j = v_j + gamma b_j.
void take_linear_program(const TransportProblem& problem, const LinearProgram& lp, Ascent& s) {
  const std::vector<double>& b = s.dual.b();
  s.status = lp.report.status;
  s.iterations = lp.report.iterations;
  s.x = lp.x;
  double squares = 0.0;
  for (std::size_t j = 0; j < b.size(); ++j) {
    s.x.beta[j] += s.dual.rule.gamma * b[j];
    squares += b[j] * b[j];
  }
  s.point = s.dual.at(s.x);
  s.point.plan = by_columns(problem, lp.plan);
  s.point.most_entries = 0;
  s.point.crowded_columns = 0;
  for (std::size_t j = 0; j < b.size(); ++j) {
    const auto count = static_cast<Index>(s.point.plan.first[j + 1] - s.point.plan.first[j]);
    s.point.most_entries = std::max(s.point.most_entries, count);
    s.point.crowded_columns += count > 1 ? 1 : 0;
  }
  s.point.primal = 0.5 * s.dual.rule.gamma * squares;
  for (std::size_t e = 0; e < s.point.plan.values.size(); ++e)
    s.point.primal += s.point.plan.values[e] * s.point.plan.costs[e];
  s.point.violation = 0.0;  // of whole numbers
}

/// At most k entries of each column: those of the unregularised plan, then the heaviest of the
/// relaxed one. Empty where they cannot carry the masses.
std::optional<ColumnEntries> k_entries_a_column(const TransportProblem& problem,
                                                const ColumnEntries& vertex,
                                                const ColumnEntries& relaxed, std::size_t k) {
  ColumnEntries chosen;
  std::vector<Arc> arcs;
  chosen.first.push_back(0);
  for (std::size_t j = 0; j + 1 < relaxed.first.size(); ++j) {
    struct Entry {
      Index row;
      double mass, cost;
    };
    std::vector<Entry> of_column;
    for (GlobalIndex e = relaxed.first[j]; e < relaxed.first[j + 1]; ++e)
      of_column.push_back({relaxed.rows[e], relaxed.values[e], relaxed.costs[e]});
    if (static_cast<std::size_t>(vertex.first[j + 1] - vertex.first[j]) <= k)
      for (GlobalIndex e = vertex.first[j]; e < vertex.first[j + 1]; ++e) {
        const Index i = vertex.rows[e];
        std::erase_if(of_column, [i](const Entry& x) { return x.row == i; });
        of_column.push_back({i, std::numeric_limits<double>::infinity(), vertex.costs[e]});
      }
    std::sort(of_column.begin(), of_column.end(), [](const Entry& p, const Entry& q) {
      return p.mass != q.mass ? p.mass > q.mass : p.row < q.row;
    });
    if (of_column.size() > k) of_column.resize(k);
    std::sort(of_column.begin(), of_column.end(),
              [](const Entry& p, const Entry& q) { return p.row < q.row; });
    for (const Entry& x : of_column) {
      chosen.rows.push_back(x.row);
      chosen.costs.push_back(x.cost);
      arcs.push_back({x.row, static_cast<Index>(j), x.cost});
    }
    chosen.first.push_back(static_cast<GlobalIndex>(chosen.rows.size()));
  }
  chosen.values.assign(chosen.rows.size(), 0.0);
  // An artificial arc dearer than any path of these arcs, so that it is used only where it must be.
  const double dear = problem.cost().maximum() * static_cast<double>(problem.num_unknowns());
  NetworkSimplex simplex(whole_masses(to_host(problem.a().view()), to_host(problem.b().view())),
                         dear);
  simplex.add_arcs(arcs);
  simplex.start();
  (void)simplex.run(1e-14 * dear, std::numeric_limits<std::int64_t>::max());
  if (simplex.artificial_mass() > 0.0) return std::nullopt;
  return chosen;
}

/// Where the relaxation is not tight: the best plan on k entries a column, an upper bound beside
/// the dual value, which stays the lower one.
void restrict_to_k_entries(const TransportProblem& problem, const std::vector<PlanEntry>& vertex,
                           Ascent& s, std::size_t k) {
  const auto support = k_entries_a_column(problem, by_columns(problem, vertex), s.point.plan, k);
  if (!support) return;
  KSparseDual& dual = s.dual;
  InnerMonitor quiet(s.monitor);
  Ascent inner{dual, s.x, quiet, s.tolerance, s.gap_tolerance, s.max_iterations};
  const ColumnRule rule = dual.rule;
  dual.support = support;
  dual.old = {std::vector<GlobalIndex>(dual.b().size() + 1, 0), {}, {}, {}};
  ascend_smooth(inner);
  dual.support.reset();
  dual.rule = rule;
  s.restricted_iterations = inner.iterations;
  if (inner.status != Status::converged) return;
  const double bound = s.point.dual;
  const Index crowded = s.point.crowded_columns;
  const Index most = s.point.most_entries;
  s.point.plan = std::move(inner.point.plan);
  s.point.primal = inner.point.primal;
  s.point.dual = bound;
  s.point.crowded_columns = crowded;
  s.point.most_entries = most;
  s.is_restricted = true;
}

std::string reason_of(const Ascent& s, std::size_t k, double violation) {
  const std::string found = "marginal violation " + short_number(violation) +
                            ", objective - dual value " + short_number(s.gap()) + " after " +
                            std::to_string(s.iterations) + " steps";
  switch (s.status) {
    case Status::converged:
      return found;
    case Status::max_iterations:
      return "the iteration limit came first; " + found;
    case Status::time_limit:
      return "the time limit came first; " + found;
    case Status::interrupted:
      return "interrupted; " + found;
    case Status::non_finite:
      return "the marginals are not finite; " + found;
    default:
      break;
  }
  if (s.point.crowded_columns > 0 && s.point.violation <= s.tolerance)
    return "the relaxation is not tight: " + std::to_string(s.point.crowded_columns) +
           " columns of its plan have more than " + std::to_string(k) + " entries (up to " +
           std::to_string(s.point.most_entries) + "), so the k-th largest is not unique; " +
           (s.is_restricted ? "the plan is the best on k entries a column chosen from it"
                            : "the plan is that one") +
           "; " + found + "; raise k";
  if (violation <= s.tolerance)
    return found + ", which is more than " + short_number(s.gap_tolerance) + "; lower 'tolerance'";
  return "no step improves the dual any more; " + found;
}

void write_report(TransportProblem& problem, Ascent& s, std::size_t k, Report& report) {
  if (s.status == Status::converged && s.point.crowded_columns > 0) s.status = Status::stagnated;
  store_potentials(problem, s.x.alpha, s.x.beta);
  store_plan(problem, by_rows(s.point.plan, s.dual.a().size()));
  report.measures = problem.verify();
  const double violation = report.value("marginal_violation");
  if (s.status == Status::converged && !(violation <= s.tolerance && s.gap() <= s.gap_tolerance))
    s.status = Status::stagnated;
  report.status = s.status;
  report.iterations = s.iterations;
  report.reason = reason_of(s, k, violation);
  double squares = 0.0;
  for (const double t : s.point.plan.values) squares += t * t;
  report.measures.push_back(
      {"objective", report.value("transport_cost") + 0.5 * s.dual.rule.gamma * squares, "cost"});
  report.measures.push_back({"dual_objective", s.point.dual, "cost"});
  report.measures.push_back({"objective_gap", s.gap(), "cost"});
  const auto count = [](auto x) { return static_cast<double>(x); };
  report.counts.push_back({"stages", count(s.stages), ""});
  report.counts.push_back({"plan_entries", count(s.point.plan.rows.size()), ""});
  report.metrics = {{"gamma", s.dual.rule.gamma, "cost / mass"},
                    {"most_entries_of_the_relaxation", count(s.point.most_entries), ""},
                    {"crowded_columns", count(s.point.crowded_columns), ""},
                    {"restricted_steps", count(s.restricted_iterations), ""},
                    {"factor_entries", count(s.fill), ""}};
}

/// Both methods. k is cut to n.
Report solve_k_sparse(TransportProblem& problem, Monitor& monitor, const KSparseOptions& options,
                      std::size_t k, const char* name, const Context& context) {
  require_balanced_and_one_rank(problem, name);
  const Stopwatch clock;
  monitor.begin_phase("setup");
  Report report;
  const std::size_t n = static_cast<std::size_t>(problem.cost().rows().local_size());
  k = std::min(k, n);
  const double mass = typical_mass(to_host(problem.a().view()), to_host(problem.b().view()));
  KSparseDual dual(problem, options.gamma.value_or(problem.regularization() / mass), k);
  const double total = dual.total();
  std::int64_t passes = 0;
  Ascent ascent{
      dual,
      {},
      monitor,
      options.tolerance,
      options.gap_tolerance * std::max(problem.cost().maximum(), dual.rule.gamma * total) * total,
      options.max_iterations};
  const bool by_newton = options.algorithm == "newton";
  const bool is_linear = by_newton && k == 1 && n > 1;
  LinearProgram lp;
  std::int64_t start_steps = 0;
  InnerMonitor inner(monitor);  // stops with the method, keeps its own iterations to itself
  if (by_newton) {
    Monitor& watch = is_linear ? monitor : static_cast<Monitor&>(inner);
    lp = solve_linear_program(problem, is_linear ? 0.0 : dual.rule.gamma, watch);
    passes += static_cast<std::int64_t>(lp.report.value("passes"));
    ascent.x = lp.x;
  }
  if (!is_linear) {
    // Two guesses: the entropic plan is near where gamma is large, the vertex where it is small.
    const double width = options.start_width * dual.rule.gamma * median_mass(dual.a(), dual.b());
    EntropicGuess entropic = entropic_guess(problem, width, total, options, context, inner);
    passes += entropic.passes;
    start_steps = entropic.newton_steps;
    dual.rule.k = n;
    const double of_entropic = dual.at_semi_dual(entropic.x).dual;
    if (!by_newton || of_entropic > dual.at_semi_dual(ascent.x).dual)
      ascent.x = std::move(entropic.x);
    dual.rule.k = k;
  }
  const double setup_seconds = clock.seconds();
  monitor.begin_phase("solve");
  if (is_linear)
    take_linear_program(problem, lp, ascent);
  else if (by_newton)
    ascend_by_newton(ascent);
  else
    ascend_by_lbfgs(ascent, options.formulation == "semi-dual");
  if (by_newton && !is_linear && ascent.status == Status::converged &&
      ascent.point.crowded_columns > 0)
    restrict_to_k_entries(problem, lp.plan, ascent, k);
  const double seconds = clock.seconds();
  report.counts.push_back({"passes", static_cast<double>(passes + dual.passes()), ""});
  if (options.algorithm == "newton")
    report.counts.push_back(
        {"newton_steps", static_cast<double>(is_linear ? 0 : ascent.iterations), ""});
  report.counts.push_back({"start_newton_steps", static_cast<double>(start_steps), ""});
  write_report(problem, ascent, k, report);
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds - setup_seconds, "s"}};
  return report;
}

}  // namespace

Report SparsityConstrained::solve(TransportProblem& problem, Monitor& monitor) {
  return solve_k_sparse(problem, monitor, options_, static_cast<std::size_t>(options_.k),
                        "sparsity-constrained", context_);
}

Report Quadratic::solve(TransportProblem& problem, Monitor& monitor) {
  KSparseOptions options;
  static_cast<QuadraticOptions&>(options) = options_;
  return solve_k_sparse(problem, monitor, options,
                        static_cast<std::size_t>(problem.cost().rows().local_size()), "quadratic", context_);
}

}  // namespace sparse_transport
