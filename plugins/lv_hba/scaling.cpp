#include "scaling.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace lv_hba {

namespace {

constexpr int power_iterations = 8;

double largest_eigenvalue(ProgramFunctions& functions, const ConstVectorView& v,
                          std::uint64_t seed) {
  const Vector w("lv_hba::power", Partition(static_cast<GlobalIndex>(v.extent(0))));
  const Vector image = w.like("lv_hba::power_image");
  const VectorView no_weights("lv_hba::weights",
                              static_cast<std::size_t>(functions.num_constraints()));
  fill_normal(w, RandomStream(seed, "lv_hba::power"));
  double size = 0.0;
  for (int k = 0; k < power_iterations; ++k) {
    const double length = norm2(w);
    if (!(length > 0.0) || !std::isfinite(length)) break;
    scale(1.0 / length, w);
    functions.apply_hessian(v, 1.0, no_weights, w.view(), image.view());
    size = norm2(image);
    copy(image, w);
  }
  return std::isfinite(size) ? size : 0.0;
}

}  // namespace

Curvature curvature_at(const BilevelProgram& problem, const ConstVectorView& v,
                       std::uint64_t seed) {
  return {largest_eigenvalue(problem.upper(), v, seed),
          largest_eigenvalue(problem.lower(), v, seed)};
}

LvHbaSettings scaled(const ScaledSettings& s, const Curvature& curvature) {
  const double lower = curvature.lower > 0.0 ? curvature.lower : 1.0;
  const double upper = curvature.upper > 0.0 ? curvature.upper : lower;
  LvHbaSettings settings;
  settings.alpha = settings.eta = s.step / lower;
  settings.gamma1 = settings.gamma2 = s.proximal / lower;
  settings.beta = s.center / lower;
  settings.c0 = s.weight * upper / lower;
  settings.p = s.exponent;
  settings.row_length = lower;
  return settings;
}

}  // namespace lv_hba
