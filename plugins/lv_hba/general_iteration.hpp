#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>

namespace lv_hba {

using namespace libsolve;

/// LV-HBA on any bilevel program, by values, gradients and products with J^T of the lower level's
/// constraints. Theta stays in Y, (x, y) in `coupled_set`.
class GeneralLvHba final : public LvHbaIteration {
 public:
  /// `problem` outlives it.
  GeneralLvHba(const BilevelProgram& problem, std::shared_ptr<Projection> coupled_set);

  void start(const ConstVectorView& v) override;
  LvHbaProgress run(const LvHbaSettings& settings, std::int64_t first, std::int64_t count) override;
  void current(const VectorView& v, const VectorView& theta, const VectorView& lambda) override;
  double bytes_per_iteration() const override;

 private:
  void set_row_length(double length);
  void adjoint_of_multipliers(const VectorView& out);

  const BilevelProgram* problem_;
  std::shared_ptr<Projection> coupled_set_;
  Index nx_, ny_, m_;
  VectorView v_, moved_, lower_v_;  ///< (x, y), where it goes to, (x, theta)
  VectorView upper_slopes_, slopes_, lower_slopes_, adjoint_;
  VectorView g_, lambda_, z_, weights_, scale_, low_, high_;
  VectorView theta_low_, theta_high_;
  double row_length_ = -1.0;
};

/// 1 / |gradient of g_i| at v, 1 where that is 0 or not known; on the host.
std::vector<double> inverse_row_lengths(ProgramFunctions& functions, const ConstVectorView& v);

}  // namespace lv_hba
