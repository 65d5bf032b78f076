#include <fmt/format.h>

#include <cmath>
#include <libsolve/run/run.hpp>
#include <nlohmann/json.hpp>

#include "app.hpp"

namespace app {

namespace {

using Json = nlohmann::ordered_json;
using libsolve::ExitCode;
using libsolve::Measure;

Json to_json(const std::vector<Measure>& list) {
  Json object = Json::object();
  for (const Measure& m : list) object[m.name] = m.value;  // NaN becomes null
  return object;
}

Json to_json(const libsolve::RunOutcome& outcome) {
  const libsolve::Report& r = outcome.report;
  Json object;
  object["status"] = outcome.exit_code == ExitCode::unwritable && r.reason.empty()
                         ? "unwritable"
                         : std::string(to_string(r.status));
  object["exit_code"] = static_cast<int>(outcome.exit_code);
  object["reason"] = r.reason;
  object["iterations"] = r.iterations;
  object["problem"] = outcome.problem;
  object["measures"] = to_json(r.measures);
  object["seconds"] = to_json(r.seconds);
  object["counts"] = to_json(r.counts);
  object["metrics"] = to_json(r.metrics);
  object["notes"] = r.notes;
  object["results"] = outcome.results_path.empty() ? Json(nullptr) : Json(outcome.results_path);
  if (!outcome.error.empty()) object["error"] = outcome.error;
  return object;
}

/// "12.3 ms", "1.23 s".
std::string time_text(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.1f} ns", 1e9 * seconds);
  if (seconds < 1e-3) return fmt::format("{:.1f} us", 1e6 * seconds);
  if (seconds < 1.0) return fmt::format("{:.1f} ms", 1e3 * seconds);
  return fmt::format("{:.2f} s", seconds);
}

void print_summary(const libsolve::RunOutcome& outcome, const char* steps) {
  const libsolve::Report& r = outcome.report;
  fmt::print("{} after {} {}: {}\n", to_string(r.status), r.iterations, steps, r.reason);
  for (const Measure& m : r.measures)
    fmt::print("  {} = {:.3e}{}\n", m.name, m.value, m.unit.empty() ? "" : " " + m.unit);
  std::string phases;
  for (const Measure& m : r.seconds)
    phases += fmt::format("{}{} {}", phases.empty() ? "" : ", ", m.name, time_text(m.value));
  const double per_unknown = r.value("seconds_per_unknown");
  fmt::print("  {}", phases);
  if (std::isfinite(per_unknown))
    fmt::print("; {:.0f} unknowns, {} each", r.value("unknowns"), time_text(per_unknown));
  if (const double td = r.value("td"); std::isfinite(td))
    fmt::print(", {:.0f} td (triad {:.1f} GB/s)", td, 1e-9 * r.value("triad_bandwidth"));
  fmt::print("\n");
  if (const double reductions = r.value("reductions_per_iteration"); std::isfinite(reductions))
    fmt::print(
        "  each iteration, on the rank that sends most: {:.1f} reductions, {:.1f} messages, {:.1f} "
        "kB\n",
        reductions, r.value("messages_per_iteration"),
        1e-3 * r.value("message_bytes_per_iteration"));
  for (const std::string& note : r.notes) fmt::print("  note: {}\n", note);
}

}  // namespace

void print_outcome(const libsolve::RunOutcome& outcome, const char* steps, bool json, bool quiet) {
  if (json) {
    fmt::print("{}\n", to_json(outcome).dump(2));
  } else if (!quiet && !outcome.report.reason.empty()) {
    print_summary(outcome, steps);
  }
  print_results(outcome.results_path, outcome.error, quiet || json);
}

}  // namespace app
