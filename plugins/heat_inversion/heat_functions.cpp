#include "heat_functions.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/scaled_product.hpp>
#include <libsolve/pde/inner_nodes.hpp>
#include <libsolve/pde/reaction_diffusion.hpp>

namespace heat_inversion {

namespace {

/// Up to here the dense Hessian is offered.
constexpr Index most_nodes_with_entries = 400;

}  // namespace

/// Adds the systems solved during its life to the functions' counts; adjoints that belong to a product
/// with the Hessian are incremental.
class HeatFunctions::Counted {
 public:
  explicit Counted(HeatFunctions& functions, bool is_product = false)
      : functions_(functions), is_product_(is_product), before_(functions.steps()) {}
  ~Counted() {
    const SolveCounts now = functions_.steps();
    const std::int64_t steps = now.state - before_.state;
    functions_.counts_.state += steps == 0 ? functions_.unclaimed_ : steps;
    functions_.unclaimed_ = 0;
    (is_product_ ? functions_.counts_.incremental : functions_.counts_.adjoint) +=
        now.adjoint - before_.adjoint;
    functions_.counts_.incremental += now.incremental - before_.incremental;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  HeatFunctions& functions_;
  bool is_product_;
  SolveCounts before_;
};

HeatFunctions::HeatFunctions(const Data& data)
    : parts_(data.parts),
      n_(parts_.partition().local_size()),
      weight_(data.weight),
      value_cost_(data.value_cost),
      gradient_cost_(data.gradient_cost),
      A_(node_diffusion(parts_, 0.0, 1.0)),
      reaction_(data.reaction) {
  if (data.make_integrator) {
    auto made = std::make_unique<IntegratedFlow>(std::make_shared<ReactionDiffusion>(A_, reaction_),
                                                 data.final_time, data.make_integrator);
    integrated_ = made.get();
    flow_ = std::move(made);
  } else {
    const double dt = data.final_time / data.steps;
    scheme_ = std::make_shared<ThetaScheme>(A_, node_diffusion(parts_, 1.0, data.theta * dt),
                                            data.solver, data.theta, dt, data.steps, reaction_);
    flow_ = std::make_unique<TimeAdjoint>(scheme_, data.checkpoints, data.slots, data.make_store);
  }
  for (Vector* v : {&d_, &m_, &v_, &p_, &w_, &product_})
    *v = Vector("heat_inversion::vector", parts_.partition());
  if (parts_.communicator().size() > 1 || n_ > most_nodes_with_entries) return;
  for (Index i = 0; i < n_; ++i)
    for (Index j = 0; j <= i; ++j) {
      hessian_.rows.push_back(i);
      hessian_.columns.push_back(j);
    }
}

SolveCounts HeatFunctions::steps() const {
  if (integrated_ != nullptr)
    return {integrated_->forward_counts().steps, integrated_->adjoint_counts().steps,
            integrated_->tangent_counts().steps};
  return {scheme_->counts().state, scheme_->counts().adjoint, scheme_->counts().incremental};
}

std::vector<Measure> HeatFunctions::work_counts() const {
  if (integrated_ == nullptr) return scheme_->step_solver().work_counts();
  IntegrationCounts all = integrated_->forward_counts();
  all += integrated_->adjoint_counts();
  all += integrated_->tangent_counts();
  const auto measure = [](const char* name, std::int64_t value) {
    return Measure{name, static_cast<double>(value)};
  };
  return {measure("integrator_runs", all.runs),
          measure("rate_evaluations", all.rate_evaluations),
          measure("newton_iterations", all.newton_iterations),
          measure("linear_iterations", all.linear_iterations),
          measure("linear_setups", all.linear_setups),
          measure("failed_runs", all.failures)};
}

std::string HeatFunctions::fault() const {
  return integrated_ == nullptr ? scheme_->step_solver().fault() : integrated_->reason();
}

const ThetaScheme& HeatFunctions::scheme() const {
  if (scheme_ == nullptr) throw Unsupported("an integrator runs in place of the theta scheme");
  return *scheme_;
}

const TimeAdjoint& HeatFunctions::time_adjoint() const {
  (void)scheme();
  return dynamic_cast<const TimeAdjoint&>(*flow_);
}

Vector HeatFunctions::simulate(const Vector& m) {
  const Vector last = m.like("heat_inversion::last");
  copy(flow_->forward(m), last);
  return last;
}

void HeatFunctions::set_data(const Vector& d) {
  copy(d, d_);
}

std::shared_ptr<const InnerProduct> HeatFunctions::variable_product() const {
  return std::make_shared<ScaledProduct>(parts_.partition(), weight_);
}

Field HeatFunctions::field(const char* name, const Vector& values, const char* text) const {
  Field f;
  f.name = name;
  f.values = values;
  f.description = text;
  f.grid = parts_.grid();
  f.box = parts_.own();
  return f;
}

std::vector<Field> HeatFunctions::fields(const ConstVectorView& x, const ConstVectorView&) const {
  const Vector m = in(x, d_.like("heat_inversion::initial")), last = m.like("heat_inversion::final");
  const std::int64_t before = steps().state;
  copy(flow_->forward(m), last);
  if (const std::int64_t taken = steps().state - before; taken > 0) unclaimed_ = taken;
  return {field("initial", m, "u(0) = m at the inner nodes, as cells around them"),
          field("final", last, "u(T)")};
}

std::vector<Field> HeatFunctions::data_fields() const {
  std::vector<Field> all = {field("data", d_, "d, what u(T) should be")};
  if (truth_.data() != nullptr)
    all.push_back(field("true_initial", truth_, "what the data were made from"));
  return all;
}

Vector HeatFunctions::in(const ConstVectorView& x, const Vector& copied) const {
  Kokkos::deep_copy(copied.view(), x);
  return copied;
}

void HeatFunctions::add_regularization(const Vector& m, const Vector& g) {
  axpy(weight_ * value_cost_, m, g);
  if (gradient_cost_ == 0.0) return;
  A_->apply(m, product_);
  axpy(weight_ * gradient_cost_, product_, g);
}

double HeatFunctions::do_objective(const ConstVectorView& x) {
  const Counted counted(*this);
  const Vector m = in(x, m_);
  linear_combination(1.0, flow_->forward(m), -1.0, d_, p_);
  double twice = dot(p_, p_) + value_cost_ * dot(m, m);
  if (gradient_cost_ != 0.0) twice += gradient_cost_ * A_->apply_dot(m, product_);
  return 0.5 * weight_ * twice;
}

void HeatFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  const Counted counted(*this);
  const Vector m = in(x, m_), out(g, parts_.partition());
  linear_combination(weight_, flow_->forward(m), -weight_, d_, out);
  flow_->backward(out);
  add_regularization(m, out);
}

void HeatFunctions::do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                              const VectorView& y) {
  fill(Vector(y, parts_.partition()), 0.0);
}

void HeatFunctions::do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView&,
                                     const ConstVectorView& v, const VectorView& y) {
  const Counted counted(*this, true);
  const Vector m = in(x, m_), direction = in(v, v_), out(y, parts_.partition());
  axpby(weight_, flow_->forward_tangent(m, direction), 0.0, out);
  if (!is_linear())
    linear_combination(weight_, flow_->state_beside_tangent(), -weight_, d_, p_);
  flow_->second_backward(p_, out);
  add_regularization(direction, out);
  scale(sigma, out);
}

void HeatFunctions::do_hessian(const ConstVectorView& x, double sigma,
                               const ConstVectorView& lambda, const VectorView& values) {
  const auto n = static_cast<std::size_t>(n_);
  std::vector<double> lower;
  if (constant_hessian_.empty()) {
    const VectorView unit("heat_inversion::unit", n), column("heat_inversion::column", n);
    const auto unit_host = Kokkos::create_mirror_view(unit);
    std::vector<double> dense;
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i < n; ++i) unit_host(i) = i == j ? 1.0 : 0.0;
      Kokkos::deep_copy(unit, unit_host);
      do_apply_hessian(x, 1.0, lambda, unit, column);
      const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), column);
      for (std::size_t i = 0; i < n; ++i) dense.push_back(host(i));
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        lower.push_back(0.5 * (dense[i * n + j] + dense[j * n + i]));
    if (is_linear()) constant_hessian_ = lower;
  } else {
    lower = constant_hessian_;
  }
  for (double& h : lower) h *= sigma;
  Kokkos::deep_copy(values, Kokkos::View<const double*, Kokkos::HostSpace>(lower.data(),
                                                                           lower.size()));
}

}  // namespace heat_inversion
