#include <libsolve/core/errors.hpp>

#include "conductivity_functions.hpp"

namespace log_conductivity {

namespace {

/// Beyond this many entries of the Jacobian there are only products.
constexpr double most_entries = 4e6;

std::vector<double> to_host(const ConstVectorView& v) {
  std::vector<double> values(v.extent(0));
  Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(values.data(), values.size()), v);
  return values;
}

struct Collect {
  SparsePattern& pattern;
  void operator()(Index row, Index column, double) const {
    pattern.rows.push_back(row);
    pattern.columns.push_back(column);
  }
};
struct Store {
  std::vector<double>& values;
  void operator()(Index, Index, double value) const { values.push_back(value); }
};

void to_device(const std::vector<double>& values, const VectorView& out) {
  Kokkos::deep_copy(out,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
}

}  // namespace

template <class Put>
void ConductivityFunctions::visit_jacobian(const double* x, const Put& put) const {
  const double h = A_.spacing(), scale = 1.0 / (h * h);
  const bool fixed = data_.walls == LogDiffusion::Walls::fixed;
  const Index m0 = num_constraints();
  const double* m = x + m0;
  for (Index s = 0; s < data_.num_sources; ++s) {
    const Index first = s * n_;
    const double* y = x + first;
    for (Index i = 0; i < n_; ++i) {
      const CellNeighbours::Around around = A_.neighbours()(i);
      const double Ei = std::exp(-m[i]);
      const double wall = fixed ? 2.0 * scale * around.walls / Ei : 0.0;
      put(first + i, first + i, wall);
      put(first + i, m0 + i, wall * y[i]);
      for (int f = 0; f < around.count; ++f) {
        const Index j = around.cell[f];
        const FaceConductivity k(Ei, std::exp(-m[j]));
        put(first + i, first + i, scale * k.k);
        put(first + i, first + j, -scale * k.k);
        put(first + i, m0 + i, scale * k.i * (y[i] - y[j]));
        put(first + i, m0 + j, scale * k.j * (y[i] - y[j]));
      }
      if (!fixed)
        for (Index j = 0; j < n_; ++j) put(first + i, first + j, 1.0 / n_);
    }
  }
}

template <class Put>
void ConductivityFunctions::visit_hessian(const double* x, double sigma, const double* lambda,
                                          const Put& put) const {
  const double h = A_.spacing(), scale = 1.0 / (h * h);
  const bool fixed = data_.walls == LogDiffusion::Walls::fixed;
  const Index m0 = num_constraints();
  const double* m = x + m0;
  const StencilOperator::Constant R = regularization();
  for (Index s = 0; s < data_.num_sources; ++s)
    for (Index k = 0; k < Q_.num_data(); ++k)
      for (const auto& a : Q_.row(k))
        for (const auto& b : Q_.row(k))
          if (a.column >= b.column)
            put(s * n_ + a.column, s * n_ + b.column,
                sigma * data_.misfit_weight * a.value * b.value);
  for (Index i = 0; i < n_; ++i) {
    const CellNeighbours::Around around = A_.neighbours()(i);
    const double Ei = std::exp(-m[i]);
    const double wall = fixed ? 2.0 * scale * around.walls / Ei : 0.0;
    put(m0 + i, m0 + i, sigma * R.shift);
    for (int f = 0; f < around.count; ++f) {
      put(m0 + i, m0 + i, sigma * R.coupling[0]);
      if (around.cell[f] < i) put(m0 + i, m0 + around.cell[f], -sigma * R.coupling[0]);
    }
    for (Index s = 0; s < data_.num_sources; ++s) {
      const Index first = s * n_;
      const double *y = x + first, *p = lambda + first;
      put(m0 + i, first + i, wall * p[i]);
      put(m0 + i, m0 + i, wall * y[i] * p[i]);
      for (int f = 0; f < around.count; ++f) {
        const Index j = around.cell[f];
        const FaceConductivity k(Ei, std::exp(-m[j]));
        const double dp = scale * (p[i] - p[j]), dy = y[i] - y[j];
        put(m0 + i, first + i, k.i * dp);
        put(m0 + i, first + j, -k.i * dp);
        put(m0 + i, m0 + i, k.ii * dy * dp);
        if (j < i) put(m0 + i, m0 + j, k.ij * dy * dp);
      }
    }
  }
}

void ConductivityFunctions::make_patterns() {
  if (data_.communicator.size() > 1) return;
  const double a_row =
      4.0 * (2.0 * data_.dimension + 1.0) + (data_.walls == LogDiffusion::Walls::fixed ? 0.0 : n_);
  if (a_row * num_constraints() > most_entries) return;
  const std::vector<double> x(static_cast<std::size_t>(num_variables()), 0.0);
  visit_jacobian(x.data(), Collect{jacobian_});
  visit_hessian(x.data(), 1.0, x.data(), Collect{hessian_});
}

void ConductivityFunctions::do_jacobian(const ConstVectorView& x, const VectorView& values) {
  if (!has_entries()) throw Unsupported("log-conductivity: too large for entries of the Jacobian");
  std::vector<double> entries;
  entries.reserve(jacobian_.size());
  visit_jacobian(to_host(x).data(), Store{entries});
  to_device(entries, values);
}

void ConductivityFunctions::do_hessian(const ConstVectorView& x, double sigma,
                                       const ConstVectorView& lambda, const VectorView& values) {
  if (!has_entries()) throw Unsupported("log-conductivity: too large for entries of the Hessian");
  std::vector<double> entries;
  entries.reserve(hessian_.size());
  visit_hessian(to_host(x).data(), sigma, to_host(lambda).data(), Store{entries});
  to_device(entries, values);
}

}  // namespace log_conductivity
