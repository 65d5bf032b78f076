#include <libsolve/plugin/register.hpp>

#include "bures_wasserstein.hpp"
#include "sliced.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<sliced::Sliced>(
      {.name = "sliced",
       .summary = "sliced Wasserstein distance, its gradients, and the best plan of a direction",
       .paper = "Bonneel, Rabin, Peyre, Pfister, Sliced and Radon Wasserstein barycenters of "
                "measures, J. Math. Imaging Vis. 2015; Mahey, Chapel, Gasso, Bonet, Courty, Fast "
                "optimal transport through sliced generalized Wasserstein geodesics, NeurIPS 2023"});
  registrar.add<sliced::DistributionalSliced>(
      {.name = "distributional-sliced",
       .summary = "the von Mises-Fisher distribution of directions with the largest sliced cost (v-DSW)",
       .paper = "Nguyen, Ho, Pham, Bui, Distributional sliced-Wasserstein and applications to "
                "generative modeling, ICLR 2021; Nguyen, Nguyen, Ho, Pham, Bui, Improving relational "
                "regularized autoencoders with spherical sliced fused Gromov Wasserstein, ICLR 2021"});
  registrar.add<sliced::BuresWasserstein>(
      {.name = "bures-wasserstein",
       .summary = "transport between the Gaussians of two clouds: a proven lower bound, potentials",
       .paper = "Gelbrich, On a formula for the L2 Wasserstein metric between measures on Euclidean "
                "and Hilbert spaces, Math. Nachr. 1990"});
}
