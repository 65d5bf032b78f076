#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/core/random.hpp>
#include <memory>

#include "host_operator.hpp"

namespace dcdm {

struct DataOptions {
  std::string data = "own-residuals";
  int samples = 1000;
  int ritz_vectors = 300;
  double ritz_low_factor = 9.0;

  static void describe(Fields<DataOptions>& f);
};

/// Right sides of unit norm to learn from, 0 in solid cells. Sample i is a function of the seed and
/// i; there are options.samples of them.
///   smoothed-noise: k sweeps of x - A x / (2 max diag A) on white noise, k log-uniform in
///     [0, n^2 / 4] (n the cells along the longest axis), normalised, plus white noise of relative
///     size 10^-(0.3 ... 2.3).
///   ritz (Kaneda et al., section 4.2 and their code): sum c_i v_i over m Ritz vectors v_i of A
///   from
///     A times noise, c_i standard normal, times 9 for the lowest m / 2 + m / 20 (500 of the
///     paper's m = 10 000); pairs of value below 1e-8 are left out.
class RightSides {
 public:
  virtual ~RightSides();
  /// The i-th one into b.
  virtual void sample(std::uint64_t i, std::vector<double>& b) const = 0;
  /// cells: of the grid. Null for own-residuals, which have no data stage.
  static std::unique_ptr<RightSides> make(const DataOptions& options, const HostOperator& A,
                                          const std::array<int, 3>& cells, std::uint64_t seed);
};

/// White noise of unit norm in open cells: numbers first, first + 1, ... of the stream.
void white_noise(const HostOperator& A, const RandomStream& stream, std::uint64_t first,
                 std::vector<double>& b);

}  // namespace dcdm
