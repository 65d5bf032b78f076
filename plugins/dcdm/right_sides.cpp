#include "right_sides.hpp"

#include <algorithm>
#include <cmath>

#include "lanczos.hpp"

namespace dcdm {

namespace {

constexpr double smallest_ritz_value = 1e-8;

/// Kept in float: a thousand of 16^3 are 16 MB.
class SmoothedNoise final : public RightSides {
 public:
  SmoothedNoise(const HostOperator& A, int samples, int longest_axis, std::uint64_t seed) {
    const RandomStream values(seed, "dcdm::smoothed_noise");
    const RandomStream choices(seed, "dcdm::smoothing");
    const double most = std::max(1.0, 0.25 * longest_axis * longest_axis);
    std::vector<double> x(A.size()), Ax(A.size()), noise(A.size());
    for (std::uint64_t s = 0; s < static_cast<std::uint64_t>(samples); ++s) {
      white_noise(A, values, 2 * s * A.size(), x);
      // log-uniform on [1, most + 1), less one
      const double k = std::exp(choices.uniform(2 * s, 0.0, std::log(most + 1.0))) - 1.0;
      for (int sweep = 0; sweep < static_cast<int>(k); ++sweep) {
        A.apply(x.data(), Ax.data());
        add(-0.5 / A.largest_diagonal(), Ax, x);
      }
      normalise(x);
      white_noise(A, values, (2 * s + 1) * A.size(), noise);
      add(std::pow(10.0, -choices.uniform(2 * s + 1, 0.3, 2.3)), noise, x);
      normalise(x);
      samples_.emplace_back(x.begin(), x.end());
    }
  }
  void sample(std::uint64_t i, std::vector<double>& b) const override {
    const auto& s = samples_[static_cast<size_t>(i)];
    b.assign(s.begin(), s.end());
  }

 private:
  std::vector<std::vector<float>> samples_;
};

class RitzCombinations final : public RightSides {
 public:
  RitzCombinations(const HostOperator& A, const DataOptions& o, std::uint64_t seed)
      : coefficients_(seed, "dcdm::ritz_coefficients"), low_factor_(o.ritz_low_factor) {
    std::vector<double> noise(A.size()), start(A.size());
    white_noise(A, RandomStream(seed, "dcdm::lanczos"), 0, noise);
    A.apply(noise.data(), start.data());
    for (size_t c = 0; c < start.size(); ++c) start[c] *= A.open()[c];
    RitzPairs pairs = lanczos(A, std::move(start), o.ritz_vectors);
    const size_t m = pairs.values.size();
    num_low_ = m / 2 + m / 20;
    for (size_t k = 0; k < m; ++k)
      if (pairs.values[k] >= smallest_ritz_value) vectors_.push_back(std::move(pairs.vectors[k]));
  }
  void sample(std::uint64_t i, std::vector<double>& b) const override {
    std::fill(b.begin(), b.end(), 0.0);
    for (size_t k = 0; k < vectors_.size(); ++k)
      add((k < num_low_ ? low_factor_ : 1.0) * coefficients_.normal(i * vectors_.size() + k),
          vectors_[k], b);
    normalise(b);
  }

 private:
  RandomStream coefficients_;
  double low_factor_;
  size_t num_low_ = 0;
  std::vector<std::vector<double>> vectors_;
};

}  // namespace

void DataOptions::describe(Fields<DataOptions>& f) {
  using O = DataOptions;
  f.add("data", &O::data, Choices{{"own-residuals", "smoothed-noise", "ritz"}},
        "right sides to learn from: residuals that the method itself meets (linear networks), "
        "smoothed noise, or combinations of Ritz vectors (as published)");
  f.add("samples", &O::samples, Range::at_least(1), "right sides, but for own-residuals");
  f.add("ritz_vectors", &O::ritz_vectors, Range::at_least(2), "Ritz vectors, m");
  f.add("ritz_low_factor", &O::ritz_low_factor, Range::above(0.0),
        "factor on the coefficients of the lowest m/2 + m/20");
}

RightSides::~RightSides() = default;

void white_noise(const HostOperator& A, const RandomStream& stream, std::uint64_t first,
                 std::vector<double>& b) {
  for (size_t c = 0; c < b.size(); ++c) b[c] = A.open()[c] * stream.normal(first + c);
  normalise(b);
}

std::unique_ptr<RightSides> RightSides::make(const DataOptions& options, const HostOperator& A,
                                             const std::array<int, 3>& cells, std::uint64_t seed) {
  if (options.data == "smoothed-noise")
    return std::make_unique<SmoothedNoise>(A, options.samples,
                                           *std::max_element(cells.begin(), cells.end()), seed);
  if (options.data == "ritz") return std::make_unique<RitzCombinations>(A, options, seed);
  return nullptr;
}

}  // namespace dcdm
