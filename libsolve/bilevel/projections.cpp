#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/affine_projection.hpp>
#include <libsolve/bilevel/detail/box_rows.hpp>
#include <libsolve/bilevel/detail/distance_program.hpp>
#include <libsolve/bilevel/projections.hpp>
#include <libsolve/core/errors.hpp>

namespace libsolve {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

VectorView view_of(const std::string& label, std::span<const double> values) {
  const VectorView view(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

class BoxProjection final : public Projection {
 public:
  explicit BoxProjection(const Bounds& box)
      : low_(view_of("projection::low", box.lower)),
        high_(view_of("projection::high", box.upper)) {}
  Index size() const override { return static_cast<Index>(low_.extent(0)); }
  void project(const VectorView& v) override {
    for_rows(default_space(), "projection::clamp", size(),
             detail::ClampRows{low_.data(), high_.data(), v.data()});
  }
  std::string description() const override { return "box"; }

 private:
  VectorView low_, high_;
};

class BoxRowsProjection final : public Projection {
 public:
  BoxRowsProjection(const Bounds& box, const std::vector<double>& dense_rows,
                    const Bounds& row_bounds)
      : size_(static_cast<Index>(box.size())),
        num_rows_(row_bounds.size()),
        has_box_(
            std::any_of(box.lower.begin(), box.lower.end(), [](double b) { return b > -none; }) ||
            std::any_of(box.upper.begin(), box.upper.end(), [](double b) { return b < none; })),
        set_(box.lower, box.upper, dense_rows, row_bounds.lower, row_bounds.upper) {}
  Index size() const override { return size_; }
  void project(const VectorView& v) override { set_.project(v); }
  std::string description() const override {
    return (has_box_ ? "box and " : "") + std::to_string(num_rows_) +
           (num_rows_ == 1 ? " linear row" : " linear rows");
  }

 private:
  Index size_;
  std::size_t num_rows_;
  bool has_box_;
  detail::BoxRows<ExecSpace> set_;
};

/// x_0 = v, corrections 0; in turn for each set: y = P(x - p), p = y - (x - p), x = y.
class DykstraProjection final : public Projection {
 public:
  DykstraProjection(std::vector<std::shared_ptr<Projection>> sets, double tolerance, int max_rounds)
      : sets_(std::move(sets)), tolerance_(tolerance), max_rounds_(max_rounds) {
    if (sets_.empty()) throw ShapeError("an intersection needs one set at least");
    for (const auto& set : sets_) {
      if (set->size() != sets_[0]->size())
        throw ShapeError("an intersection of sets in " + std::to_string(sets_[0]->size()) +
                         " and in " + std::to_string(set->size()) + " dimensions");
      corrections_.emplace_back("projection::correction", size_of(set->size()));
    }
    moved_ = VectorView("projection::moved", size_of(size()));
  }
  Index size() const override { return sets_[0]->size(); }
  std::string description() const override {
    return std::to_string(sets_.size()) + " sets by Dykstra's iteration";
  }

  void project(const VectorView& v) override {
    for (const VectorView& p : corrections_) Kokkos::deep_copy(p, 0.0);
    for (int round = 0; round < max_rounds_; ++round) {
      double step = 0.0, size_squared = 0.0;
      for (std::size_t k = 0; k < sets_.size(); ++k) {
        for_rows(default_space(), "projection::without", size(),
                 detail::Without{v.data(), corrections_[k].data(), moved_.data()});
        sets_[k]->project(moved_);
        const auto s =
            reduce_rows<Sums<2>>(default_space(), "projection::correct", size(),
                                 detail::Correct{moved_.data(), v.data(), corrections_[k].data()});
        step += s.value[0];
        size_squared = s.value[1];
      }
      if (!(std::sqrt(step) > tolerance_ * std::max(1.0, std::sqrt(size_squared)))) return;
    }
    throw NumericalError("Dykstra's iteration over " + std::to_string(sets_.size()) +
                         " sets did not settle in " + std::to_string(max_rounds_) +
                         " rounds; the intersection may be empty");
  }

 private:
  std::vector<std::shared_ptr<Projection>> sets_;
  double tolerance_;
  int max_rounds_;
  std::vector<VectorView> corrections_;
  VectorView moved_;
};

/// The linear constraints of both levels as rows without their constants.
struct LinearRows {
  SparsePattern places;
  std::vector<double> values;
  Bounds bounds;
};

/// Appends the constraints of one level; false where one is not linear.
bool add_rows(const BilevelProgram& problem, ProgramFunctions& functions, const Bounds& bounds,
              LinearRows& rows) {
  const auto m = bounds.size();
  if (m == 0) return true;
  for (std::size_t i = 0; i < m; ++i)
    if (!functions.is_linear(static_cast<Index>(i))) return false;
  const HostAccess at(functions);
  const std::vector<double>& start = problem.parts().start;
  std::vector<double> c(m), values(start.size()), weights(m, 0.0);
  at.constraints(start, c);
  const auto first = static_cast<Index>(rows.bounds.size());
  for (std::size_t i = 0; i < m; ++i) {
    weights.assign(m, 0.0);
    weights[i] = 1.0;
    at.apply_jacobian_adjoint(start, weights, values);
    double along = 0.0;
    for (std::size_t j = 0; j < values.size(); ++j) {
      if (values[j] == 0.0) continue;
      rows.places.rows.push_back(first + static_cast<Index>(i));
      rows.places.columns.push_back(static_cast<Index>(j));
      rows.values.push_back(values[j]);
      along += values[j] * start[j];
    }
    rows.bounds.lower.push_back(bounds.lower[i] - (c[i] - along));
    rows.bounds.upper.push_back(bounds.upper[i] - (c[i] - along));
  }
  return true;
}

/// One set for the box and the first rows, one for each further bunch of them.
std::shared_ptr<Projection> by_dykstra(const Bounds& box, const LinearRows& rows) {
  const Bounds free{std::vector<double>(box.size(), -none), std::vector<double>(box.size(), none)};
  std::vector<std::shared_ptr<Projection>> sets;
  for (std::size_t first = 0; first < rows.bounds.size(); first += detail::most_rows) {
    const std::size_t last = std::min(first + detail::most_rows, rows.bounds.size());
    SparsePattern places;
    std::vector<double> values;
    for (std::size_t e = 0; e < rows.values.size(); ++e) {
      const auto row = size_of(rows.places.rows[e]);
      if (row < first || row >= last) continue;
      places.rows.push_back(static_cast<Index>(row - first));
      places.columns.push_back(rows.places.columns[e]);
      values.push_back(rows.values[e]);
    }
    const auto slice = [&](const std::vector<double>& b) {
      return std::vector<double>(b.begin() + static_cast<std::ptrdiff_t>(first),
                                 b.begin() + static_cast<std::ptrdiff_t>(last));
    };
    sets.push_back(box_rows_projection(first == 0 ? box : free, places, values,
                                       {slice(rows.bounds.lower), slice(rows.bounds.upper)}));
  }
  return intersection_projection(std::move(sets));
}

}  // namespace

std::shared_ptr<Projection> box_projection(const Bounds& box) {
  return std::make_shared<BoxProjection>(box);
}

std::shared_ptr<Projection> box_rows_projection(const Bounds& box, const SparsePattern& rows,
                                                std::span<const double> values,
                                                const Bounds& row_bounds) {
  const std::size_t n = box.size(), m = row_bounds.size();
  if (m == 0) return box_projection(box);
  if (m > size_of(detail::most_rows))
    throw ShapeError("a box with " + std::to_string(m) + " rows, at most " +
                     std::to_string(detail::most_rows) +
                     "; intersect several sets (intersection_projection)");
  if (rows.size() != values.size())
    throw ShapeError(std::to_string(values.size()) + " values for " + std::to_string(rows.size()) +
                     " places of rows");
  std::vector<double> dense(n * m, 0.0);
  for (std::size_t e = 0; e < values.size(); ++e) {
    const auto i = size_of(rows.rows[e]), j = size_of(rows.columns[e]);
    if (rows.rows[e] < 0 || i >= m || rows.columns[e] < 0 || j >= n)
      throw ShapeError("entry (" + std::to_string(rows.rows[e]) + ", " +
                       std::to_string(rows.columns[e]) + ") of " + std::to_string(m) + " rows in " +
                       std::to_string(n) + " variables");
    dense[i * n + j] += values[e];
  }
  return std::make_shared<BoxRowsProjection>(box, dense, row_bounds);
}

std::shared_ptr<Projection> simplex_projection(Index n, double total) {
  SparsePattern ones;
  for (Index j = 0; j < n; ++j) {
    ones.rows.push_back(0);
    ones.columns.push_back(j);
  }
  return box_rows_projection(
      {std::vector<double>(size_of(n), 0.0), std::vector<double>(size_of(n), none)}, ones,
      std::vector<double>(size_of(n), 1.0), {{total}, {total}});
}

std::shared_ptr<Projection> intersection_projection(std::vector<std::shared_ptr<Projection>> sets,
                                                    double tolerance, int max_rounds) {
  return std::make_shared<DykstraProjection>(std::move(sets), tolerance, max_rounds);
}

namespace {

/// Rows that are made orthonormal: as many dense vectors.
constexpr std::size_t most_orthonormal = 2000;

bool only_equations(const Bounds& box, const Bounds& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows.is_equality(i)) return false;
  for (std::size_t j = 0; j < box.size(); ++j)
    if (std::isfinite(box.lower[j]) || std::isfinite(box.upper[j])) return false;
  return true;
}

}  // namespace

std::shared_ptr<Projection> projection_of(const BilevelProgram& program,
                                          std::unique_ptr<ProgramSolver> solver) {
  const BilevelParts& p = program.parts();
  if (p.coupled_set) return p.coupled_set;
  const std::size_t m = p.lower_constraints.size() + p.upper_constraints.size();
  if (m == 0) return box_projection(program.variable_bounds());
  LinearRows rows;
  const bool is_linear = add_rows(program, *p.lower, p.lower_constraints, rows) &&
                         add_rows(program, *p.upper, p.upper_constraints, rows);
  const bool has_entries = p.lower->has_entries() && p.upper->has_entries();
  constexpr Index small = 32;
  const bool is_small = has_entries && program.num_variables() <= small;
  if (is_linear && (m == 1 || (!is_small && m <= size_of(detail::most_rows))))
    return box_rows_projection(program.variable_bounds(), rows.places, rows.values, rows.bounds);
  if (is_linear && m <= most_orthonormal && only_equations(program.variable_bounds(), rows.bounds))
    return affine_projection(program.num_variables(), rows.places, rows.values, rows.bounds.lower);
  constexpr Index most_dense = 300;
  if (has_entries && (program.num_variables() <= most_dense || (solver && !is_linear)))
    return detail::newton_projection(program, std::move(solver),
                                     program.num_variables() <= most_dense);
  if (is_linear) return by_dykstra(program.variable_bounds(), rows);
  throw Unsupported(
      "the projection onto the coupled set of '" + program.description() +
      "' has nonlinear constraints in " + std::to_string(program.num_variables()) +
      " variables; it needs " +
      (has_entries ? "a program solver" : "their entries, and there are only products") +
      ", or a projection of the problem's own (BilevelParts::coupled_set)");
}

}  // namespace libsolve
