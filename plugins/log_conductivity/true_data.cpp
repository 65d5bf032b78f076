#include "true_data.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace log_conductivity {

namespace {

Vector vector_of(const std::vector<double>& values, const Partition& partition) {
  const Vector v("log_conductivity::values", partition);
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

}  // namespace

std::vector<double> solve_states(const LogDiffusion& empty, const std::vector<double>& m,
                                 const std::vector<double>& sources) {
  LogDiffusion A = empty;
  A.set_parameter(vector_of(m, A.partition()).view());
  const auto n = static_cast<std::size_t>(A.num_cells());
  const Vector inverse("log_conductivity::inverse", A.partition());
  A.stencil()->diagonal(inverse);
  auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), inverse.view());
  for (std::size_t i = 0; i < n; ++i) host(i) = 1.0 / host(i);
  Kokkos::deep_copy(inverse.view(), host);
  std::vector<double> states;
  for (std::size_t s = 0; s * n < sources.size(); ++s) {
    const std::vector<double> b(sources.begin() + static_cast<std::ptrdiff_t>(s * n),
                                sources.begin() + static_cast<std::ptrdiff_t>((s + 1) * n));
    const Vector r = vector_of(b, A.partition()), y = r.like("y"), z = r.like("z"), p = r.like("p"),
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

std::vector<double> observe(const LogDiffusion& A, const Observation& Q, std::size_t num_points,
                            const std::vector<double>& states, double noise, std::uint64_t seed) {
  const auto n = static_cast<std::size_t>(Q.num_data());
  const auto functions = static_cast<int>(states.size() / static_cast<std::size_t>(Q.num_cells()));
  const VectorView d("log_conductivity::data", n * static_cast<std::size_t>(functions));
  Q.residual(1.0, vector_of(states, A.block_partition(functions)).view(), nullptr, d);
  const auto seen = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), d);
  const Communicator& comm = A.grid_partition().communicator();
  double largest = 0.0;
  for (std::size_t i = 0; i < seen.extent(0); ++i) largest = std::max(largest, std::abs(seen(i)));
  const double size = noise * comm.max(largest);
  const RandomStream stream(seed, "log_conductivity::noise");
  const auto all = num_points > 0 ? static_cast<GlobalIndex>(num_points) : A.grid().num_cells();
  const std::size_t kept = num_points > 0 ? num_points : n;
  std::vector<double> data(static_cast<std::size_t>(functions) * kept, 0.0);
  for (std::size_t s = 0; s < static_cast<std::size_t>(functions); ++s)
    for (std::size_t k = 0; k < n; ++k) {
      const auto at = static_cast<Index>(k);
      if (!Q.counts(at)) continue;
      const auto number = static_cast<std::size_t>(Q.number(at));
      data[s * kept + (num_points > 0 ? number : k)] =
          seen(s * n + k) + size * stream.normal(s * static_cast<std::size_t>(all) + number);
    }
  if (num_points > 0) comm.sum(data);  // each point counts on one rank
  return data;
}

}  // namespace log_conductivity
