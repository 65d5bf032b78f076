#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <limits>

namespace libsolve {

namespace {

/// The first entry that is no mass: its index, or the length.
struct FirstBadMass {
  ConstVectorView mass;
  KOKKOS_FUNCTION void operator()(const Index i, Index& first) const {
    if (!(mass(i) > 0.0 && mass(i) <= largest_double) && i < first) first = i;
  }
};

void check_mass(const Vector& mass, const char* name) {
  const Index n = mass.local_size();
  Index first = n;
  Kokkos::parallel_reduce("transport::check_mass",
                          Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, n),
                          FirstBadMass{mass.view()}, Kokkos::Min<Index>(first));
  std::string message;
  if (first < n) {
    double value = 0.0;
    Kokkos::deep_copy(value, Kokkos::subview(mass.view(), first));
    message = std::string("the mass ") + name + "[" +
              std::to_string(mass.partition().first_row() + first) + "] is " +
              format_number(value) + "; masses must be finite and positive" +
              (value == 0.0 ? " (leave points without mass out)" : "");
  }
  if (!mass.communicator().any(!message.empty())) return;
  throw DataError(message.empty() ? std::string("a mass of ") + name +
                                        " on another rank is not finite and positive"
                                  : message);
}

/// Points as a field of shape (count, dimension).
Field field_of(const DenseBlock& points, const Partition& rows, const char* name,
               const char* description) {
  const auto d = static_cast<GlobalIndex>(points.extent(1));
  const Partition entries = rows.communicator().size() > 1
                                ? Partition(rows.communicator(), rows.local_size() * d)
                                : Partition(rows.global_size() * d);
  const Vector values(name, entries);
  Kokkos::deep_copy(DenseBlock(values.data(), points.extent(0), points.extent(1)), points);
  return {
      .name = name, .values = values, .shape = {rows.global_size(), d}, .description = description};
}

}  // namespace

TransportProblem::TransportProblem(std::shared_ptr<const TransportCost> cost, Vector a, Vector b,
                                   double regularization, std::optional<double> marginal_penalty)
    : cost_(std::move(cost)),
      a_(std::move(a)),
      b_(std::move(b)),
      regularization_(regularization),
      marginal_penalty_(marginal_penalty) {
  if (!(a_.partition() == cost_->rows()) || b_.local_size() != cost_->num_columns() ||
      b_.global_size() != cost_->num_columns())
    throw ShapeError("the cost has " + std::to_string(cost_->rows().global_size()) + " rows and " +
                     std::to_string(cost_->num_columns()) + " columns, the masses have " +
                     std::to_string(a_.global_size()) + " and " + std::to_string(b_.global_size()) +
                     " entries");
  if (!(regularization_ > 0.0) || !std::isfinite(regularization_))
    throw InputError({}, "regularization",
                     "must be positive and finite, is " + format_number(regularization_));
  if (marginal_penalty_ && (!(*marginal_penalty_ > 0.0) || !std::isfinite(*marginal_penalty_)))
    throw InputError({}, "marginal_penalty",
                     "must be positive and finite, is " + format_number(*marginal_penalty_));
  check_mass(a_, "a");
  check_mass(b_, "b");
  if (!std::isfinite(cost_->maximum()))
    throw DataError("the cost (" + cost_->description() + ") is negative or not finite somewhere");
  if (is_balanced()) {
    const double of_a = detail::total_of(a_);
    const double of_b = detail::total_of(b_);
    if (!(std::abs(of_a - of_b) <= 1e-9 * std::max(of_a, of_b)))
      throw DataError("the total of a is " + format_number(of_a) + ", that of b " +
                      format_number(of_b) +
                      ": no plan has these marginals; normalise them, or give a marginal_penalty "
                      "for the unbalanced problem");
    Vector own = b_.like("transport::b");
    copy(b_, own);
    scale(of_a / of_b, own);
    b_ = own;
  }
  f_ = a_.like("transport::f");
  g_ = b_.like("transport::g");
}

TransportProblem::~TransportProblem() = default;

GlobalIndex TransportProblem::num_unknowns() const {
  return cost_->rows().global_size() + cost_->num_columns();
}

std::vector<Field> TransportProblem::data() const {
  std::vector<Field> fields;
  fields.push_back({.name = "a", .values = a_, .description = "mass of the rows' points"});
  fields.push_back({.name = "b", .values = b_, .description = "mass of the columns' points"});
  if (points) {
    fields.push_back(field_of(points->x, a_.partition(), "x", "points of the rows"));
    fields.push_back(field_of(points->y, b_.partition(), "y", "points of the columns"));
  }
  fields.insert(fields.end(), extra_data.begin(), extra_data.end());
  return fields;
}

std::vector<Field> TransportProblem::solution() const {
  std::vector<Field> fields;
  fields.push_back(
      {.name = "f", .values = f_, .units = "cost", .description = "potential of the rows"});
  fields.push_back(
      {.name = "g", .values = g_, .units = "cost", .description = "potential of the columns"});
  if (!has_plan_ || (!plan_ && plan_threshold <= 0.0)) return fields;
  const detail::PlanTriples plan =
      plan_
          ? detail::triples_of(*plan_, cost_->rows())
          : detail::triples_of(detail::entropic_entries(*cost_, f_.view(), g_.view(),
                                                        regularization_, row_sums_, plan_threshold),
                               cost_->rows());
  const std::string what =
      plan_ ? "all entries of the plan"
            : "entries of the plan of at least " + format_number(plan_threshold) + " of their row";
  fields.push_back({.name = "plan_row",
                    .values = plan.rows,
                    .description = "row, from 0",
                    .whole_numbers = true});
  fields.push_back({.name = "plan_column",
                    .values = plan.columns,
                    .description = "column, from 0",
                    .whole_numbers = true});
  fields.push_back(
      {.name = "plan_value", .values = plan.values, .units = "mass", .description = what});
  return fields;
}

std::vector<Measure> TransportProblem::verify() const {
  const detail::PlanMarginals p =
      plan_ ? detail::marginals_of(*plan_, *cost_)
            : detail::marginals_of(*cost_, f_.view(), g_.view(), regularization_);
  const double violation = detail::violation(p, *this);
  row_sums_ = p.rows;
  has_plan_ = violation < 0.1 * detail::total_of(a_);
  std::vector<Measure> measures = {{"marginal_violation", violation, "mass"},
                                   {"transport_cost", p.cost, "cost"}};
  if (is_balanced()) {
    const double dual = detail::dual_value(*this);
    measures.push_back({"dual_value", dual, "cost"});
    measures.push_back({"optimality_gap", p.cost - dual, "cost"});
  }
  return measures;
}

}  // namespace libsolve
