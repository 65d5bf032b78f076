#include <libsolve/plugin/register.hpp>

#include "cost_matrix.hpp"
#include "images.hpp"
#include "point_clouds.hpp"

LIBSOLVE_PLUGIN(registrar) {
  registrar.add<transport_sources::CostMatrixSource>(
      {.name = "cost-matrix", .summary = "optimal transport with a cost matrix from an HDF5 file"});
  registrar.add<transport_sources::PointCloudsSource>(
      {.name = "point-clouds",
       .summary = "optimal transport between clouds of points, |x - y|^p computed on the fly"});
  registrar.add<transport_sources::ImagesSource>(
      {.name = "images",
       .summary = "optimal transport between two pictures: their pixels, or their colours"});
  registrar.add<transport_sources::AssignmentSource>(
      {.name = "assignment", .summary = "optimal transport with a uniform random cost"});
}
