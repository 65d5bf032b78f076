#include <fmt/format.h>

#include <cstdio>

#include "bench.hpp"

namespace bench {

void print_header(const std::vector<KernelRow>&) {
  fmt::print("{:<52} {:>9} {:>8} {:>12} {:>9} {:>6}\n", "kernel", "size", "doubles", "ns/unknown",
             "fraction", "bar");
}

void print(const KernelRow& row) {
  const std::string verdict =
      row.bar > 0.0 ? fmt::format("{:>6.2f} {}", row.bar, row.fraction >= row.bar ? "pass" : "FAIL")
                    : fmt::format("{:>6}", "-");
  fmt::print("{:<52} {:>9} {:>8.2f} {:>12.3f} {:>9.2f} {}\n", row.name, row.size, row.doubles,
             1e9 * row.seconds_per_unknown, row.fraction, verdict);
  std::fflush(stdout);
}

void print_solve_header() {
  fmt::print("{:<28} {:>11} {:>10} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}  {}\n", "case",
             "size", "unknowns", "steps", "residual", "set-up td", "solve td", "total td",
             "first td", "seconds", "B/unk", "bar (steps, td, B)");
}

void print(const SolveRow& row) {
  const auto bar = [](double v) { return v > 0.0 ? fmt::format("{:.0f}", v) : std::string("-"); };
  fmt::print(
      "{:<28} {:>11} {:>10.0f} {:>5.0f} {:>9.2e} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.3f} "
      "{:>7.1f}  "
      "{}, {}, {} {}{}\n",
      row.name, row.size, row.unknowns, row.iterations, row.relative_residual, row.setup_td,
      row.solve_td, row.total_td(), row.first_td, row.seconds, row.bytes_per_unknown,
      bar(row.max_iterations), bar(row.max_td), bar(row.max_bytes), row.passed() ? "pass" : "FAIL",
      row.status == "converged" ? "" : " (" + row.status + ": " + row.reason + ")");
  std::fflush(stdout);
}

nlohmann::json to_json(const KernelRow& row) {
  return {{"name", row.name},
          {"size", row.size},
          {"doubles_per_unknown", row.doubles},
          {"seconds_per_unknown", row.seconds_per_unknown},
          {"fraction_of_triad", row.fraction},
          {"bar", row.bar}};
}

nlohmann::json to_json(const SolveRow& row) {
  return {{"name", row.name},
          {"size", row.size},
          {"unknowns", row.unknowns},
          {"status", row.status},
          {"reason", row.reason},
          {"notes", row.notes},
          {"iterations", row.iterations},
          {"relative_residual", row.relative_residual},
          {"triad_seconds_per_double_before", row.triad_before},
          {"triad_seconds_per_double_after", row.triad_after},
          {"setup_td", row.setup_td},
          {"solve_td", row.solve_td},
          {"total_td", row.total_td()},
          {"first_td", row.first_td},
          {"seconds", row.seconds},
          {"bytes_per_unknown", row.bytes_per_unknown},
          {"bar_iterations", row.max_iterations},
          {"bar_td", row.max_td},
          {"bar_bytes_per_unknown", row.max_bytes},
          {"passed", row.passed()}};
}

}  // namespace bench
