#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <libsolve/core/random.hpp>
#include <libsolve/linear/batched_least_squares.hpp>

#include "batches_peer.hpp"
#include "bench.hpp"
#include "peak.hpp"

namespace bench {

namespace {

using Exec = libsolve::ExecSpace;
using Arrays = libsolve::BatchArrays<Exec>;

template <class View>
void fill_random(const View& view, const char* purpose) {
  const libsolve::RandomStream stream(1, purpose);
  const auto host = Kokkos::create_mirror_view(view);
  for (std::size_t i = 0; i < view.size(); ++i) host.data()[i] = stream.uniform(i, -1.0, 1.0);
  Kokkos::deep_copy(view, host);
}

/// A batch of random problems, solved by each way in turn.
class Batch {
 public:
  Batch(const Settings& settings, double peak, const libsolve::LeastSquaresShape& shape)
      : settings_(settings),
        peak_(peak),
        s_(shape),
        Phi_("bench::Phi", s_.problems, s_.rows, s_.unknowns),
        C_("bench::C", s_.problems, s_.constraints, s_.unknowns),
        d_("bench::d", s_.problems, s_.rows),
        e_("bench::e", s_.problems, s_.constraints),
        g_("bench::g", s_.problems, s_.unknowns),
        lambda_("bench::lambda", s_.problems),
        solver_(Exec(), s_),
        solution_(s_),
        gradient_(s_) {
    fill_random(Phi_, "Phi");
    fill_random(C_, "C");
    fill_random(d_, "d");
    fill_random(e_, "e");
    fill_random(g_, "g");
    Kokkos::deep_copy(lambda_, 1e-6);
    batch_ = {Phi_, d_, C_, e_, lambda_, {}, {}};
  }

  std::vector<BatchRow> measure() {
    const double m = s_.rows, n = s_.unknowns, c = s_.constraints, p = n - c;
    BatchRow solve = row("solve"), adjoint = row("adjoint"), qr = row("Eigen, the same by QR"),
             normal = row("Eigen, normal equations");
    solve.flops = 2 * c * c * (n - c / 3) + m * (4 * n * c - 2 * c * c) + 2 * m * p * p + 4 * m * n;
    adjoint.flops = 9 * m * n + 12 * n * c + 2 * p * p;
    const PeerBatch peer{s_, batch_, lambda_};
    for (int r = 0; r <= 3 * settings_.repeat; ++r) {
      const bool warm = r > 0;
      time(solve, warm, [&] { (void)solver_.solve(batch_, solution_); });
      time(adjoint, warm, [&] { solver_.adjoint(batch_, solution_, g_, gradient_); });
      if (!have_peer) continue;
      time(qr, warm, [&] { qr.difference = peer.difference(Peer::qr, solution_.w); });
      time(normal, warm, [&] { normal.difference = peer.difference(Peer::normal, solution_.w); });
    }
    std::vector<BatchRow> rows = {solve, adjoint};
    if (have_peer) rows.insert(rows.end(), {qr, normal});
    for (BatchRow& r : rows) {
      if (r.flops > 0.0) r.fraction = r.flops / r.seconds / peak_;
      if (have_peer && r.name == "solve") r.speedup = qr.seconds / r.seconds;
    }
    return rows;
  }

 private:
  BatchRow row(const char* name) const {
    return {.name = name,
            .rows = s_.rows,
            .unknowns = s_.unknowns,
            .constraints = s_.constraints,
            .problems = s_.problems,
            .seconds = 1e300};
  }
  template <class Work>
  void time(BatchRow& row, bool counts, const Work& work) const {
    const double start = now(settings_.clock);
    work();
    Kokkos::fence("bench::batch");
    if (counts) row.seconds = std::min(row.seconds, (now(settings_.clock) - start) / s_.problems);
  }

  Settings settings_;
  double peak_;
  libsolve::LeastSquaresShape s_;
  Arrays::Matrix<double> Phi_, C_;
  Arrays::Vector<double> d_, e_, g_;
  Arrays::Scalar<double> lambda_;
  libsolve::BatchedLeastSquares<> solver_;
  libsolve::LeastSquaresSolution<Exec> solution_;
  libsolve::LeastSquaresGradient<Exec> gradient_;
  libsolve::LeastSquaresBatch<Exec> batch_;
};

}  // namespace

std::vector<BatchRow> run_batches(const Settings& settings) {
  const double peak = peak_flops<double>(settings) * Exec().concurrency();
  fmt::print("multiply-adds on registers, double: {:.1f} Gflop/s\n", 1e-9 * peak);
  fmt::print("{:<26} {:>14} {:>9} {:>11} {:>9} {:>9} {:>8} {:>10}\n", "least squares in a batch",
             "m x n, c", "problems", "us/problem", "Gflop/s", "fraction", "speed-up", "difference");
  std::vector<BatchRow> rows;
  for (const auto& [m, n, c] : {std::array<int, 3>{24, 8, 2},
                                {32, 16, 4},
                                {64, 32, 8},
                                {64, 32, 0},
                                {128, 64, 16},
                                {256, 64, 16}}) {
    const int problems = std::max(64, 2'000'000 / (m * n) / 8 * 8);
    for (const BatchRow& row : Batch(settings, peak, {problems, m, n, c}).measure()) {
      fmt::print("{:<26} {:>14} {:>9} {:>11.3f} {:>9} {:>9} {:>8} {:>10}\n", row.name,
                 fmt::format("{} x {}, {}", m, n, c), problems, 1e6 * row.seconds,
                 row.flops > 0.0 ? fmt::format("{:.1f}", 1e-9 * row.flops / row.seconds) : "-",
                 row.fraction > 0.0 ? fmt::format("{:.2f}", row.fraction) : "-",
                 row.speedup > 0.0 ? fmt::format("{:.1f}", row.speedup) : "-",
                 row.difference >= 0.0 ? fmt::format("{:.1e}", row.difference) : "-");
      rows.push_back(row);
    }
    std::fflush(stdout);
  }
  return rows;
}

nlohmann::json to_json(const BatchRow& row) {
  return {{"name", row.name},
          {"rows", row.rows},
          {"unknowns", row.unknowns},
          {"constraints", row.constraints},
          {"problems", row.problems},
          {"seconds_per_problem", row.seconds},
          {"flops_per_problem", row.flops},
          {"fraction_of_peak", row.fraction},
          {"speedup_over_eigen", row.speedup},
          {"largest_difference", row.difference}};
}

}  // namespace bench
