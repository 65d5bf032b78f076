#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/row_kernels.hpp>

namespace libsolve {

namespace detail {

struct UniformBody {
  RandomStream stream;
  double low, high;
  GlobalIndex first;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const {
    x[i] = stream.uniform(static_cast<std::uint64_t>(first + i), low, high);
  }
};

struct NormalBody {
  RandomStream stream;
  GlobalIndex first;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const {
    x[i] = stream.normal(static_cast<std::uint64_t>(first + i));
  }
};

}  // namespace detail

void fill_uniform(const Vector& x, const RandomStream& stream, double low, double high) {
  for_rows(ExecSpace(), "libsolve::fill_uniform", x.local_size(),
           detail::UniformBody{stream, low, high, x.partition().first_row(), x.data()});
}

void fill_normal(const Vector& x, const RandomStream& stream) {
  for_rows(ExecSpace(), "libsolve::fill_normal", x.local_size(),
           detail::NormalBody{stream, x.partition().first_row(), x.data()});
}

}  // namespace libsolve
