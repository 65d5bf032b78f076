#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/detail/check_bounds.hpp>

namespace libsolve {

Projection::~Projection() = default;
LvHbaIteration::~LvHbaIteration() = default;
ValueRange::~ValueRange() = default;

namespace {

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

void check(const BilevelParts& p) {
  const Index n = p.num_upper + p.num_lower;
  if (p.upper == nullptr || p.lower == nullptr)
    throw ShapeError("a bilevel program needs the functions of both levels");
  for (const auto* f : {p.upper.get(), p.lower.get()})
    if (f->num_variables() != n)
      throw ShapeError("functions of " + std::to_string(f->num_variables()) +
                       " variables for a bilevel program with " + std::to_string(p.num_upper) +
                       " + " + std::to_string(p.num_lower));
  detail::check_bounds(p.upper_variables, size_of(p.num_upper), "upper variable");
  detail::check_bounds(p.lower_variables, size_of(p.num_lower), "lower variable");
  detail::check_bounds(p.upper_constraints, size_of(p.upper->num_constraints()),
                       "upper constraint");
  detail::check_bounds(p.lower_constraints, size_of(p.lower->num_constraints()),
                       "lower constraint");
  if (p.start.size() != size_of(n) || (!p.reference.empty() && p.reference.size() != size_of(n)))
    throw ShapeError("start and reference of a bilevel program have " + std::to_string(n) +
                     " values, got " + std::to_string(p.start.size()) + " and " +
                     std::to_string(p.reference.size()));
  for (std::size_t i = 0; i < p.start.size(); ++i)
    if (!std::isfinite(p.start[i]))
      throw DataError("the start of variable " + std::to_string(i + 1) + " is not finite");
}

Vector vector_of(const std::string& label, std::span<const double> values) {
  const Vector v(label, Partition(static_cast<GlobalIndex>(values.size())));
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

}  // namespace

BilevelProgram::BilevelProgram(BilevelParts parts) : parts_(std::move(parts)) {
  check(parts_);
  variables_ = parts_.upper_variables;
  const auto append = [](std::vector<double>& a, const std::vector<double>& b) {
    a.insert(a.end(), b.begin(), b.end());
  };
  append(variables_.lower, parts_.lower_variables.lower);
  append(variables_.upper, parts_.lower_variables.upper);
  v_ = vector_of("bilevel::v", parts_.start);
  lambda_.assign(parts_.lower_constraints.size(), 0.0);
  z_.assign(size_of(num_lower()), 0.0);
}

BilevelProgram::~BilevelProgram() = default;

std::vector<double> BilevelProgram::host_v() const {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v_.view());
  return {host.data(), host.data() + host.extent(0)};
}

void BilevelProgram::set_point(std::span<const double> v, std::span<const double> lambda,
                               std::span<const double> z) {
  if (v.size() != parts_.start.size() || lambda.size() != lambda_.size() || z.size() != z_.size())
    throw ShapeError("a point of " + std::to_string(v.size()) + ", " +
                     std::to_string(lambda.size()) + " and " + std::to_string(z.size()) +
                     " values for a bilevel program with " + std::to_string(parts_.start.size()) +
                     ", " + std::to_string(lambda_.size()) + " and " + std::to_string(z_.size()));
  Kokkos::deep_copy(v_.view(), Kokkos::View<const double*, Kokkos::HostSpace>(v.data(), v.size()));
  lambda_.assign(lambda.begin(), lambda.end());
  z_.assign(z.begin(), z.end());
  has_multipliers = true;
  certificate_.reset();
}

std::vector<Field> BilevelProgram::solution() const {
  const std::vector<double> v = host_v();
  const std::span<const double> all(v);
  std::vector<Field> fields;
  const auto add = [&](const char* name, std::span<const double> values, const char* text) {
    if (!values.empty())
      fields.push_back({.name = name,
                        .values = vector_of(std::string("bilevel::") + name, values),
                        .description = text});
  };
  add("x", all.first(size_of(num_upper())), "upper variables");
  add("y", all.subspan(size_of(num_upper())), "lower variables");
  add("lower_multipliers", lambda_, "multipliers of g in the lower level, >= 0 at upper bounds");
  add("lower_bound_multipliers", z_, "multipliers of Y in the lower level");
  return fields;
}

std::vector<Measure> BilevelProgram::verify() const {
  std::vector<Measure> m;
  if (certificate_) {
    const BilevelCertificate& c = *certificate_;
    m = {{"lower_gap", c.lower_gap},
         {"constraint_violation", c.constraint_violation},
         {"lower_kkt_residual", c.lower_kkt_residual},
         {"upper_stationarity", c.upper_stationarity},
         {"upper_objective", c.upper_objective},
         {"lower_objective", c.lower_objective}};
  } else {
    const LowerResidual r = lower_residual(*this);
    m = {{"constraint_violation", r.violation},
         {"lower_kkt_residual", r.kkt.largest()},
         {"lower_objective", parts_.lower->objective(v_.view())},
         {"uncertified_objective", parts_.upper->objective(v_.view())}};
  }
  const std::vector<double> v = host_v();
  if (!parts_.reference.empty()) {
    double difference = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      difference += (v[i] - parts_.reference[i]) * (v[i] - parts_.reference[i]);
      norm += parts_.reference[i] * parts_.reference[i];
    }
    m.push_back({"error", std::sqrt(difference) / (norm > 0.0 ? std::sqrt(norm) : 1.0)});
  }
  if (parts_.scores)
    for (Measure& s : parts_.scores(v)) m.push_back(std::move(s));
  return m;
}

}  // namespace libsolve
