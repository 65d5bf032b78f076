#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/monitor.hpp>
#include <optional>
#include <string>
#include <vector>

namespace libsolve {

/// What a regulariser acts on: vectors x of `num_fields` functions one after the other, each one value
/// for each cell of `grid` (or each node, as the cell around it), x fastest.
struct ProximalSpace {
  Partition partition;
  std::optional<Grid> grid = {};
  Index num_fields = 1;
  /// Bounds of x on this rank; empty: none.
  std::vector<double> lower = {};
  std::vector<double> upper = {};
  bool has_bounds() const noexcept { return !lower.empty(); }
  /// Product of the spacings, 1 without a grid: what sums over cells are multiplied by to be integrals.
  LIBSOLVE_EXPORT double cell_volume() const;
  std::string what = "x";  ///< for messages
};

/// The proximal operator (Moreau 1965) of a regulariser R together with the space's bounds C,
///   prox_tR(x) = argmin over z in C of  1/2 |z - x|^2 + t R(z),   t > 0,
/// |.| the Euclidean norm of the coefficients. Where functions have a lumped mass matrix w I, as on grids
/// of equal cells, |.|_W^2 = w |.|^2, so that the operator of the W-norm is prox_(t/w)R: one operator
/// serves both. Mass matrices that are not multiples of I have no such relation.
class LIBSOLVE_EXPORT ProximalOperator : public Component {
 public:
  static constexpr std::string_view kind = "proximal-operator";
  static constexpr std::string_view problem_class = "optimize";
  ~ProximalOperator() override;

  /// Before anything else; again for another space. Unsupported where the operator cannot work there:
  /// no grid, several ranks, bounds.
  virtual void prepare(const ProximalSpace& space) = 0;

  /// z with |z - prox_tR(x)| <= tolerance. Returns a bound of that distance: 0 for closed forms, more
  /// than `tolerance` where it could not be met, NaN for an x that is not finite. x and z do not alias.
  /// Collective; complete on return.
  virtual double apply(const Vector& x, double t, double tolerance, const Vector& z) = 0;

  /// R(x), bounds left out; nothing where it is not known. Collective.
  virtual std::optional<double> value(const Vector& x) = 0;
  /// The only t that apply() takes, of operators that were made (trained) for one.
  virtual std::optional<double> fixed_step() const;
  /// Iterations inside apply() since prepare(), and other work, by name, for reports.
  virtual std::vector<Measure> work_counts() const;

  /// Who may say stop while apply() iterates; it then returns with what it has and the bound of that.
  /// Null: nobody. Outlives its use.
  void heed(Monitor* monitor) noexcept { monitor_ = monitor; }

 protected:
  /// To be asked now and then by what iterates. On all ranks.
  bool is_stopped() const { return monitor_ != nullptr && monitor_->poll() != Verdict::proceed; }

 private:
  Monitor* monitor_ = nullptr;
};

}  // namespace libsolve
