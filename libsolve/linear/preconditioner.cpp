#include <libsolve/linear/preconditioner.hpp>

namespace libsolve {

Preconditioner::~Preconditioner() = default;

DotPair Preconditioner::apply_with_dots(const Vector& r, const Vector& z, const Vector* q) {
  apply(r, z);
  if (q != nullptr) return dot2(z, r, *q);
  return {dot(r, z), 0.0};
}

}  // namespace libsolve
