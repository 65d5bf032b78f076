#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/registry.hpp>

namespace log_conductivity {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct LogConductivityOptions {
  std::string observations = "full";
  std::optional<int> size = std::nullopt;
  std::optional<int> dimension = std::nullopt;
  int num_sources = 6;
  int num_points = 64;
  std::optional<double> noise = std::nullopt;
  std::optional<double> gradient_cost = std::nullopt;
  std::optional<double> value_cost = std::nullopt;
  std::string weight = "nodes";
  std::string start = "parameter";

  static void describe(Fields<LogConductivityOptions>& f);
};

/// min 1/2 sum_s w |Q y_s - d_s|^2 + 1/2 (m - m_r)^T R (m - m_r), A(m) y_s = b_s (README.md).
class LogConductivitySource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = LogConductivityOptions;
  LogConductivitySource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace log_conductivity
