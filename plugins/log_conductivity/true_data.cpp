#include "true_data.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace log_conductivity {

namespace {

Vector vector_of(const std::vector<double>& values) {
  const Vector v("log_conductivity::values", Partition(static_cast<GlobalIndex>(values.size())));
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

}  // namespace

std::vector<double> solve_states(const LogDiffusion& empty, const std::vector<double>& m,
                                 const std::vector<double>& sources) {
  LogDiffusion A = empty;
  A.set_parameter(vector_of(m).view());
  const auto n = static_cast<std::size_t>(A.num_cells());
  const Vector inverse("log_conductivity::inverse", Partition(A.num_cells()));
  A.stencil()->diagonal(inverse);
  auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), inverse.view());
  for (std::size_t i = 0; i < n; ++i) host(i) = 1.0 / host(i);
  Kokkos::deep_copy(inverse.view(), host);
  std::vector<double> states;
  for (std::size_t s = 0; s * n < sources.size(); ++s) {
    const std::vector<double> b(sources.begin() + static_cast<std::ptrdiff_t>(s * n),
                                sources.begin() + static_cast<std::ptrdiff_t>((s + 1) * n));
    const Vector r = vector_of(b), y = r.like("y"), z = r.like("z"), p = r.like("p"),
                 q = r.like("q");
    const double size = norm2(r);
    double rz = 0.0;
    int k = 0;
    for (; norm2(r) > 1e-14 * size; ++k) {
      if (k > 50 * (A.grid().cells[0] + 20))
        throw NumericalError("log-conductivity: the states of the true parameter did not converge, "
                             "residual " + std::to_string(norm2(r) / size));
      multiply(inverse, r, z);
      const double next = dot(r, z);
      axpby(1.0, z, k == 0 ? 0.0 : next / rz, p);
      rz = next;
      A.apply(p.view(), q.view());
      (void)cg_update(rz / dot(p, q), p, q, y, r);
    }
    const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), y.view());
    states.insert(states.end(), values.data(), values.data() + n);
  }
  return states;
}

std::vector<double> observe(const Observation& Q, const std::vector<double>& states, double noise,
                            std::uint64_t seed) {
  const int functions = static_cast<int>(states.size() / static_cast<std::size_t>(Q.num_cells()));
  const Vector y = vector_of(states);
  const Vector d("log_conductivity::data",
                 Partition(static_cast<GlobalIndex>(Q.num_data()) * functions));
  Q.residual(functions, 1.0, y.data(), nullptr, d.data());
  const double size = noise * norm_max(d);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), d.view());
  std::vector<double> data(host.data(), host.data() + host.extent(0));
  const RandomStream stream(seed, "log_conductivity::noise");
  for (std::size_t i = 0; i < data.size(); ++i) data[i] += size * stream.normal(i);
  return data;
}

}  // namespace log_conductivity
