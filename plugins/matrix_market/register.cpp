#include "matrix_market_source.hpp"

#include <libsolve/plugin/register.hpp>

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<matrix_market::MatrixMarketSource>(
      {.name = "matrix-market",
       .summary = "linear system A x = b with A, and b where wanted, from Matrix Market files",
       .paper = "Boisvert, Pozo, Remington, The Matrix Market exchange formats: initial design, "
                "NISTIR 5935, 1996"});
}
