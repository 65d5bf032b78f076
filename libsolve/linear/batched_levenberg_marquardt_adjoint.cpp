#include <libsolve/linear/batched_levenberg_marquardt.hpp>

namespace libsolve {

namespace {

struct Start {};
struct Step {};
struct Turn {};
struct Finish {};

/// Projected conjugate gradients on H a = g (Gould, Hribar, Nocedal 2001, algorithm 2.1), problem
/// k.
struct ConjugateGradients {
  int m, n;
  const double *J, *lambda, *g;
  const int* active;
  double *a, *residual, *z, *direction, *product, *rz, *first_rz;
  int* open;

  KOKKOS_FUNCTION static double dot(const double* x, const double* y, int count) {
    double sum = 0.0;
    for (int l = 0; l < count; ++l) sum += x[l] * y[l];
    return sum;
  }
  KOKKOS_FUNCTION void operator()(Start, int k) const {
    open[k] = 0;
    if (active[k] == 0) return;
    const std::ptrdiff_t at = k * std::ptrdiff_t(n);
    first_rz[k] = rz[k] = dot(g + at, z + at, n);
    for (int l = 0; l < n; ++l) {
      a[at + l] = 0.0;
      residual[at + l] = g[at + l];
      direction[at + l] = z[at + l];
    }
    open[k] = rz[k] > 0.0 ? 1 : 0;
  }
  /// `product` comes with the curvature's part.
  KOKKOS_FUNCTION void operator()(Step, int k) const {
    if (open[k] == 0) return;
    const std::ptrdiff_t at = k * std::ptrdiff_t(n);
    const double *p = direction + at, *Jk = J + k * std::ptrdiff_t(m) * n;
    double* const q = product + at;
    for (int l = 0; l < n; ++l) q[l] += lambda[k] * p[l];
    for (int i = 0; i < m; ++i) {
      const double t = dot(Jk + i * n, p, n);
      for (int l = 0; l < n; ++l) q[l] += t * Jk[i * n + l];
    }
    const double pq = dot(p, q, n);
    if (!(pq > 0.0)) {
      rz[k] = Kokkos::Experimental::quiet_NaN_v<double>;
      open[k] = 0;
      return;
    }
    const double alpha = rz[k] / pq;
    for (int l = 0; l < n; ++l) {
      a[at + l] += alpha * p[l];
      residual[at + l] -= alpha * q[l];
    }
  }
  KOKKOS_FUNCTION void operator()(Turn, int k) const {
    if (open[k] == 0) return;
    const std::ptrdiff_t at = k * std::ptrdiff_t(n);
    const double next = dot(residual + at, z + at, n);
    const double beta = next / rz[k];
    rz[k] = next;
    if (!(next > 1e-30 * first_rz[k])) {
      open[k] = 0;
      return;
    }
    for (int l = 0; l < n; ++l) direction[at + l] = z[at + l] + beta * direction[at + l];
  }
  /// g - S a with S a in `product`; NaN where the iteration broke down or got nowhere.
  KOKKOS_FUNCTION void operator()(Finish, int k) const {
    if (active[k] == 0) return;
    const std::ptrdiff_t at = k * std::ptrdiff_t(n);
    const bool solved = rz[k] <= 1e-16 * first_rz[k];
    for (int l = 0; l < n; ++l)
      residual[at + l] =
          solved ? g[at + l] - product[at + l] : Kokkos::Experimental::quiet_NaN_v<double>;
  }
};

/// NaN for the problems that are off: `width` numbers for each.
struct MarkInactive {
  std::ptrdiff_t width;
  double* values;
  const int* active;
  KOKKOS_FUNCTION void operator()(int k) const {
    if (active[k] != 0) return;
    for (std::ptrdiff_t i = 0; i < width; ++i)
      values[k * width + i] = Kokkos::Experimental::quiet_NaN_v<double>;
  }
};

/// Cotangents of r and J from those of Phi = J and d = J w - r.
struct FromLinear {
  int m, n;
  const double* w;
  double *dJ, *dr;
  const int* active;
  KOKKOS_FUNCTION void operator()(int k) const {
    if (active[k] == 0) return;
    for (int i = 0; i < m; ++i) {
      double& change = dr[k * std::ptrdiff_t(m) + i];
      if (dJ != nullptr)
        for (int l = 0; l < n; ++l)
          dJ[(k * std::ptrdiff_t(m) + i) * n + l] += change * w[k * std::ptrdiff_t(n) + l];
      change = -change;
    }
  }
};

}  // namespace

/// g - S a, S the curvature and H a + C^T b = g: what the linear problems' adjoint has to be given
/// so that it is the adjoint with the whole of H.
template <class Exec>
typename BatchArrays<Exec>::template Vector<double> BatchedLevenbergMarquardt<Exec>::less_curvature(
    const Vectors& g) const {
  const auto& s = shape_;
  const auto vector = [&](const char* name) { return Vectors(name, s.problems, s.unknowns); };
  const auto a = vector("linear::a"), residual = vector("linear::residual"),
             z = vector("linear::z"), direction = vector("linear::direction"),
             product = vector("linear::product");
  const typename Arrays::template Scalar<double> rz("linear::rz", s.problems),
      first_rz("linear::first_rz", s.problems);
  const typename Arrays::template Scalar<int> open("linear::open", s.problems);
  const ConjugateGradients cg{.m = s.rows,
                              .n = s.unknowns,
                              .J = J_.data(),
                              .lambda = last_.lambda.data(),
                              .g = g.data(),
                              .active = active_.data(),
                              .a = a.data(),
                              .residual = residual.data(),
                              .z = z.data(),
                              .direction = direction.data(),
                              .product = product.data(),
                              .rz = rz.data(),
                              .first_rz = first_rz.data(),
                              .open = open.data()};
  const auto each = [&](const char* label, auto tag) {
    Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec, decltype(tag)>(exec_, 0, s.problems), cg);
  };
  solver_.invert(last_, solution_, g, z);
  each("linear::cg_start", Start{});
  for (int k = 0; k < 2 * (s.unknowns - s.constraints) + 10 && count(open) > 0; ++k) {
    curvature_(solution_.w, direction, open, product);
    each("linear::cg_step", Step{});
    solver_.invert(last_, solution_, residual, z);
    each("linear::cg_turn", Turn{});
  }
  curvature_(solution_.w, a, active_, product);
  each("linear::cg_finish", Finish{});
  return residual;
}

template <class Exec>
void BatchedLevenbergMarquardt<Exec>::adjoint(const Vectors& g,
                                              const LeastSquaresGradient<Exec>& out) const {
  LeastSquaresGradient<Exec> linear = out;
  // dL/dJ is mixed with dL/dd.
  if (linear.d.size() == 0 && linear.Phi.size() > 0)
    linear.d = Vectors("linear::dd", shape_.problems, shape_.rows);
  solver_.adjoint(last_, solution_, curvature_ ? less_curvature(g) : g, linear);
  const auto mark = [&](const auto& values) {
    if (values.size() == 0) return;
    Kokkos::parallel_for(
        "linear::mark_inactive", Kokkos::RangePolicy<Exec>(exec_, 0, shape_.problems),
        MarkInactive{static_cast<std::ptrdiff_t>(values.size()) / shape_.problems, values.data(),
                     active_.data()});
  };
  mark(out.Phi);
  mark(out.d);
  mark(out.C);
  mark(out.e);
  mark(out.lambda);
  mark(out.w0);
  if (linear.d.size() == 0) return;
  Kokkos::parallel_for("linear::cotangents", Kokkos::RangePolicy<Exec>(exec_, 0, shape_.problems),
                       FromLinear{shape_.rows, shape_.unknowns, solution_.w.data(),
                                  linear.Phi.size() == 0 ? nullptr : linear.Phi.data(),
                                  linear.d.data(), active_.data()});
}

#ifdef KOKKOS_ENABLE_SERIAL
template BatchArrays<Kokkos::Serial>::Vector<double>
BatchedLevenbergMarquardt<Kokkos::Serial>::less_curvature(const Vectors&) const;
template void BatchedLevenbergMarquardt<Kokkos::Serial>::adjoint(
    const Vectors&, const LeastSquaresGradient<Kokkos::Serial>&) const;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
template BatchArrays<Kokkos::OpenMP>::Vector<double>
BatchedLevenbergMarquardt<Kokkos::OpenMP>::less_curvature(const Vectors&) const;
template void BatchedLevenbergMarquardt<Kokkos::OpenMP>::adjoint(
    const Vectors&, const LeastSquaresGradient<Kokkos::OpenMP>&) const;
#endif
#ifdef KOKKOS_ENABLE_CUDA
template BatchArrays<Kokkos::Cuda>::Vector<double>
BatchedLevenbergMarquardt<Kokkos::Cuda>::less_curvature(const Vectors&) const;
template void BatchedLevenbergMarquardt<Kokkos::Cuda>::adjoint(
    const Vectors&, const LeastSquaresGradient<Kokkos::Cuda>&) const;
#endif
#ifdef KOKKOS_ENABLE_HIP
template BatchArrays<Kokkos::HIP>::Vector<double>
BatchedLevenbergMarquardt<Kokkos::HIP>::less_curvature(const Vectors&) const;
template void BatchedLevenbergMarquardt<Kokkos::HIP>::adjoint(
    const Vectors&, const LeastSquaresGradient<Kokkos::HIP>&) const;
#endif

}  // namespace libsolve
