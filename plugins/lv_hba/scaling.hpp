#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <memory>

namespace lv_hba {

using namespace libsolve;

/// The largest eigenvalues (in size) of F'' and f'' at v, by a few power iterations on products
/// from a drawn vector; 0 for linear functions.
struct Curvature {
  double upper = 0.0;
  double lower = 0.0;
};
Curvature curvature_at(const BilevelProgram& problem, const ConstVectorView& v, std::uint64_t seed);

/// Steps, proximal and penalty parameters of lv-hba-scaled: those of one setting for f and F of
/// curvature 1 and constraint rows of length 1, in the problem's own units. So multiplying f, F or
/// a constraint by a number changes nothing.
struct ScaledSettings {
  double step = 0.4;
  double proximal = 4.0;
  double center = 0.5;
  double weight = 5.0;
  double exponent = 0.45;
};
LvHbaSettings scaled(const ScaledSettings& s, const Curvature& curvature);

}  // namespace lv_hba
