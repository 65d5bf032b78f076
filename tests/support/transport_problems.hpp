#pragma once

#include <cstdint>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <memory>
#include <vector>

/// Transport problems of the reference families, the same for the same seed. Largest cost 1 but
/// where said; `eta` is the regularisation relative to it.
namespace libsolve::test {

/// C_ij uniform on [0, 1), a = b = 1 / n.
std::unique_ptr<TransportProblem> random_assignment(Index n, double eta, std::uint64_t seed = 1);

struct CloudCase {
  Index n = 100;
  Index m = 100;
  int dimension = 2;
  PointNorm norm = PointNorm::euclidean;
  double power = 2.0;
  bool random_masses = false;  ///< uniform on [0.5, 1.5) before they are normalised
  std::uint64_t seed = 1;
};
/// Both clouds uniform in the unit cube.
std::unique_ptr<TransportProblem> random_clouds(const CloudCase& c, double eta);

/// Two drawings on `side` x `side` pixels, a ring and a hooked stroke as digits 0 and 7 have them, on
/// a ground of 1 % of the ink, so that every pixel has mass. Cost |x - y|_1 or |x - y|_2^2.
std::unique_ptr<TransportProblem> digit_images(Index side, PointNorm norm, double eta);
/// The drawing alone, total 1, rows from top to bottom; `digit` 0 or 7.
std::vector<double> digit_image(Index side, int digit);

/// Coordinates in rows -> points on the device, and back.
DenseBlock to_block(const std::vector<std::vector<double>>& rows);
std::vector<std::vector<double>> to_host(const DenseBlock& block);

/// A problem from plain numbers: C in rows; regularisation absolute.
std::unique_ptr<TransportProblem> transport_problem(const std::vector<std::vector<double>>& C,
                                                    const std::vector<double>& a,
                                                    const std::vector<double>& b,
                                                    double regularization);

/// Every C_ij, in rows, and every P_ij of the potentials or the stored plan: for checks that do not
/// go through the passes that methods use. One rank.
std::vector<std::vector<double>> dense_cost(const TransportCost& cost);
std::vector<std::vector<double>> dense_plan(const TransportProblem& problem);

}  // namespace libsolve::test
