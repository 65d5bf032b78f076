#pragma once

#include <array>
#include <libsolve/optimize/proximal_operator.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <vector>

#include "convex_pass.hpp"

namespace learned_proximal {

struct LearnedProximalOptions {
  std::string weights = "proximal-2d";
  double scale = 1.0;
  bool symmetric = true;

  static void describe(Fields<LearnedProximalOptions>& f);
};

/// A learned regulariser R, by its proximal operator (Fang, Buchanan, Sulam 2024):
///   prox_R(x) = f(x) = s grad psi(x / s),   psi a convex network (convex_network.hpp), s `scale`,
/// for t = 1 only; with `symmetric` the mean of psi over the eight turns and mirror images of x.
/// The gradient of a convex psi is the proximal operator of some R (Gribonval, Nikolova, A
/// characterization of proximity operators, J. Math. Imaging Vis. 62, 2020), convex or not; as psi
/// is alpha-strongly convex f is one to one and R is finite everywhere:
///   R(f(y)) = <y, f(y)> - |f(y)|^2 / 2 - s^2 psi(y / s),   R(x) from y = f^{-1}(x).
/// Functions on 2D grids of square cells, each field by itself; zeros beyond the walls. One rank,
/// no bounds. The network works on the host, in double.
class LearnedProximal final : public ProximalOperator {
 public:
  using Options = LearnedProximalOptions;
  LearnedProximal(const Options& options, const Context& context)
      : options_(options), base_folder_(context.base_folder) {}
  /// Unsupported for 1D and 3D, no grid, cells that are not square, several ranks, bounds;
  /// InputError for weights that are not those of such a network.
  void prepare(const ProximalSpace& space) override;
  double apply(const Vector& x, double t, double tolerance, const Vector& z) override;
  /// Known without work for the last points that apply() returned or that were asked for; else by
  /// Newton's method for f(y) = x, and nothing where that does not get there or is stopped.
  std::optional<double> value(const Vector& x) override;
  std::optional<double> fixed_step() const override { return 1.0; }
  std::vector<Measure> work_counts() const override;

 private:
  /// s^2 psi(y / s); f(y) into f where it is not null, psi''(y / s) v into Hv where v is not.
  double evaluate(const double* y, double* f, const double* v = nullptr, double* Hv = nullptr);
  /// f(y) into f; returns R there.
  double apply_to_field(const double* y, double* f);
  /// The y with f(y) = x, from y; false where it is not found.
  bool invert(const double* x, std::vector<double>& y);
  /// R(x) of one field; NaN where it is not found.
  double value_of(const double* x);

  /// A point, and R there; NaN: was not found.
  struct Known {
    std::vector<double> z;
    double value = 0.0;
  };
  void remember(Known known);

  Options options_;
  std::string base_folder_;
  std::vector<PackedNetwork<double>> networks_;  ///< for each symmetry
  std::unique_ptr<ConvexPass<double>> pass_;
  std::size_t fields_ = 1, cells_ = 0;
  std::array<Known, 6> known_ = {};
  std::size_t next_known_ = 0;
  std::int64_t passes_ = 0, inversions_ = 0;
};

}  // namespace learned_proximal
