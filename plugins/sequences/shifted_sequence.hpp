#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/linear_system_sequence.hpp>
#include <libsolve/plugin/registry.hpp>

namespace sequences {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct ShiftedOptions {
  std::vector<int> size = {10, 10};
  std::int64_t systems = 5000;
  std::string distribution = "high-variance";
  double shift_low = -0.15;
  double shift_width = 0.6;
  static void describe(Fields<ShiftedOptions>& f);
  static void check(const ShiftedOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// (L + c_t I) x = b_t with L the 5-point (7-point) Laplacian of n inner nodes an axis, 4 (6) on the
/// diagonal and -1 beside it, c_t = shift_low + shift_width B_t with B_t of the distribution
/// Beta(1/2, 3/2) ("high-variance") or Beta(2, 6) ("low-variance"), b_t a truncated Gaussian (no
/// entry beyond 2), x_0 = 0 (Khodak et al. 2024, section 4). Context: c_t.
class ShiftedSequence final : public LinearSystemSequence {
 public:
  ShiftedSequence(const ShiftedOptions& options, const Context& context);
  std::string description() const override;
  std::optional<std::pair<double, double>> context_range() const override {
    return {{options_.shift_low, options_.shift_low + options_.shift_width}};
  }

 private:
  System make(std::int64_t t, const Vector* last) override;
  ShiftedOptions options_;
  Context context_;
  Grid grid_;
  std::shared_ptr<CsrMatrix> laplacian_;
  Vector b_;
  Vector x_;
};

class ShiftedSource final : public ProblemSource {
 public:
  using Options = ShiftedOptions;
  static constexpr std::string_view problem_class = LinearSystemSequence::class_name;
  ShiftedSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override {
    return std::make_unique<ShiftedSequence>(options_, context_);
  }

 private:
  Options options_;
  Context context_;
};

}  // namespace sequences
