#include <libsolve/plugin/register.hpp>

#include "heat_sequence.hpp"
#include "matrix_sequence.hpp"
#include "shifted_sequence.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Khodak, Chow, Balcan, Talwalkar, Learning to relax: setting solver parameters across a "
      "sequence of linear system instances, ICLR 2024";
  registrar.add<sequences::HeatSource>(
      {.name = "heat-sequence",
       .summary = "time steps of the 2D or 3D heat equation with a changing diffusivity",
       .paper = paper});
  registrar.add<sequences::ShiftedSource>(
      {.name = "shifted-sequence",
       .summary = "a Laplacian plus random shifts of the diagonal, random right-hand sides",
       .paper = paper});
  registrar.add<sequences::MatrixSequenceSource>(
      {.name = "matrix-sequence", .summary = "Matrix Market files, one system after the other"});
}
