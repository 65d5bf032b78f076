#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/reduced_evolution.hpp>

namespace libsolve {

namespace {

/// Up to here the dense Hessian is offered.
constexpr Index most_variables_with_entries = 400;

}  // namespace

ReducedEvolution::ReducedEvolution(std::shared_ptr<Evolution> evolution,
                                   const CheckpointChoice& checkpoints)
    : sweeps_(std::make_unique<EvolutionAdjoint>(std::move(evolution), checkpoints)),
      m_("pde::reduced_evolution", sweeps_->evolution().parameter_partition()),
      q_(m_.like("pde::reduced_evolution")) {
  const Index n = num_variables();
  if (communicator().size() > 1 || n > most_variables_with_entries) return;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j <= i; ++j) {
      hessian_.rows.push_back(i);
      hessian_.columns.push_back(j);
    }
}

ReducedEvolution::~ReducedEvolution() = default;

Index ReducedEvolution::num_variables() const {
  return m_.local_size();
}

Communicator ReducedEvolution::communicator() const {
  return m_.communicator();
}

std::shared_ptr<const InnerProduct> ReducedEvolution::variable_product() const {
  return evolution().parameter_inner_product();
}

std::vector<Field> ReducedEvolution::fields(const ConstVectorView& x,
                                            const ConstVectorView&) const {
  const Vector m = m_.like("pde::shown_parameter");
  Kokkos::deep_copy(m.view(), x);
  const EvolutionAdjoint::Shown shown = sweeps_->show(m, evolution().shown_steps());
  return evolution().fields(shown.states, shown.adjoints, m);
}

std::vector<Field> ReducedEvolution::data_fields() const {
  return evolution().data_fields();
}

double ReducedEvolution::do_objective(const ConstVectorView& x) {
  Kokkos::deep_copy(m_.view(), x);
  return sweeps_->value(m_);
}

void ReducedEvolution::do_gradient(const ConstVectorView& x, const VectorView& g) {
  Kokkos::deep_copy(m_.view(), x);
  sweeps_->gradient(m_, Vector(g, m_.partition()));
}

void ReducedEvolution::do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                                 const VectorView& y) {
  fill(Vector(y, m_.partition()), 0.0);
}

void ReducedEvolution::do_apply_hessian(const ConstVectorView& x, double sigma,
                                        const ConstVectorView&, const ConstVectorView& v,
                                        const VectorView& y) {
  Kokkos::deep_copy(m_.view(), x);
  Kokkos::deep_copy(q_.view(), v);
  const Vector out(y, m_.partition());
  sweeps_->hessian(m_, q_, out);
  scale(sigma, out);
}

void ReducedEvolution::do_hessian(const ConstVectorView& x, double sigma,
                                  const ConstVectorView& lambda, const VectorView& values) {
  std::vector<double> lower = constant_hessian_;
  if (lower.empty()) {
    const auto n = static_cast<std::size_t>(num_variables());
    const VectorView unit("pde::unit", n), column("pde::column", n);
    const auto unit_host = Kokkos::create_mirror_view(unit);
    std::vector<double> dense;
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = 0; i < n; ++i) unit_host(i) = i == j ? 1.0 : 0.0;
      Kokkos::deep_copy(unit, unit_host);
      do_apply_hessian(x, 1.0, lambda, unit, column);
      const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), column);
      dense.insert(dense.end(), host.data(), host.data() + n);
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        lower.push_back(0.5 * (dense[i * n + j] + dense[j * n + i]));
    if (sweeps_->has_constant_hessian()) constant_hessian_ = lower;
  }
  for (double& h : lower) h *= sigma;
  Kokkos::deep_copy(values, Kokkos::View<const double*, Kokkos::HostSpace>(lower.data(),
                                                                           lower.size()));
}

}  // namespace libsolve
