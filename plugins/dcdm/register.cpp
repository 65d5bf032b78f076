#include <libsolve/plugin/register.hpp>

#include "dcdm.hpp"
#include "preconditioner.hpp"
#include "trainer.hpp"

LIBSOLVE_PLUGIN(registrar) {
  constexpr const char* paper =
      "Kaneda, Akar, Chen, Kala, Hyde, Teran, A deep conjugate direction method for iteratively "
      "solving linear systems, ICML 2023";
  registrar.add<dcdm::Dcdm>(
      {.name = "dcdm",
       .summary = "conjugate directions proposed by a trained network, on structured grids",
       .paper = paper});
  registrar.add<dcdm::NetworkPreconditioner>(
      {.name = "dcdm",
       .summary = "a network trained for dcdm as the preconditioner of flexible methods",
       .paper = paper});
  registrar.add<dcdm::DcdmTrainer>(
      {.name = "dcdm",
       .summary = "trains networks for dcdm by their own loss, without solved systems",
       .paper = paper});
}
