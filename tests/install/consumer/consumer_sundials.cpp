// An outside program with the component sundials: a vector of libsolve's as one of SUNDIALS.
#include <cstdio>

#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/runtime.hpp>

int main(int argc, char** argv) {
  const libsolve::Runtime runtime(argc, argv);
  const libsolve::sun::Context context;
  const libsolve::Vector v("v", libsolve::Partition(100));
  const libsolve::sun::NVectorPointer n(libsolve::sun::make_nvector(v, context));
  N_VConst(2.0, n.get());
  const bool ok = N_VDotProd(n.get(), n.get()) == 400.0;
  std::printf("consumer_sundials: %s\n", ok ? "ok" : "wrong");
  return ok ? 0 : 1;
}
