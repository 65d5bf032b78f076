#include <algorithm>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/transport/newton_matrix.hpp>
#include <string>
#include <vector>

namespace libsolve {

namespace {

template <class T>
Kokkos::View<T*, MemSpace> to_device(const char* label, std::span<const T> values) {
  const Kokkos::View<T*, MemSpace> v(
      Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), values.size());
  const Kokkos::View<const T*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(
      values.data(), values.size());
  Kokkos::deep_copy(v, host);
  return v;
}

/// y_i = scale_i * sum_k values x, or add_i x_i - that sum.
struct RowProducts {
  const GlobalIndex* first;
  const Index* columns;
  const double* values;
  const double* x;
  const double* scale;     ///< null: 1
  const double* diagonal;  ///< null: only the sum
  const double* own;
  double* y;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    double s = 0.0;
    for (GlobalIndex k = first[i]; k < first[i + 1]; ++k) s += values[k] * x[columns[k]];
    if (scale != nullptr) s *= scale[i];
    y[i] = diagonal != nullptr ? diagonal[i] * own[i] - s : s;
  }
};

/// d_j - sum_i P_ij^2 w_i.
struct SchurDiagonal {
  const GlobalIndex* first;
  const Index* rows;
  const double* values;
  const double* w;
  const double* d;
  double* out;
  KOKKOS_FUNCTION void operator()(const Index j) const {
    double s = 0.0;
    for (GlobalIndex k = first[j]; k < first[j + 1]; ++k) s += values[k] * values[k] * w[rows[k]];
    out[j] = d[j] - s;
  }
};

struct HostRows {
  std::vector<GlobalIndex> first;
  std::vector<Index> columns;
  std::vector<double> values;
};

/// P^T; rows of P in order, so its columns ascend.
HostRows transpose(const HostPlan& P) {
  HostRows t;
  t.first.assign(static_cast<std::size_t>(P.num_columns) + 1, 0);
  t.columns.resize(P.columns.size());
  t.values.resize(P.columns.size());
  for (const Index j : P.columns) ++t.first[static_cast<std::size_t>(j) + 1];
  for (std::size_t j = 1; j < t.first.size(); ++j) t.first[j] += t.first[j - 1];
  std::vector<GlobalIndex> next(t.first.begin(), t.first.end() - 1);
  for (Index i = 0; i < P.num_rows(); ++i)
    for (auto k = static_cast<std::size_t>(P.row_pointers[static_cast<std::size_t>(i)]);
         k < static_cast<std::size_t>(P.row_pointers[static_cast<std::size_t>(i) + 1]); ++k) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(P.columns[k])]++);
      t.columns[at] = i;
      t.values[at] = P.values[k];
    }
  return t;
}

}  // namespace

NewtonMatrix::NewtonMatrix(const HostPlan& P, std::span<const double> w, std::span<const double> d)
    : columns_(static_cast<GlobalIndex>(d.size())) {
  const HostRows t = transpose(P);
  plan_ = {to_device<GlobalIndex>("transport::plan_rows", P.row_pointers),
           to_device<Index>("transport::plan_columns", P.columns),
           to_device<double>("transport::plan_values", P.values)};
  transposed_ = {to_device<GlobalIndex>("transport::plan_rows", t.first),
                 to_device<Index>("transport::plan_columns", t.columns),
                 to_device<double>("transport::plan_values", t.values)};
  w_ = to_device<double>("transport::w", w);
  d_ = to_device<double>("transport::d", d);
}

void NewtonMatrix::apply(const Vector& x, const Vector& y) const {
  const VectorView u(Kokkos::view_alloc(std::string("transport::u"), Kokkos::WithoutInitializing),
                     w_.extent(0));
  for_rows(default_space(), "transport::newton_rows", static_cast<Index>(w_.extent(0)),
           RowProducts{plan_.first.data(), plan_.columns.data(), plan_.values.data(), x.data(),
                       w_.data(), nullptr, nullptr, u.data()});
  for_rows(
      default_space(), "transport::newton_columns", static_cast<Index>(d_.extent(0)),
      RowProducts{transposed_.first.data(), transposed_.columns.data(), transposed_.values.data(),
                  u.data(), nullptr, d_.data(), x.data(), y.data()});
}

bool NewtonMatrix::diagonal(const Vector& d) const {
  for_rows(default_space(), "transport::newton_diagonal", static_cast<Index>(d_.extent(0)),
           SchurDiagonal{transposed_.first.data(), transposed_.columns.data(),
                         transposed_.values.data(), w_.data(), d_.data(), d.data()});
  return true;
}

double NewtonMatrix::bytes_per_apply() const {
  return 24.0 * static_cast<double>(plan_.values.extent(0)) +
         8.0 * static_cast<double>(3 * w_.extent(0) + 3 * d_.extent(0));
}

double NewtonMatrix::memory_bytes() const {
  return 24.0 * static_cast<double>(plan_.values.extent(0)) +
         16.0 * static_cast<double>(w_.extent(0) + d_.extent(0));
}

std::shared_ptr<const CsrMatrix> NewtonMatrix::assembled() const {
  const auto host = [](const auto& v) {
    return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  };
  const auto first = host(plan_.first), t_first = host(transposed_.first);
  const auto columns = host(plan_.columns), t_rows = host(transposed_.columns);
  const auto values = host(plan_.values), t_values = host(transposed_.values);
  const auto w = host(w_), d = host(d_);
  const auto m = static_cast<Index>(d_.extent(0));
  std::vector<GlobalIndex> s_first(static_cast<std::size_t>(m) + 1, 0);
  std::vector<Index> s_columns;
  std::vector<double> s_values, sum(static_cast<std::size_t>(m), 0.0);
  std::vector<Index> touched;
  std::vector<Index> mark(static_cast<std::size_t>(m), -1);
  for (Index j = 0; j < m; ++j) {
    touched.assign(1, j);
    mark[static_cast<std::size_t>(j)] = j;
    sum[static_cast<std::size_t>(j)] = d(j);
    for (GlobalIndex k = t_first(j); k < t_first(j + 1); ++k) {
      const Index i = t_rows(k);
      for (GlobalIndex l = first(i); l < first(i + 1); ++l) {
        const auto c = static_cast<std::size_t>(columns(l));
        if (mark[c] != j) {
          mark[c] = j;
          sum[c] = 0.0;
          touched.push_back(columns(l));
        }
        // The product of both entries first: the same number for (j, c) and (c, j).
        sum[c] -= t_values(k) * values(l) * w(i);
      }
    }
    std::sort(touched.begin(), touched.end());
    for (const Index c : touched) {
      s_columns.push_back(c);
      s_values.push_back(sum[static_cast<std::size_t>(c)]);
    }
    s_first[static_cast<std::size_t>(j) + 1] = static_cast<GlobalIndex>(s_columns.size());
  }
  return std::make_shared<CsrMatrix>(m, m, to_device<GlobalIndex>("transport::schur_rows", s_first),
                                     to_device<Index>("transport::schur_columns", s_columns),
                                     to_device<double>("transport::schur_values", s_values));
}

BipartiteMatrix::BipartiteMatrix(const HostPlan& P, std::span<const double> r,
                                 std::span<const double> c) {
  const HostRows t = transpose(P);
  const Index n = P.num_rows();
  const auto size = static_cast<std::size_t>(n) + c.size();
  std::vector<GlobalIndex> first(1, 0);
  std::vector<Index> columns;
  std::vector<double> values;
  for (std::size_t i = 0; i < size; ++i) {
    const bool is_row = i < static_cast<std::size_t>(n);
    const std::size_t own = is_row ? i : i - static_cast<std::size_t>(n);
    if (is_row) columns.push_back(static_cast<Index>(i)), values.push_back(r[own]);
    const auto& pointers = is_row ? P.row_pointers : std::span<const GlobalIndex>(t.first);
    for (auto k = static_cast<std::size_t>(pointers[own]);
         k < static_cast<std::size_t>(pointers[own + 1]); ++k) {
      columns.push_back(is_row ? n + P.columns[k] : t.columns[k]);
      values.push_back(is_row ? P.values[k] : t.values[k]);
    }
    if (!is_row) columns.push_back(static_cast<Index>(i)), values.push_back(c[own]);
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  matrix_ =
      std::make_shared<CsrMatrix>(static_cast<GlobalIndex>(size), static_cast<GlobalIndex>(size),
                                  to_device<GlobalIndex>("transport::newton_rows", first),
                                  to_device<Index>("transport::newton_columns", columns),
                                  to_device<double>("transport::newton_values", values));
}

}  // namespace libsolve
