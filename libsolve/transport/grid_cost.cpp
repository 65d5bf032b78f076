#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/transport/cost_functions.hpp>
#include <libsolve/transport/functor_cost.hpp>
#include <libsolve/transport/grid_cost.hpp>

namespace libsolve {

namespace {

using Table = DenseBlock;  // rows of whole registers

/// Entries of the sum over both axes.
struct GridEntries {
  const double* c1;  ///< source lines times target lines
  const double* c2;
  std::size_t stride1, stride2;
  Index n2, m2;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    return c1[static_cast<std::size_t>(i / n2) * stride1 + static_cast<std::size_t>(j / m2)] +
           c2[static_cast<std::size_t>(i % n2) * stride2 + static_cast<std::size_t>(j % m2)];
  }
};

/// For p in [0, P), q in [0, Q), over k in [0, K):
///   top(p, q)  = max_k (u(q, k) - c(p, k)),
///   out(p, q)  = top + eps log sum_k exp((u(q, k) - c(p, k) - top) / eps),
///   mean(p, q) = sum_k w_k (c(p, k) + v(q, k)) with the weights w of that sum, normalised.
/// `out` may be null (maxima only); `mean` may be; `v` null is zero.
struct Lines {
  const double* u;
  std::size_t u_stride;
  const double* c;
  std::size_t c_stride;
  const double* v;
  double* top;
  double* out;
  double* mean;
  std::size_t out_stride;  ///< of top, out, mean: (p, q) at p * out_stride + q
  Index Q, K;
  double eps;

  KOKKOS_FUNCTION void operator()(const Index p) const {
    for (Index q = 0; q < Q; ++q) {
      const double* const uq = u + static_cast<std::size_t>(q) * u_stride;
      const double* const cp = c + static_cast<std::size_t>(p) * c_stride;
      const double* const vq = v == nullptr ? nullptr : v + static_cast<std::size_t>(q) * u_stride;
      const std::size_t to = static_cast<std::size_t>(p) * out_stride + static_cast<std::size_t>(q);
      const double largest = maximum(uq, cp);
      if (top != nullptr) top[to] = largest;
      if (out == nullptr) continue;
      double sum = 0.0, weighted = 0.0;
      if constexpr (runs_on_host<ExecSpace>)
        host_sums(uq, cp, vq, largest, sum, weighted);
      else
        device_sums(uq, cp, vq, largest, sum, weighted);
      out[to] = largest + eps * Kokkos::log(sum);
      if (mean != nullptr) mean[to] = weighted / sum;
    }
  }
  KOKKOS_FUNCTION double maximum(const double* uq, const double* cp) const {
    double largest = uq[0] - cp[0];
    for (Index k = 1; k < K; ++k) largest = Kokkos::max(largest, uq[k] - cp[k]);
    return largest;
  }
  KOKKOS_FUNCTION void device_sums(const double* uq, const double* cp, const double* vq,
                                   double largest, double& sum, double& weighted) const {
    for (Index k = 0; k < K; ++k) {
      const double e = Kokkos::exp((uq[k] - cp[k] - largest) / eps);
      sum += e;
      if (mean != nullptr) weighted += e * (cp[k] + (vq == nullptr ? 0.0 : vq[k]));
    }
  }
  void host_sums(const double* uq, const double* cp, const double* vq, double largest, double& sum,
                 double& weighted) const {
    using namespace libsolve::detail;
    constexpr Index w = lanes<double>;
    const double scale = log2_of_e / eps;
    Pack<double> total = all<double>(0.0), of_costs = all<double>(0.0);
    for (Index k = 0; k < K; k += w) {
      const int count = static_cast<int>(K - k < w ? K - k : w);
      const auto read = [&](const double* from) {
        return count == w ? load<double>(from + k) : load_first<double>(from + k, count);
      };
      const Pack<double> cost = read(cp);
      Pack<double> e = exp2_of(all<double>(scale) * (read(uq) - cost - all<double>(largest)));
      if (count < w)
        for (int l = count; l < w; ++l) e[l] = 0.0;
      total += e;
      if (mean != nullptr) of_costs += e * (vq == nullptr ? cost : cost + read(vq));
    }
    sum = sum_of<double>(total);
    weighted = sum_of<double>(of_costs);
  }
};

void run_lines(Index P, const Lines& lines) {
  Kokkos::parallel_for("transport::lines",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, P), lines);
}

/// r = exp((f + L) / eps); with `a` also f := damping (eps log a - L).
struct FinishRows {
  const double* a;
  const double* L;
  const double* f_in;
  double* f;
  double* r;
  double eps, damping;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    r[i] = Kokkos::exp((f_in[i] + L[i]) / eps);
    if (a != nullptr) f[i] = damping * (eps * Kokkos::log(a[i]) - L[i]);
  }
};

struct Negate {
  double* v;
  KOKKOS_FUNCTION void operator()(const Index i) const { v[i] = -v[i]; }
};

struct Product {
  const double* r;
  const double* mean;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const { s += r[i] * mean[i]; }
};

template <class Body>
void for_all(Index n, const Body& body) {
  for_rows(default_space(), "transport::grid", n, body);
}

/// The costs along both axes and those of the transposed problem.
struct Axes {
  Table c1, c2, t1, t2;
  Index n1, n2, m1, m2;
};

class GridCost final : public FunctorCost<GridEntries> {
 public:
  GridCost(const Axes& a, std::string text)
      : FunctorCost({a.c1.data(), a.c2.data(), a.c1.stride(0), a.c2.stride(0), a.n2, a.m2},
                    Partition(GlobalIndex{a.n1} * a.n2), a.m1 * a.m2, std::move(text)),
        a_(a) {}

  void sums(const ConstVectorView& f, const ConstVectorView& g, double eps, const VectorView& r,
            const VectorView& c) const override {
    const VectorView L = row_logs(g, eps), M = column_logs(f, eps);
    for_all(n(), FinishRows{nullptr, L.data(), f.data(), nullptr, r.data(), eps, 1.0});
    for_all(m(), FinishRows{nullptr, M.data(), g.data(), nullptr, c.data(), eps, 1.0});
  }
  void scale_rows(const ConstVectorView& a, const VectorView& f, const ConstVectorView& g,
                  double eps, const VectorView& r, const VectorView& c,
                  const RowScaling& how) const override {
    const VectorView L = row_logs(g, eps);
    for_all(n(), FinishRows{a.data(), L.data(), f.data(), f.data(), r.data(), eps, how.damping});
    const VectorView M = column_logs(f, eps);
    for_all(m(), FinishRows{nullptr, M.data(), g.data(), nullptr, c.data(), eps, 1.0});
  }
  void row_minima(const ConstVectorView& g, const VectorView& u,
                  const Kokkos::View<Index*, MemSpace>& arg) const override {
    if (arg.extent(0) > 0) {  // where it lies is not separable
      FunctorCost::row_minima(g, u, arg);
      return;
    }
    const VectorView half("transport::half", static_cast<std::size_t>(a_.n2) * a_.m1);
    run_lines(a_.n2, maxima(g.data(), a_.m2, a_.c2, half.data(), a_.m1));
    run_lines(a_.n1, maxima(half.data(), a_.m1, a_.c1, u.data(), a_.n2));
    for_all(n(), Negate{u.data()});
  }
  void column_minima(const ConstVectorView& f, const VectorView& v) const override {
    const VectorView half("transport::half", static_cast<std::size_t>(a_.m2) * a_.n1);
    run_lines(a_.m2, maxima(f.data(), a_.n2, a_.t2, half.data(), a_.n1));
    run_lines(a_.m1, maxima(half.data(), a_.n1, a_.t1, v.data(), a_.m2));
    for_all(m(), Negate{v.data()});
  }
  double weighted_sum(const ConstVectorView& f, const ConstVectorView& g,
                      double eps) const override {
    const std::size_t half = static_cast<std::size_t>(a_.n2) * a_.m1;
    const VectorView T("transport::half", half), of_T("transport::mean", half);
    const VectorView L("transport::log", n()), mean("transport::mean", n()), r("transport::r", n());
    Lines first = logs(g.data(), a_.m2, a_.c2, T.data(), a_.m1, eps);
    first.mean = of_T.data();
    run_lines(a_.n2, first);
    Lines second = logs(T.data(), a_.m1, a_.c1, L.data(), a_.n2, eps);
    second.v = of_T.data();
    second.mean = mean.data();
    run_lines(a_.n1, second);
    for_all(n(), FinishRows{nullptr, L.data(), f.data(), nullptr, r.data(), eps, 1.0});
    return reduce_rows<Sums<1>>(default_space(), "transport::weighted_sum", n(),
                                Product{r.data(), mean.data()})
        .value[0];
  }
  std::shared_ptr<const TransportCost> transposed() const override {
    return std::make_shared<GridCost>(
        Axes{a_.t1, a_.t2, a_.c1, a_.c2, a_.m1, a_.m2, a_.n1, a_.n2}, description());
  }
  double memory_bytes() const override {
    return 8.0 * static_cast<double>(a_.c1.span() + a_.c2.span() + a_.t1.span() + a_.t2.span());
  }

 private:
  Index n() const { return rows().local_size(); }
  Index m() const { return num_columns(); }
  /// Lines of `K` numbers against a table of costs; Q of them.
  static Lines maxima(const double* u, Index K, const Table& c, double* top, Index Q) {
    return {.u = u,
            .u_stride = static_cast<std::size_t>(K),
            .c = c.data(),
            .c_stride = c.stride(0),
            .v = nullptr,
            .top = top,
            .out = nullptr,
            .mean = nullptr,
            .out_stride = static_cast<std::size_t>(Q),
            .Q = Q,
            .K = K,
            .eps = 1.0};
  }
  static Lines logs(const double* u, Index K, const Table& c, double* out, Index Q, double eps) {
    Lines lines = maxima(u, K, c, nullptr, Q);
    lines.out = out;
    lines.eps = eps;
    return lines;
  }
  /// eps log sum_j exp((g_j - C_ij) / eps) for all i, the last axis first.
  VectorView row_logs(const ConstVectorView& g, double eps) const {
    const VectorView T("transport::half", static_cast<std::size_t>(a_.n2) * a_.m1);
    const VectorView L("transport::log", n());
    run_lines(a_.n2, logs(g.data(), a_.m2, a_.c2, T.data(), a_.m1, eps));
    run_lines(a_.n1, logs(T.data(), a_.m1, a_.c1, L.data(), a_.n2, eps));
    return L;
  }
  VectorView column_logs(const ConstVectorView& f, double eps) const {
    const VectorView T("transport::half", static_cast<std::size_t>(a_.m2) * a_.n1);
    const VectorView M("transport::log", m());
    run_lines(a_.m2, logs(f.data(), a_.n2, a_.t2, T.data(), a_.n1, eps));
    run_lines(a_.m1, logs(T.data(), a_.n1, a_.t1, M.data(), a_.m2, eps));
    return M;
  }
  Axes a_;
};

/// Costs along one axis; `transposed`: targets first.
Table axis_costs(const PlaneGrid& x, const PlaneGrid& y, int axis, const PointCostOptions& options,
                 bool transposed) {
  const Index n = x.cells[axis], m = y.cells[axis];
  const Table c("transport::axis", static_cast<std::size_t>(transposed ? m : n),
                static_cast<std::size_t>(detail::padded(transposed ? n : m)));
  const auto host = Kokkos::create_mirror_view(c);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      const double t = x.origin[axis] + i * x.spacing[axis] - y.origin[axis] - j * y.spacing[axis];
      const double cost = options.scale * (options.norm == PointNorm::manhattan ? std::abs(t) : t * t);
      (transposed ? host(j, i) : host(i, j)) = cost;
    }
  Kokkos::deep_copy(c, host);
  return c;
}

}  // namespace

std::shared_ptr<const TransportCost> make_grid_cost(const PlaneGrid& x, const PlaneGrid& y,
                                                    const PointCostOptions& options) {
  const bool manhattan = options.norm == PointNorm::manhattan;
  if ((manhattan ? options.power != 1.0 : options.power != 2.0) || !(options.scale > 0.0))
    throw InputError({}, "power",
                     "a cost that splits into axes is |x - y|_2^2 or |x - y|_1 times a scale > 0; the "
                     "power is " +
                         format_number(options.power) + ", the scale " + format_number(options.scale));
  for (const PlaneGrid* grid : {&x, &y})
    if (grid->cells[0] < 1 || grid->cells[1] < 1)
      throw ShapeError("a grid of " + std::to_string(grid->cells[0]) + " x " +
                       std::to_string(grid->cells[1]) + " points; it needs at least one of each");
  return std::make_shared<GridCost>(
      Axes{axis_costs(x, y, 0, options, false), axis_costs(x, y, 1, options, false),
           axis_costs(x, y, 0, options, true), axis_costs(x, y, 1, options, true), x.cells[0],
           x.cells[1], y.cells[0], y.cells[1]},
      std::string(manhattan ? "|x - y|_1" : "|x - y|^2") + " on grids of " +
          std::to_string(x.cells[0]) + " x " + std::to_string(x.cells[1]) + " and " +
          std::to_string(y.cells[0]) + " x " + std::to_string(y.cells[1]));
}

}  // namespace libsolve
