#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <libsolve/run/compare.hpp>
#include <nlohmann/json.hpp>

namespace libsolve {

namespace {

/// "12.3 ms", "1.23 s"; "-" for what is not known.
std::string time_text(double seconds) {
  if (!(seconds > 0.0)) return "-";
  if (seconds < 1e-3) return fmt::format("{:.1f} us", 1e6 * seconds);
  if (seconds < 1.0) return fmt::format("{:.1f} ms", 1e3 * seconds);
  return fmt::format("{:.2f} s", seconds);
}

std::string bytes_text(double bytes) {
  if (!(bytes > 0.0)) return "-";
  if (bytes < 1e6) return fmt::format("{:.1f} kB", 1e-3 * bytes);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", 1e-6 * bytes);
  return fmt::format("{:.2f} GB", 1e-9 * bytes);
}

std::string number_text(double value, const char* format) {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "-";
}

}  // namespace

std::string comparison_text(const Comparison& c) {
  std::vector<std::vector<std::string>> table = {
      {"method", "set-up", "solve", "iterations", "memory", "td", "ratio", "residual", "status"}};
  for (const ComparisonRow& row : c.rows)
    table.push_back({row.method, time_text(row.setup_seconds), time_text(row.solve_seconds),
                     std::to_string(row.iterations), bytes_text(row.memory_bytes),
                     number_text(row.td, "{:.0f}"), number_text(row.ratio, "{:.2f}"),
                     number_text(row.relative_residual, "{:.1e}"), row.status});
  std::vector<size_t> width(table[0].size(), 0);
  for (const auto& line : table)
    for (size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());

  std::string text = fmt::format(
      "{}: {:.0f} unknowns, {} rank{}, {} thread{}{}\n", c.problem, c.unknowns, c.num_ranks,
      c.num_ranks == 1 ? "" : "s", c.num_threads, c.num_threads == 1 ? "" : "s",
      c.triad_seconds_per_double > 0.0
          ? fmt::format(", triad {:.1f} GB/s", 8e-9 / c.triad_seconds_per_double)
          : "");
  for (const auto& line : table) {
    std::string out;
    for (size_t i = 0; i < line.size(); ++i) {
      const bool left = i == 0 || i + 1 == line.size();
      out += i == 0 ? "" : "  ";
      out += left ? fmt::format("{:<{}}", line[i], width[i])
                  : fmt::format("{:>{}}", line[i], width[i]);
    }
    while (out.back() == ' ') out.pop_back();
    text += out + "\n";
  }
  for (const ComparisonRow& row : c.rows)
    if (row.status != "converged")
      text += row.method + ": " + row.status + ": " + row.reason + "\n";
  return text;
}

std::string comparison_json(const Comparison& c) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (const ComparisonRow& r : c.rows)
    rows.push_back({{"method", r.method},
                    {"status", r.status},
                    {"reason", r.reason},
                    {"exit_code", static_cast<int>(r.exit_code)},
                    {"setup_seconds", r.setup_seconds},
                    {"solve_seconds", r.solve_seconds},
                    {"iterations", r.iterations},
                    {"memory_bytes", r.memory_bytes},
                    {"td", r.td},
                    {"ratio", r.ratio},
                    {"relative_residual", r.relative_residual},
                    {"notes", r.notes}});
  Json object = {
      {"problem", c.problem},
      {"unknowns", c.unknowns},
      {"ranks", c.num_ranks},
      {"threads", c.num_threads},
      {"triad_bandwidth",
       c.triad_seconds_per_double > 0.0 ? Json(8.0 / c.triad_seconds_per_double) : Json(nullptr)},
      {"measure", c.measure},
      {"exit_code", static_cast<int>(c.exit_code)},
      {"rows", rows},
      {"results", c.results_path.empty() ? Json(nullptr) : Json(c.results_path)}};
  if (!c.error.empty()) object["error"] = c.error;
  return object.dump(2);
}

}  // namespace libsolve
