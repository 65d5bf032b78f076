#pragma once

#include <libsolve/core/monitor.hpp>
#include <string>
#include <vector>

namespace libsolve::test {

/// Keeps every sample, and asks to stop at one iteration if told to.
class RecordingMonitor final : public Monitor {
 public:
  RecordingMonitor() = default;
  RecordingMonitor(std::int64_t stop_at, Verdict verdict) : stop_at_(stop_at), verdict_(verdict) {}

  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override {
    iterations.push_back(iteration);
    names.clear();
    for (const Sample& s : samples) names.emplace_back(s.name);
    first_values.push_back(samples.empty() ? 0.0 : samples.front().value);
    return iteration == stop_at_ ? verdict_ : Verdict::proceed;
  }

  std::vector<std::int64_t> iterations;
  std::vector<double> first_values;  ///< of the first sample: "residual_norm" for linear solvers
  std::vector<std::string> names;

 private:
  std::int64_t stop_at_ = -1;
  Verdict verdict_ = Verdict::proceed;
};

}  // namespace libsolve::test
