#include <fmt/format.h>

#include <cstdio>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/point_cost.hpp>

#include "bench.hpp"
#include "peak.hpp"

namespace bench {

namespace {

using libsolve::VectorView;

libsolve::DenseBlock random_points(const char* purpose, int n) {
  const libsolve::RandomStream stream(1, purpose);
  const libsolve::DenseBlock points(purpose, static_cast<size_t>(n), 2);
  const auto host = Kokkos::create_mirror_view(points);
  for (size_t i = 0; i < static_cast<size_t>(n); ++i)
    for (size_t d = 0; d < 2; ++d) host(i, d) = stream.uniform(2 * i + d);
  Kokkos::deep_copy(points, host);
  return points;
}

/// Multiply-adds of one exponential: six of the polynomial, one product.
constexpr double of_exp = 7.0;

class Passes {
 public:
  Passes(const Settings& settings, std::shared_ptr<const libsolve::TransportCost> cost, double peak)
      : settings_(settings), cost_(std::move(cost)), peak_(peak) {
    n_ = static_cast<int>(cost_->num_columns());
    eps_ = 1e-2 * cost_->maximum();
    f_ = VectorView("f", n_), g_ = VectorView("g", n_), a_ = VectorView("a", n_);
    r_ = VectorView("r", n_), c_ = VectorView("c", n_);
    Kokkos::deep_copy(a_, 1.0 / n_);
    cost_->row_minima(g_, f_);
  }
  /// `multiply_adds` an entry; 0 where the work is of another kind.
  template <class Pass>
  PassRow measure(const std::string& name, double multiply_adds, double max_seconds,
                  const Pass& pass) const {
    PassRow row{.name = name, .n = n_, .seconds = 1e300, .max_seconds = max_seconds};
    const int calls = std::max(1, 20'000'000 / n_ / n_);
    pass();
    for (int k = 0; k < 3 * settings_.repeat; ++k) {
      const double start = now(settings_.clock);
      for (int call = 0; call < calls; ++call) pass();
      Kokkos::fence();
      row.seconds = std::min(row.seconds, (now(settings_.clock) - start) / calls);
    }
    const double entries = static_cast<double>(n_) * n_;
    row.fraction = 2.0 * multiply_adds * entries / row.seconds / peak_;
    fmt::print("{:<44} {:>7} {:>11.3f} {:>9.3f} {:>9} {}\n", name, n_, 1e3 * row.seconds,
               1e9 * row.seconds / entries,
               multiply_adds > 0.0 ? fmt::format("{:.2f}", row.fraction) : "-",
               max_seconds > 0.0 ? fmt::format("{:>9.2f} {}", 1e3 * max_seconds,
                                               row.passed() ? "pass" : "FAIL")
                                 : "");
    std::fflush(stdout);
    return row;
  }
  PassRow sweep(const std::string& name, double multiply_adds, double max_seconds,
                bool single_precision) const {
    return measure(name, multiply_adds, max_seconds, [&] {
      cost_->scale_rows(a_, f_, g_, eps_, r_, c_, {.single_precision = single_precision});
    });
  }
  PassRow sums(const std::string& name, double multiply_adds) const {
    return measure(name, multiply_adds, 0.0, [&] { cost_->sums(f_, g_, eps_, r_, c_); });
  }
  PassRow minima(const std::string& name) const {
    return measure(name, 0.0, 0.0, [&] { cost_->row_minima(g_, r_); });
  }

 private:
  Settings settings_;
  std::shared_ptr<const libsolve::TransportCost> cost_;
  double peak_;
  int n_ = 0;
  double eps_ = 1.0;
  VectorView f_, g_, a_, r_, c_;
};

}  // namespace

std::vector<PassRow> run_transport(const Settings& settings) {
  const double peak = peak_flops<double>(settings) * libsolve::ExecSpace().concurrency();
  fmt::print("multiply-adds on registers, double: {:.1f} Gflop/s\n", 1e-9 * peak);
  fmt::print("{:<44} {:>7} {:>11} {:>9} {:>9} {:>9}\n", "pass over all entries", "n", "ms",
             "ns/entry", "fraction", "bar, ms");
  std::vector<PassRow> rows;
  for (const int n : {1000, 10000}) {
    const Passes points(settings, libsolve::make_point_cost(random_points("x", n), random_points("y", n)), peak);
    // The exponent takes two multiply-adds, the columns' sums one.
    rows.push_back(points.sweep("Sinkhorn sweep, |x - y|^2 in 2D on the fly", 2 + of_exp + 1,
                                n == 1000 ? 1e-3 : 1e-1, false));
    rows.push_back(points.sweep("  exponentials in float", 0.0, 0.0, true));
    rows.push_back(points.sums("  sums of both marginals", 2 + of_exp));
    rows.push_back(points.minima("  c-transform"));
  }
  const libsolve::DenseBlock C("cost", 1000, 1000);
  libsolve::make_point_cost(random_points("x", 1000), random_points("y", 1000))->rows_of(0, C);
  const Passes stored(settings, libsolve::make_dense_cost(C), peak);
  rows.push_back(stored.sweep("Sinkhorn sweep, stored cost", 1 + of_exp + 1, 0.0, false));
  rows.push_back(stored.sweep("  exponentials in float", 0.0, 0.0, true));
  return rows;
}

nlohmann::json to_json(const PassRow& row) {
  return {{"name", row.name},         {"n", row.n},
          {"seconds", row.seconds},   {"fraction_of_peak", row.fraction},
          {"max_seconds", row.max_seconds}};
}

}  // namespace bench
