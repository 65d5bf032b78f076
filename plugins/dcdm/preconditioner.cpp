#include "preconditioner.hpp"

#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace dcdm {

NetworkPreconditioner::NetworkPreconditioner(const Options& options, const Context& context)
    : engine_(options.weights, context), seed_(context.seed) {}

void NetworkPreconditioner::setup(const LinearSystem& system) {
  engine_.prepare(system, "the preconditioner dcdm");
  const Vector r = system.b().like("dcdm::probe"), z = system.x().like("dcdm::probe");
  fill_normal(r, RandomStream(seed_, "dcdm::probe"));
  sign_ = 1.0;
  apply(r, z);
  if (dot(r, z) < 0.0) sign_ = -1.0;
}

void NetworkPreconditioner::apply(const Vector& r, const Vector& z) {
  const double norm = norm2(r);
  if (norm == 0.0) return fill(z, 0.0);
  engine_.apply(r, norm, z);
  scale(sign_ * norm, z);
}

}  // namespace dcdm
