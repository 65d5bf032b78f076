#include "transport_operator.hpp"

#include <libsolve/core/vector_kernels.hpp>

namespace advection {

namespace {

struct Transport {
  Torus torus;
  double dt;
  const double *u, *x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index c) const {
    y[c] = x[c] + dt * torus.divergence(u, x, c);
  }
};

struct TransposedTransport {
  Torus torus;
  double dt;
  const double *u, *x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index c) const {
    y[c] = x[c] + dt * (u[c] * torus.minus_dx(x, c) + u[torus.cells() + c] * torus.minus_dy(x, c));
  }
};

}  // namespace

void TransportOperator::product(const Vector& x, const Vector& y, bool transposed) const {
  if (transposed)
    for_rows(default_space(), "advection::transposed", torus_.cells(),
             TransposedTransport{torus_, dt_, u_, x.data(), y.data()});
  else
    for_rows(default_space(), "advection::transport", torus_.cells(),
             Transport{torus_, dt_, u_, x.data(), y.data()});
  Kokkos::fence("advection::transport");
}

void TransportOperator::apply(const Vector& x, const Vector& y) const {
  product(x, y, is_transposed_);
}

void TransportOperator::apply_adjoint(const Vector& x, const Vector& y) const {
  product(x, y, !is_transposed_);
}

bool TransportOperator::diagonal(const Vector& d) const {
  fill(d, 1.0);
  return true;
}

std::string TransportOperator::description() const {
  return std::string(is_transposed_ ? "transposed " : "") + "implicit step of transport, " +
         std::to_string(torus_.n) + " x " + std::to_string(torus_.n) + " cells, periodic";
}

}  // namespace advection
