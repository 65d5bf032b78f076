#include <algorithm>
#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/adjoint_test.hpp>

namespace libsolve {

namespace {

Vector random_vector(const Partition& partition, std::uint64_t seed, const char* purpose) {
  const Vector v("adjoint_test::v", partition);
  fill_uniform(v, RandomStream(seed, purpose));
  return v;
}

/// v^T a against w^T b.
double gap(const Vector& v, const Vector& a, const Vector& w, const Vector& b) {
  const double size = std::max(norm2(v) * norm2(a), norm2(w) * norm2(b));
  const double difference = std::abs(dot(v, a) - dot(w, b));
  return size > 0.0 ? difference / size : difference;
}

}  // namespace

double adjoint_gap(const LinearOperator& A, std::uint64_t seed) {
  const Vector v = random_vector(A.column_partition(), seed, "adjoint_test::v");
  const Vector w = random_vector(A.row_partition(), seed, "adjoint_test::w");
  const Vector Av = w.like("adjoint_test::product"), Atw = v.like("adjoint_test::adjoint");
  A.apply(v, Av);
  A.apply_adjoint(w, Atw);
  return gap(w, Av, v, Atw);
}

ProgramAdjointGaps adjoint_gaps(ProgramFunctions& functions, const Vector& x, std::uint64_t seed) {
  const Communicator comm = functions.communicator();
  const Partition constraints = comm.size() == 1 ? Partition(functions.num_constraints())
                                                 : Partition(comm, functions.num_constraints());
  const Vector v = random_vector(x.partition(), seed, "adjoint_test::v");
  const Vector other = random_vector(x.partition(), seed, "adjoint_test::other");
  const Vector w = random_vector(constraints, seed, "adjoint_test::w");
  const Vector Jv = w.like("adjoint_test::product"), Jtw = v.like("adjoint_test::adjoint");
  const Vector Wv = v.like("adjoint_test::curved"), Wother = v.like("adjoint_test::curved");
  functions.apply_jacobian(x.view(), v.view(), Jv.view());
  functions.apply_jacobian_adjoint(x.view(), w.view(), Jtw.view());
  functions.apply_hessian(x.view(), 1.0, w.view(), v.view(), Wv.view());
  functions.apply_hessian(x.view(), 1.0, w.view(), other.view(), Wother.view());
  return {gap(w, Jv, v, Jtw), gap(other, Wv, v, Wother)};
}

}  // namespace libsolve
