#include <cmath>
#include <libsolve/core/detail/vector_kernels.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace libsolve {

namespace {

/// All vectors of one call have the shape of the first. Checked in debug builds only: a mismatch is
/// a mistake in the calling method, and these calls are the inner loop.
template <class... Vectors>
void check_shapes([[maybe_unused]] const char* kernel, [[maybe_unused]] const Vector& first,
                  [[maybe_unused]] const Vectors&... others) {
#ifndef NDEBUG
  const auto check = [&](const Vector& v) {
    if (!(v.partition() == first.partition()))
      throw ShapeError(std::string(kernel) + " was given vectors of different shape: " +
                       std::to_string(first.global_size()) + " and " +
                       std::to_string(v.global_size()) + " rows (" +
                       std::to_string(first.local_size()) + " and " +
                       std::to_string(v.local_size()) + " on this rank)");
  };
  (check(others), ...);
#endif
}

}  // namespace

double dot(const Vector& x, const Vector& y) {
  check_shapes("dot", x, y);
  const auto sums = reduce_rows<Sums<1>>(default_space(), "libsolve::dot", x.local_size(),
                                         detail::DotBody{x.data(), y.data()});
  return x.communicator().sum(sums.value[0]);
}

double norm2(const Vector& x) {
  return std::sqrt(dot(x, x));
}

double norm_max(const Vector& x) {
  const auto local = reduce_rows<MaxAndSum>(default_space(), "libsolve::norm_max", x.local_size(),
                                            detail::MaxNormBody{x.data()});
  double over_ranks[2] = {local.value[0], local.value[1] > 0.0 ? 1.0 : 0.0};
  x.communicator().max(over_ranks);
  return over_ranks[1] > 0.0 ? std::numeric_limits<double>::quiet_NaN() : over_ranks[0];
}

DotPair dot2(const Vector& x, const Vector& y, const Vector& z) {
  check_shapes("dot2", x, y, z);
  const auto sums = reduce_rows<Sums<2>>(default_space(), "libsolve::dot2", x.local_size(),
                                         detail::Dot2Body{x.data(), y.data(), z.data()});
  double over_ranks[2] = {sums.value[0], sums.value[1]};
  x.communicator().sum(over_ranks);
  return {over_ranks[0], over_ranks[1]};
}

void fill(const Vector& x, double value) {
  for_rows(default_space(), "libsolve::fill", x.local_size(), detail::FillBody{value, x.data()});
}

void copy(const Vector& x, const Vector& y) {
  check_shapes("copy", x, y);
  for_rows(default_space(), "libsolve::copy", x.local_size(), detail::CopyBody{x.data(), y.data()});
}

void scale(double alpha, const Vector& x) {
  for_rows(default_space(), "libsolve::scale", x.local_size(), detail::ScaleBody{alpha, x.data()});
}

void axpy(double alpha, const Vector& x, const Vector& y) {
  check_shapes("axpy", x, y);
  for_rows(default_space(), "libsolve::axpy", x.local_size(),
           detail::AxpyBody{alpha, x.data(), y.data()});
}

void axpby(double alpha, const Vector& x, double beta, const Vector& y) {
  linear_combination(alpha, x, beta, y, y);
}

void linear_combination(double alpha, const Vector& x, double beta, const Vector& y,
                        const Vector& z) {
  if (beta == 0.0) {
    check_shapes("linear_combination", x, z);
    for_rows(default_space(), "libsolve::scaled_copy", x.local_size(),
             detail::ScaledCopyBody{alpha, x.data(), z.data()});
    return;
  }
  check_shapes("linear_combination", x, y, z);
  for_rows(default_space(), "libsolve::linear_combination", x.local_size(),
           detail::CombineBody{alpha, x.data(), beta, y.data(), z.data()});
}

void multiply(const Vector& x, const Vector& y, const Vector& z) {
  check_shapes("multiply", x, y, z);
  for_rows(default_space(), "libsolve::multiply", x.local_size(),
           detail::MultiplyBody{x.data(), y.data(), z.data()});
}

double axpy_norm2_squared(double alpha, const Vector& x, const Vector& y) {
  check_shapes("axpy_norm2_squared", x, y);
  const auto sums =
      reduce_rows<Sums<1>>(default_space(), "libsolve::axpy_norm2_squared", x.local_size(),
                           detail::AxpyNormBody{alpha, x.data(), y.data()});
  return x.communicator().sum(sums.value[0]);
}

double cg_update(double alpha, const Vector& p, const Vector& q, const Vector& x, const Vector& r) {
  check_shapes("cg_update", p, q, x, r);
  const auto sums =
      reduce_rows<Sums<1>>(default_space(), "libsolve::cg_update", p.local_size(),
                           detail::CgUpdateBody{alpha, p.data(), q.data(), x.data(), r.data()});
  return p.communicator().sum(sums.value[0]);
}

}  // namespace libsolve
