#include <libsolve/plugin/register.hpp>

#include "exact.hpp"
#include "k_sparse.hpp"
#ifdef LIBSOLVE_HAVE_LEMON
#include "lemon_method.hpp"
#endif

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sparse_transport::Exact>(
      {.name = "exact",
       .summary = "unregularised: network simplex from an entropic basis, certified by the duality gap",
       .paper = "Cunningham, A network simplex method, Mathematical Programming 11, 1976"});
  constexpr const char* sparse =
      "Liu, Puigcerver, Blondel, Sparsity-constrained optimal transport, ICLR 2023";
  registrar.add<sparse_transport::SparsityConstrained>(
      {.name = "sparsity-constrained",
       .summary = "quadratic regularisation and at most k nonzeros in a column of the plan",
       .paper = sparse});
  registrar.add<sparse_transport::Quadratic>(
      {.name = "quadratic", .summary = "quadratic regularisation, by semismooth Newton", .paper = sparse});
#ifdef LIBSOLVE_HAVE_LEMON
  registrar.add<sparse_transport::Lemon>(
      {.name = "lemon",
       .summary = "unregularised: LEMON's network simplex on all entries, a reference for small cases",
       .paper = "Dezso, Juttner, Kovacs, LEMON: an open source C++ graph template library, ENTCS 264, "
                "2011"});
#endif
}
