#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <libsolve/core/large_array.hpp>
#include <libsolve/learn/convolution_gradient.hpp>
#include <libsolve/learn/inference.hpp>
#include <libsolve/learn/network_weights.hpp>

#include "bench.hpp"
#include "peak.hpp"

namespace bench {

namespace {

using libsolve::learn::PaddedGrid;
namespace kernels = libsolve::learn::detail;

/// Least part of the peak asked of a convolution of 16 channels.
constexpr double least_fraction = 0.5;

double best_seconds(const Settings& settings, double flops, const std::function<void()>& kernel) {
  const int calls = std::max(1, static_cast<int>(2e8 / flops));
  double best = 1e300;
  kernel();
  for (int r = 0; r < 3 * settings.repeat; ++r) {
    const double start = now(settings.clock);
    for (int k = 0; k < calls; ++k) kernel();
    best = std::min(best, (now(settings.clock) - start) / calls);
  }
  return best;
}

LearnRow measured(const std::string& name, int n, double flops, double seconds, double peak,
                  double bar) {
  const double unknowns = static_cast<double>(n) * n * n;
  LearnRow row{.name = name,
               .size = fmt::format("{}^3", n),
               .flops_per_unknown = flops / unknowns,
               .seconds_per_unknown = seconds / unknowns,
               .fraction = flops / seconds / peak,
               .bar = bar};
  const std::string verdict =
      bar > 0.0 ? fmt::format("{:>6.2f} {}", bar, row.fraction >= bar ? "pass" : "FAIL") : "     -";
  fmt::print("{:<44} {:>6} {:>13.0f} {:>12.3f} {:>9.1f} {:>9.2f} {}\n", row.name, row.size,
             row.flops_per_unknown, 1e9 * row.seconds_per_unknown, 1e-9 * flops / seconds,
             row.fraction, verdict);
  std::fflush(stdout);
  return row;
}

void run_convolution(const Settings& settings, double peak, int channels, int n, double bar,
                     std::vector<LearnRow>& rows) {
  const PaddedGrid g(3, {n, n, n});
  const auto size = static_cast<size_t>(channels) * static_cast<size_t>(g.channel());
  const auto x = libsolve::zero_array<float, Kokkos::HostSpace>("bench::x", size);
  const auto y = libsolve::zero_array<float, Kokkos::HostSpace>("bench::y", size);
  std::vector<float> w(static_cast<size_t>(27 * channels * channels), 0.01f), dw(w.size());
  kernels::Convolution<float> a;
  a.grid = g;
  a.inputs = a.outputs = channels;
  a.x = x.data();
  a.y = y.data();
  a.weights = w.data();
  const double flops = 2.0 * static_cast<double>(w.size()) * static_cast<double>(g.num_cells());
  const std::string kind = fmt::format("convolution 3x3x3, {} to {}", channels, channels);
  rows.push_back(measured(kind, n, flops,
                          best_seconds(settings, flops, [&] { kernels::convolve(a, 0, n); }), peak,
                          bar));
  rows.push_back(measured("  gradient of its weights", n, flops,
                          best_seconds(settings, flops,
                                       [&] {
                                         kernels::add_parameter_gradients<float>(
                                             a, y.data(), dw.data(), nullptr);
                                       }),
                          peak, 0.0));
}

}  // namespace

std::vector<LearnRow> run_learn(const Settings& settings) {
  const double peak = peak_flops<float>(settings);
  fmt::print("one core in multiply-adds on registers, float: {:.1f} Gflop/s\n", 1e-9 * peak);
  fmt::print("{:<44} {:>6} {:>13} {:>12} {:>9} {:>9} {:>6}\n", "on one thread", "size",
             "flops/unknown", "ns/unknown", "Gflop/s", "fraction", "bar");
  std::vector<LearnRow> rows;
  for (const int channels : {16, 8, 4, 2, 1})
    for (const int n : {16, 32, 64})
      run_convolution(settings, peak, channels, n, channels == 16 ? least_fraction : 0.0, rows);
  run_convolution(settings, peak, 2, 128, 0.0, rows);
  return rows;
}

nlohmann::json to_json(const LearnRow& row) {
  return {{"name", row.name},
          {"size", row.size},
          {"flops_per_unknown", row.flops_per_unknown},
          {"seconds_per_unknown", row.seconds_per_unknown},
          {"fraction_of_peak", row.fraction},
          {"bar", row.bar}};
}

}  // namespace bench
