#include "newton_finish.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace lv_hba {

namespace {

constexpr int most_steps = 30;
constexpr int most_halvings = 10;
constexpr double third_derivative_step = 1e-4;

using Places = Kokkos::View<Index*, MemSpace>;

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

VectorView make_view(const char* label, Index n) {
  return VectorView(label, size_of(n));
}

/// out[to[i]] += in[i].
struct ScatterAdd {
  const double* in;
  const Index* to;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[to[i]] += in[i]; }
};
/// out[i] = in[from[i]].
struct GatherFrom {
  const double* in;
  const Index* from;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] = in[from[i]]; }
};
struct AddTo {
  const double* in;
  double* out;
  double factor;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] += factor * in[i]; }
};

template <class Body>
void run_rows(const char* label, Index n, const Body& body) {
  for_rows(default_space(), label, n, body);
  default_space().fence("libsolve::newton_finish");
}

void add(const VectorView& in, double factor, const VectorView& out) {
  run_rows("newton_finish::add", static_cast<Index>(in.extent(0)),
           AddTo{in.data(), out.data(), factor});
}

/// Rows of g and entries of y that are held, with the values they are held at.
struct Held {
  Places places = {};
  VectorView targets = {};
  Index size = 0;
  Held() = default;
  Held(const std::vector<Index>& where, const std::vector<double>& at)
      : places("newton_finish::places", where.size()),
        targets("newton_finish::targets", at.size()),
        size(static_cast<Index>(where.size())) {
    Kokkos::deep_copy(places,
                      Kokkos::View<const Index*, Kokkos::HostSpace>(where.data(), where.size()));
    Kokkos::deep_copy(targets,
                      Kokkos::View<const double*, Kokkos::HostSpace>(at.data(), at.size()));
  }
};

}  // namespace

/// u = (v, lambda_A, z_A; p, q_A, r_A, s): point and multipliers of the piece. As an operator the
/// derivative of its first-order conditions at the current u.
class NewtonFinish::System final : public LinearOperator {
 public:
  System(const BilevelProgram& problem, const ActiveSet& active)
      : F_(problem.upper()),
        f_(problem.lower()),
        nx_(problem.num_upper()),
        ny_(problem.num_lower()),
        n_(nx_ + ny_),
        mG_(F_.num_constraints()),
        mg_(f_.num_constraints()),
        is_quadratic_(problem.parts().lower_is_quadratic) {
    const std::vector<LowerConstraint> list = lower_constraints(problem);
    std::vector<Index> rows, entries;
    std::vector<double> row_targets, entry_targets;
    for (std::size_t k = 0; k < list.size(); ++k) {
      if (!active[k]) continue;
      (list[k].is_variable ? entries : rows)
          .push_back(list[k].is_variable ? nx_ + list[k].row : list[k].row);
      (list[k].is_variable ? entry_targets : row_targets).push_back(list[k].bound);
    }
    rows_ = Held(rows, row_targets);
    entries_ = Held(entries, entry_targets);
    const Index m = rows_.size + entries_.size;
    first_ = {
        0, n_, n_ + rows_.size, n_ + m, n_ + m + ny_, n_ + m + ny_ + rows_.size, n_ + 2 * m + ny_};
    partition_ = Partition(n_ + 2 * m + ny_ + mG_);
    for (VectorView* a : {&a_, &b_, &c_, &padded_}) *a = make_view("newton_finish::work", n_);
    weights_ = make_view("newton_finish::weights", mg_);
    lambda_ = make_view("newton_finish::lambda", mg_);
    g_ = make_view("newton_finish::g", mg_);
    G_target_ = make_view("newton_finish::G", mG_);
    const std::vector<double>& bounds = problem.parts().upper_constraints.lower;
    Kokkos::deep_copy(G_target_,
                      Kokkos::View<const double*, Kokkos::HostSpace>(bounds.data(), bounds.size()));
    u_ = Vector("newton_finish::u", partition_);
  }

  enum Part { at_v, at_lambda, at_z, at_p, at_q, at_r, at_s };
  VectorView part(const Vector& u, Part which) const {
    const Index end = which == at_s ? static_cast<Index>(u.local_size()) : first_[which + 1];
    return Kokkos::subview(u.view(), std::pair(size_of(first_[which]), size_of(end)));
  }

  const Vector& u() const { return u_; }
  const Held& rows() const { return rows_; }
  const Held& entries() const { return entries_; }

  /// The multipliers of g that u says.
  void move_to(const Vector& u) {
    copy(u, u_);
    Kokkos::deep_copy(lambda_, 0.0);
    scatter(part(u_, at_lambda), rows_, lambda_);
  }

  /// First-order conditions at u; returns the largest entry, scaled.
  double residual(const Vector& out) {
    const VectorView v = part(u_, at_v), r_v = part(out, at_v);
    F_.gradient(v, r_v);
    const double scale = std::max(1.0, norm_max(Vector(r_v, Partition(n_))));
    pad(part(u_, at_p));
    f_.apply_hessian(v, 1.0, lambda_, padded_, a_);
    add(a_, 1.0, r_v);
    add_adjoint(v, part(u_, at_q), part(u_, at_r), part(u_, at_s), r_v);
    gather_of_jacobian(v, padded_, part(out, at_lambda), part(out, at_z));
    f_.gradient(v, b_);
    add_adjoint(v, part(u_, at_lambda), part(u_, at_z), {}, b_);
    Kokkos::deep_copy(part(out, at_p), lower_part(b_));
    if (mg_ > 0) f_.constraints(v, g_);
    gather(g_, rows_, part(out, at_q));
    add(rows_.targets, -1.0, part(out, at_q));
    gather(v, entries_, part(out, at_r));
    add(entries_.targets, -1.0, part(out, at_r));
    const VectorView r_s = part(out, at_s);
    if (mG_ > 0) {
      F_.constraints(v, r_s);
      add(G_target_, -1.0, r_s);
    }
    scale_ = scale;
    const double gradients =
        std::max(norm_max(Vector(r_v, Partition(n_))), size_in(out, at_lambda, at_q)) / scale;
    return std::max(gradients, size_in(out, at_q, at_s + 1));
  }

  const Partition& row_partition() const override { return partition_; }
  const Partition& column_partition() const override { return partition_; }
  bool is_symmetric() const override { return true; }
  std::string description() const override {
    return "first-order conditions of a bilevel program on an active set";
  }

  void apply(const Vector& in, const Vector& out) const override {
    const VectorView v = part(u_, at_v), d = part(in, at_v), r_v = part(out, at_v);
    F_.apply_hessian(v, 1.0, part(u_, at_s), d, r_v);
    pad(part(in, at_p));
    f_.apply_hessian(v, 1.0, lambda_, padded_, a_);
    add(a_, 1.0, r_v);
    if (!is_quadratic_) add_third_derivatives(d, r_v);
    add_adjoint(v, part(in, at_q), part(in, at_r), part(in, at_s), r_v);
    gather_of_jacobian(v, padded_, part(out, at_lambda), part(out, at_z));
    f_.apply_hessian(v, 1.0, lambda_, d, b_);
    add_adjoint(v, part(in, at_lambda), part(in, at_z), {}, b_);
    Kokkos::deep_copy(part(out, at_p), lower_part(b_));
    gather_of_jacobian(v, d, part(out, at_q), part(out, at_r));
    if (mG_ > 0) F_.apply_jacobian(v, d, part(out, at_s));
  }

 private:
  VectorView lower_part(const VectorView& v) const {
    return Kokkos::subview(v, std::pair(size_of(nx_), size_of(n_)));
  }
  void pad(const VectorView& y) const {
    Kokkos::deep_copy(lower_part(padded_), y);  // its upper part stays 0
  }
  static void scatter(const VectorView& in, const Held& held, const VectorView& out) {
    run_rows("newton_finish::scatter", held.size,
             ScatterAdd{in.data(), held.places.data(), out.data()});
  }
  static void gather(const VectorView& in, const Held& held, const VectorView& out) {
    run_rows("newton_finish::gather", held.size,
             GatherFrom{in.data(), held.places.data(), out.data()});
  }
  /// out += J^T of multipliers of held rows and entries, and of G.
  void add_adjoint(const VectorView& v, const VectorView& of_rows, const VectorView& of_entries,
                   const VectorView& of_G, const VectorView& out) const {
    if (rows_.size > 0) {
      Kokkos::deep_copy(weights_, 0.0);
      scatter(of_rows, rows_, weights_);
      f_.apply_jacobian_adjoint(v, weights_, c_);
      add(c_, 1.0, out);
    }
    scatter(of_entries, entries_, out);
    if (mG_ > 0 && of_G.extent(0) > 0) {
      F_.apply_jacobian_adjoint(v, of_G, c_);
      add(c_, 1.0, out);
    }
  }
  void gather_of_jacobian(const VectorView& v, const VectorView& d, const VectorView& of_rows,
                          const VectorView& of_entries) const {
    if (rows_.size > 0) {
      f_.apply_jacobian(v, d, weights_);
      gather(weights_, rows_, of_rows);
    }
    gather(d, entries_, of_entries);
  }
  /// out += the derivative of the lower Lagrangian's Hessian along (0, p), times d.
  void add_third_derivatives(const VectorView& d, const VectorView& out) const {
    const VectorView v = part(u_, at_v), p = part(u_, at_p);
    const double length = norm_max(Vector(p, Partition(ny_)));
    if (!(length > 0.0)) return;
    const double step =
        third_derivative_step * std::max(1.0, norm_max(Vector(v, Partition(n_)))) / length;
    const VectorView moved = make_view("newton_finish::moved", n_);
    for (const double side : {1.0, -1.0}) {
      Kokkos::deep_copy(moved, v);
      add(p, side * step, lower_part(moved));
      f_.apply_hessian(moved, 1.0, lambda_, d, a_);
      add(a_, side / (2.0 * step), out);
    }
  }
  double size_in(const Vector& out, int begin, int end) const {
    const Index last = end > at_s ? static_cast<Index>(out.local_size()) : first_[end];
    const VectorView entries =
        Kokkos::subview(out.view(), std::pair(size_of(first_[begin]), size_of(last)));
    return entries.extent(0) == 0
               ? 0.0
               : norm_max(Vector(entries, Partition(static_cast<GlobalIndex>(entries.extent(0)))));
  }

  ProgramFunctions& F_;
  ProgramFunctions& f_;
  Index nx_, ny_, n_, mG_, mg_;
  bool is_quadratic_;
  Held rows_, entries_;
  std::array<Index, 7> first_ = {};
  Partition partition_;
  Vector u_;
  VectorView a_, b_, c_, padded_, weights_, lambda_, g_, G_target_;
  double scale_ = 1.0;
};

NewtonFinish::NewtonFinish(const BilevelProgram& problem, std::unique_ptr<LinearSolver> solver)
    : problem_(&problem), solver_(std::move(solver)) {}

NewtonFinish::~NewtonFinish() = default;

bool NewtonFinish::fits(const BilevelProgram& problem) {
  const BilevelParts& p = problem.parts();
  for (std::size_t i = 0; i < p.upper_constraints.size(); ++i)
    if (!p.upper_constraints.is_equality(i)) return false;
  for (std::size_t i = 0; i < p.upper_variables.size(); ++i)
    if (std::isfinite(p.upper_variables.lower[i]) || std::isfinite(p.upper_variables.upper[i]))
      return false;
  for (Index i = 0; i < p.lower->num_constraints(); ++i)
    if (!p.lower->is_linear(i)) return false;
  return true;
}

NewtonFinish::Solution NewtonFinish::solve(const ActiveSet& active, const KktPoint& from,
                                           double aim, double accepted, Monitor& monitor) {
  const auto system = std::make_shared<System>(*problem_, active);
  const Vector u("newton_finish::start", system->row_partition());
  const Vector rhs = u.like("newton_finish::rhs"), step = u.like("newton_finish::step");
  std::vector<double> of_rows, of_entries;
  const std::vector<LowerConstraint> list = lower_constraints(*problem_);
  for (std::size_t k = 0; k < list.size(); ++k)
    if (active[k]) (list[k].is_variable ? of_entries : of_rows).push_back(list[k].sign * from.l[k]);
  const auto put = [](const std::vector<double>& values, const VectorView& view) {
    Kokkos::deep_copy(view,
                      Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  };
  put(from.v, system->part(u, System::at_v));
  put(of_rows, system->part(u, System::at_lambda));
  put(of_entries, system->part(u, System::at_z));
  system->move_to(u);
  double error = system->residual(rhs);
  Solution s;
  for (int k = 0; k < most_steps && error > aim && monitor.poll() == Verdict::proceed; ++k) {
    fill(step, 0.0);
    scale(-1.0, rhs);
    LinearSystem newton(system, rhs, step);
    InnerMonitor inner(monitor);
    const Report report = solver_->solve(newton, inner);
    linear_iterations_ += report.iterations;
    ++steps_;
    copy(system->u(), u);
    double length = 1.0, next = INFINITY;
    for (int h = 0; h < most_halvings; ++h, length *= 0.5) {
      const Vector trial = u.like("newton_finish::trial");
      linear_combination(1.0, u, length, step, trial);
      system->move_to(trial);
      next = system->residual(rhs);
      if (next < error) break;
    }
    if (!(next < error)) {
      system->move_to(u);
      break;
    }
    error = next;
  }
  const auto on_host = [](const VectorView& view) {
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
    return std::vector<double>(host.data(), host.data() + host.extent(0));
  };
  s.v = on_host(system->part(system->u(), System::at_v));
  s.lambda.assign(problem_->lower_multipliers().size(), 0.0);
  s.z.assign(problem_->lower_bound_multipliers().size(), 0.0);
  of_rows = on_host(system->part(system->u(), System::at_lambda));
  of_entries = on_host(system->part(system->u(), System::at_z));
  std::size_t row = 0, entry = 0;
  bool signs_fit = true;
  for (std::size_t k = 0; k < list.size(); ++k) {
    if (!active[k]) continue;
    const double multiplier = list[k].is_variable ? of_entries[entry++] : of_rows[row++];
    (list[k].is_variable ? s.z : s.lambda)[size_of(list[k].row)] += multiplier;
    signs_fit = signs_fit && (list[k].is_equality || list[k].sign * multiplier >= -accepted);
  }
  s.residual = error;
  s.is_solved = error <= accepted && signs_fit;
  return s;
}

}  // namespace lv_hba
