#include "conductivity_functions.hpp"

#include <cmath>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/cell_transfer.hpp>

namespace log_conductivity {

namespace {

struct Axpy {
  double factor;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] += factor * x[i]; }
};
struct Scaled {
  double factor;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] = factor * x[i]; }
};
struct Difference {
  const double *a, *b;
  double* c;
  KOKKOS_FUNCTION void operator()(Index i) const { c[i] = a[i] - b[i]; }
};
template <class Body>
void each(Index n, const Body& body) {
  for_rows(default_space(), "log_conductivity::each", n, body);
  Kokkos::fence("log_conductivity::each");
}

VectorView on_device(const std::vector<double>& values, const char* label) {
  const VectorView v = bare_array<double>(label, values.size());
  Kokkos::deep_copy(v,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

std::vector<double> to_host(const ConstVectorView& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {host.data(), host.data() + host.extent(0)};
}

template <class View>
View part(const View& x, Index begin, Index end) {
  return Kokkos::subview(x, std::make_pair(static_cast<std::size_t>(begin),
                                           static_cast<std::size_t>(end)));
}

}  // namespace

ConductivityFunctions::ConductivityFunctions(const ConductivityData& data)
    : data_(data), A_(make_diffusion()), Q_(A_.grid_partition(), data.points) {
  n_ = A_.num_cells();
  R_ = std::make_unique<StencilOperator>(A_.grid_partition(), regularization());
  const Partition& cells = A_.partition();
  difference_ = Vector("log_conductivity::difference", cells);
  product_ = Vector("log_conductivity::product", cells);
  b_ = on_device(data.sources, "log_conductivity::sources");
  // Of the points those that this rank sees.
  std::vector<double> seen = data.data;
  if (!data.points.empty()) {
    seen.clear();
    for (int s = 0; s < data.num_sources; ++s)
      for (Index k = 0; k < Q_.num_data(); ++k)
        seen.push_back(data.data[static_cast<std::size_t>(s) * data.points.size() +
                                 static_cast<std::size_t>(Q_.number(k))]);
  }
  d_ = on_device(seen, "log_conductivity::data");
  reference_ = zero_array<double>("log_conductivity::reference", static_cast<std::size_t>(n_));
  Kokkos::deep_copy(reference_, data.reference);
  residual_ = zero_array<double>("log_conductivity::residual", seen.size());
  for (VectorView* v : {&block_, &second_block_})
    *v = zero_array<double>("log_conductivity::block", data.sources.size());
  cells_ = zero_array<double>("log_conductivity::cells", static_cast<std::size_t>(n_));
  make_patterns();
}

double ConductivityFunctions::volume() const {
  return std::pow(A_.spacing(), data_.dimension);
}

ConstVectorView ConductivityFunctions::states(const ConstVectorView& x) const {
  return part(x, 0, num_constraints());
}
ConstVectorView ConductivityFunctions::parameter(const ConstVectorView& x) const {
  return part(x, num_constraints(), num_variables());
}
VectorView ConductivityFunctions::states(const VectorView& x) const {
  return part(x, 0, num_constraints());
}
VectorView ConductivityFunctions::parameter(const VectorView& x) const {
  return part(x, num_constraints(), num_variables());
}

double ConductivityFunctions::misfit(const ConstVectorView& y) const {
  Q_.residual(1.0, y, d_.data(), residual_);
  return 0.5 * data_.misfit_weight * data_.communicator.sum(Q_.squares(residual_));
}

void ConductivityFunctions::misfit_gradient(const ConstVectorView& y, const VectorView& g) const {
  Q_.residual(data_.misfit_weight, y, d_.data(), residual_);
  Q_.apply_transpose(data_.num_sources, residual_.data(), g.data());
}

void ConductivityFunctions::misfit_hessian(const ConstVectorView& v, const VectorView& out) const {
  Q_.residual(data_.misfit_weight, v, nullptr, residual_);
  Q_.apply_transpose(data_.num_sources, residual_.data(), out.data());
}

StencilOperator::Constant ConductivityFunctions::regularization() const {
  const double h = A_.spacing(), scale = data_.weight * volume();
  StencilOperator::Constant R;
  for (int a = 0; a < data_.dimension; ++a) R.coupling[a] = scale * data_.gradient_cost / (h * h);
  R.shift = scale * data_.value_cost;
  return R;
}

void ConductivityFunctions::regularize(const ConstVectorView& m) const {
  each(n_, Difference{m.data(), reference_.data(), difference_.data()});
  R_->apply(difference_, product_);
}

double ConductivityFunctions::do_objective(const ConstVectorView& x) {
  regularize(parameter(x));
  return misfit(states(x)) + 0.5 * dot(difference_, product_);
}

void ConductivityFunctions::do_gradient(const ConstVectorView& x, const VectorView& g) {
  misfit_gradient(states(x), states(g));
  regularize(parameter(x));
  Kokkos::deep_copy(parameter(g), product_.view());
}

void ConductivityFunctions::do_constraints(const ConstVectorView& x, const VectorView& c) {
  A_.set_parameter(parameter(x));
  A_.apply(states(x), c);
  each(num_constraints(), Axpy{-1.0, b_.data(), c.data()});
}

void ConductivityFunctions::do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                              const VectorView& y) {
  A_.set_parameter(parameter(x));
  A_.apply(states(v), y);
  A_.apply_derivative(parameter(v), states(x), block_);
  each(num_constraints(), Axpy{1.0, block_.data(), y.data()});
}

void ConductivityFunctions::do_apply_jacobian_adjoint(const ConstVectorView& x,
                                                      const ConstVectorView& w,
                                                      const VectorView& y) {
  A_.set_parameter(parameter(x));
  A_.apply(w, states(y));
  A_.gradient(states(x), w, parameter(y));
}

void ConductivityFunctions::do_apply_hessian(const ConstVectorView& x, double sigma,
                                             const ConstVectorView& lambda,
                                             const ConstVectorView& v, const VectorView& y) {
  A_.set_parameter(parameter(x));
  const VectorView in_states = states(y), in_parameter = parameter(y);
  // States: sigma Q^T w Q v_y + (dA v_m) lambda.
  misfit_hessian(states(v), block_);
  A_.apply_derivative(parameter(v), lambda, in_states);
  each(num_constraints(), Axpy{sigma, block_.data(), in_states.data()});
  // Parameter: sigma R v_m + d(lambda^T A v_y)/dm + d^2(lambda^T A y)/dm^2 v_m.
  Kokkos::deep_copy(difference_.view(), parameter(v));
  R_->apply(difference_, product_);
  each(n_, Scaled{sigma, product_.data(), in_parameter.data()});
  A_.gradient(states(v), lambda, cells_);
  each(n_, Axpy{1.0, cells_.data(), in_parameter.data()});
  A_.second_derivative(parameter(v), states(x), lambda, cells_);
  each(n_, Axpy{1.0, cells_.data(), in_parameter.data()});
}

std::shared_ptr<const ParameterEstimation> ConductivityFunctions::coarse() const {
  if (data_.cells % 2 != 0 || data_.cells < 8) return nullptr;
  ConductivityData c = data_;
  c.cells = data_.cells / 2;
  const LogDiffusion coarse_A(c.dimension, c.cells, c.walls, c.communicator);
  const CellTransfer transfer(A_.grid_partition(), coarse_A.grid_partition());
  const auto averages = [&](const VectorView& fine, int functions) {
    const Vector coarse("log_conductivity::coarse", coarse_A.block_partition(functions));
    transfer.average(functions, fine, coarse.view());
    return to_host(coarse.view());
  };
  c.sources = averages(b_, data_.num_sources);
  const double children = 1 << data_.dimension;
  if (data_.points.empty()) {
    c.data = averages(d_, data_.num_sources);
    c.misfit_weight *= children;  // of as many cells as they stand for
  }
  c.truth.clear();
  return std::make_shared<ConductivityFunctions>(c);
}

std::vector<Field> ConductivityFunctions::fields(const ConstVectorView& x,
                                                 const ConstVectorView& lambda) const {
  const auto field = [&](const char* name, const ConstVectorView& values, const char* text) {
    Field f;
    f.name = name;
    f.values = Vector(name, A_.partition());
    Kokkos::deep_copy(f.values.view(), values);
    f.description = text;
    f.grid = A_.grid();
    f.box = A_.grid_partition().own();
    return f;
  };
  return {field("parameter", parameter(x), "m, the logarithm of the conductivity"),
          field("state", part(x, 0, n_), "y of the first source"),
          field("adjoint", part(lambda, 0, n_), "lambda of the first source, A lambda = -w Q^T (Q y - d)")};
}

std::vector<Field> ConductivityFunctions::data_fields() const {
  if (data_.truth.empty()) return {};
  Field f;
  f.name = "true_parameter";
  f.values = Vector(on_device(data_.truth, "log_conductivity::truth"), A_.partition());
  f.description = "m that the data are from";
  f.grid = A_.grid();
  f.box = A_.grid_partition().own();
  return {f};
}

}  // namespace log_conductivity
