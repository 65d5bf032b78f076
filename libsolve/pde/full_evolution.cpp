#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/full_evolution.hpp>

namespace libsolve {

namespace {

/// Up to here entries are offered: finding where they are takes four products for each variable.
constexpr Index most_variables_with_entries = 6000;

Vector copy_of(const ConstVectorView& x, const Vector& into) {
  Kokkos::deep_copy(into.view(), x);
  return into;
}

}  // namespace

/// y_1, ..., y_N and m of a vector (or c_1, ..., c_N of one without m).
class FullEvolution::Parts {
 public:
  Parts(const FullEvolution& owner, const VectorView& all) : owner_(owner), all_(all) {}
  Parts(const FullEvolution& owner, const Vector& all) : Parts(owner, all.view()) {}
  Vector state(int n) const {
    return part((n - 1) * owner_.state_size_, owner_.evolution_->state_partition());
  }
  /// y_{n-1}, or `first` for n = 1.
  Vector before(int n, const Vector& first) const { return n == 1 ? first : state(n - 1); }
  Vector parameter() const {
    return part(owner_.num_steps_ * owner_.state_size_, owner_.evolution_->parameter_partition());
  }

 private:
  Vector part(Index begin, const Partition& partition) const {
    return Vector(VectorView(Kokkos::subview(
                      all_, std::make_pair(begin, begin + partition.local_size()))),
                  partition);
  }
  const FullEvolution& owner_;
  VectorView all_;
};

struct FullEvolution::Entries {
  ProbedEntries jacobian, hessian;
  SparsePattern jacobian_pattern, hessian_pattern;
};

FullEvolution::FullEvolution(std::shared_ptr<Evolution> evolution)
    : evolution_(std::move(evolution)),
      num_steps_(evolution_->num_steps()),
      state_size_(evolution_->state_partition().local_size()),
      parameter_size_(evolution_->parameter_partition().local_size()),
      y0_("pde::full_evolution", evolution_->state_partition()),
      zero_(y0_.like("pde::full_evolution")),
      work_(y0_.like("pde::full_evolution")) {
  const Communicator comm = communicator();
  const Partition all = comm.size() == 1 ? Partition(num_variables())
                                         : Partition(comm, num_variables());
  x_ = Vector("pde::full_evolution", all);
  v_ = x_.like("pde::full_evolution");
  evolution_->initial_state(y0_);
}

FullEvolution::~FullEvolution() = default;

Communicator FullEvolution::communicator() const {
  return evolution_->state_partition().communicator();
}

Vector FullEvolution::with_states_of(const Vector& m) {
  const Vector x = x_.like("pde::full_evolution");
  const Parts parts(*this, x);
  copy(m, parts.parameter());
  for (int n = 1; n <= num_steps_; ++n) {
    const Vector before = parts.before(n, y0_), y = parts.state(n);
    copy(before, y);
    evolution_->solve_step(n, before, m, y);
  }
  return x;
}

double FullEvolution::do_objective(const ConstVectorView& x) {
  const Parts at(*this, copy_of(x, x_));
  const Vector m = at.parameter();
  double sum = evolution_->parameter_cost(m);
  for (int n = 1; n <= num_steps_; ++n)
    if (evolution_->has_step_cost(n)) sum += evolution_->step_cost(n, at.state(n), m);
  return sum;
}

void FullEvolution::do_gradient(const ConstVectorView& x, const VectorView& g) {
  const Parts at(*this, copy_of(x, x_)), out(*this, g);
  const Vector m = at.parameter(), out_m = out.parameter();
  Kokkos::deep_copy(g, 0.0);
  for (int n = 1; n <= num_steps_; ++n)
    if (evolution_->has_step_cost(n))
      evolution_->step_cost_gradient(n, at.state(n), m, out.state(n), out_m);
  evolution_->add_parameter_cost_gradient(m, out_m);
}

void FullEvolution::do_constraints(const ConstVectorView& x, const VectorView& c) {
  const Parts at(*this, copy_of(x, x_)), out(*this, c);
  const Vector m = at.parameter();
  for (int n = 1; n <= num_steps_; ++n) {
    const Vector before = at.before(n, y0_), y = at.state(n);
    evolution_->residual(n, {before, y, m}, out.state(n));
  }
}

void FullEvolution::do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                      const VectorView& y) {
  const Parts at(*this, copy_of(x, x_)), along(*this, copy_of(v, v_)), out(*this, y);
  const Vector m = at.parameter(), q = along.parameter();
  for (int n = 1; n <= num_steps_; ++n) {
    const Vector before = at.before(n, y0_), state = at.state(n), c = out.state(n);
    const Evolution::Point point{before, state, m};
    evolution_->apply_state(n, point, along.state(n), c);
    if (n > 1) {
      evolution_->apply_before(n, point, along.state(n - 1), work_);
      axpy(1.0, work_, c);
    }
    evolution_->apply_parameter(n, point, q, work_);
    axpy(1.0, work_, c);
  }
}

void FullEvolution::do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                              const VectorView& y) {
  const Parts at(*this, copy_of(x, x_)), out(*this, y);
  const auto constraints = std::make_pair(Index{0}, num_constraints());
  Kokkos::deep_copy(Kokkos::subview(v_.view(), constraints), w);
  const Parts multipliers(*this, v_);
  const Vector m = at.parameter(), out_m = out.parameter();
  fill(out_m, 0.0);
  for (int n = 1; n <= num_steps_; ++n) {
    const Vector before = at.before(n, y0_), state = at.state(n), p = multipliers.state(n);
    const Evolution::Point point{before, state, m};
    evolution_->apply_state_adjoint(n, point, p, out.state(n));
    if (n > 1) {
      evolution_->apply_before_adjoint(n, point, p, work_);
      axpy(1.0, work_, out.state(n - 1));
    }
    evolution_->add_parameter_adjoint(n, point, p, out_m);
  }
}

void FullEvolution::do_apply_hessian(const ConstVectorView& x, double sigma,
                                     const ConstVectorView& lambda, const ConstVectorView& v,
                                     const VectorView& y) {
  const Parts at(*this, copy_of(x, x_)), along(*this, copy_of(v, v_)), out(*this, y);
  const Vector m = at.parameter(), q = along.parameter(), out_m = out.parameter();
  Kokkos::deep_copy(y, 0.0);
  evolution_->add_parameter_cost_hessian(m, q, out_m);
  for (int n = 1; n <= num_steps_; ++n)
    if (evolution_->has_step_cost(n))
      evolution_->step_cost_hessian(n, at.state(n), m, along.state(n), q, out.state(n), out_m);
  scale(sigma, Vector(y, x_.partition()));
  if (evolution_->is_linear()) return;
  const Vector p = work_.like("pde::multiplier");
  for (int n = 1; n <= num_steps_; ++n) {
    const auto begin = (n - 1) * state_size_;
    Kokkos::deep_copy(p.view(),
                      Kokkos::subview(lambda, std::make_pair(begin, begin + state_size_)));
    const Vector before = at.before(n, y0_), state = at.state(n);
    const Vector v_before = along.before(n, zero_), v_state = along.state(n);
    const Vector out_before = out.before(n, work_), out_state = out.state(n);
    evolution_->add_second_derivative(n, {before, state, m}, p, {v_before, v_state, q},
                                      {out_before, out_state, out_m});
  }
}

bool FullEvolution::has_entries() const {
  return communicator().size() == 1 && num_variables() <= most_variables_with_entries;
}

const FullEvolution::Entries& FullEvolution::entries() const {
  if (entries_) return *entries_;
  // Products do not change what is seen from outside.
  auto& functions = const_cast<FullEvolution&>(*this);
  using Product = ProbedEntries::Product;
  std::vector<Product> jacobian, hessian;
  for (const std::uint64_t seed : {1, 2}) {
    const Vector x = x_.like("pde::probe");
    const Vector lambda("pde::probe", Partition(num_constraints()));
    fill_uniform(x, RandomStream(seed, "full_evolution::x"));
    fill_uniform(lambda, RandomStream(seed, "full_evolution::lambda"));
    jacobian.emplace_back([&functions, x](const ConstVectorView& v, const VectorView& out) {
      functions.do_apply_jacobian(x.view(), v, out);
    });
    hessian.emplace_back([&functions, x, lambda](const ConstVectorView& v, const VectorView& out) {
      functions.do_apply_hessian(x.view(), 1.0, lambda.view(), v, out);
    });
    if (evolution_->is_linear() && evolution_->has_quadratic_costs()) break;
  }
  ProbedEntries J(num_constraints(), num_variables(), jacobian);
  ProbedEntries W(num_variables(), num_variables(), hessian);
  SparsePattern J_pattern = J.pattern(false), W_pattern = W.pattern(true);
  entries_ = std::make_unique<Entries>(Entries{std::move(J), std::move(W), std::move(J_pattern),
                                               std::move(W_pattern)});
  return *entries_;
}

const SparsePattern& FullEvolution::jacobian_pattern() const {
  return has_entries() ? entries().jacobian_pattern : ProgramFunctions::jacobian_pattern();
}

const SparsePattern& FullEvolution::hessian_pattern() const {
  return has_entries() ? entries().hessian_pattern : ProgramFunctions::hessian_pattern();
}

void FullEvolution::do_jacobian(const ConstVectorView& x, const VectorView& values) {
  entries().jacobian.values(
      [&](const ConstVectorView& v, const VectorView& out) { do_apply_jacobian(x, v, out); }, false,
      values);
}

void FullEvolution::do_hessian(const ConstVectorView& x, double sigma,
                               const ConstVectorView& lambda, const VectorView& values) {
  entries().hessian.values(
      [&](const ConstVectorView& v, const VectorView& out) {
        do_apply_hessian(x, sigma, lambda, v, out);
      },
      true, values);
}

std::vector<Field> FullEvolution::fields(const ConstVectorView& x,
                                         const ConstVectorView& lambda) const {
  const Parts at(*this, copy_of(x, x_.like("pde::shown")));
  const Vector multipliers = x_.like("pde::shown");
  const auto constraints = std::make_pair(Index{0}, num_constraints());
  if (lambda.extent(0) > 0)
    Kokkos::deep_copy(Kokkos::subview(multipliers.view(), constraints), lambda);
  const Parts adjoint(*this, multipliers);
  std::vector<Vector> states, adjoints;
  for (const int n : evolution_->shown_steps()) {
    states.push_back(n == 0 ? y0_ : at.state(n));
    adjoints.push_back(n == 0 ? Vector() : adjoint.state(n));
  }
  return evolution_->fields(states, adjoints, at.parameter());
}

std::vector<Field> FullEvolution::data_fields() const {
  return evolution_->data_fields();
}

namespace {

/// The inner products of states and parameters, block by block.
class BlockProduct final : public InnerProduct {
 public:
  BlockProduct(const Evolution& evolution, const Partition& all)
      : all_(all),
        state_(evolution.state_partition()),
        parameter_(evolution.parameter_partition()),
        num_steps_(evolution.num_steps()),
        state_product_(evolution.state_inner_product()),
        parameter_product_(evolution.parameter_inner_product()) {}
  bool is_euclidean() const { return !state_product_ && !parameter_product_; }
  const Partition& partition() const override { return all_; }
  void apply(const Vector& x, const Vector& y) const override {
    visit(x, y, [](const InnerProduct& M, const Vector& a, const Vector& b) { M.apply(a, b); });
  }
  void riesz(const Vector& g, const Vector& z) const override {
    visit(g, z, [](const InnerProduct& M, const Vector& a, const Vector& b) { M.riesz(a, b); });
  }

 private:
  template <class Visit>
  void visit(const Vector& x, const Vector& y, const Visit& visit) const {
    for (int n = 0; n <= num_steps_; ++n) {
      const Partition& one = n < num_steps_ ? state_ : parameter_;
      const auto& product = n < num_steps_ ? state_product_ : parameter_product_;
      const Index begin = n * state_.local_size();
      const auto range = std::make_pair(begin, begin + one.local_size());
      const Vector from(VectorView(Kokkos::subview(x.view(), range)), one);
      const Vector to(VectorView(Kokkos::subview(y.view(), range)), one);
      if (product)
        visit(*product, from, to);
      else
        copy(from, to);
    }
  }
  Partition all_, state_, parameter_;
  int num_steps_;
  std::shared_ptr<const InnerProduct> state_product_, parameter_product_;
};

}  // namespace

std::shared_ptr<const InnerProduct> FullEvolution::variable_product() const {
  auto product = std::make_shared<BlockProduct>(*evolution_, x_.partition());
  return product->is_euclidean() ? nullptr : product;
}

}  // namespace libsolve
