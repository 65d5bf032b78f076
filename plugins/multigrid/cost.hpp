/// \file
/// What visits and set-up of levels cost, in doubles that STREAM triad moves meanwhile, for each
/// number stored. Factors fitted to 26 operators at 64^3 and 128^3 on one core (AVX-512), three kinds of
/// levels with V, F and W cycles: counted and timed steps are within a quarter of each other.
/// Counted, so that what is chosen by them is the same in every run.
#pragma once

namespace multigrid::cost {

/// For each number of z, padding included, and two sweeps before and after.
inline constexpr double pc_constant = 11, pc_variable = 28, seven_point = 31, full_box = 130;
inline constexpr double pc_variable_setup = 97, seven_point_setup = 90, full_box_setup = 400;
/// For each coupling of a graph of pieces; set-up for each piece, and for each cell of the finest grid.
inline constexpr double piece = 17, piece_setup = 170, graph_setup = 480, piece_transfer = 22;
/// For each entry of the factor of the direct solver: a solve, and, times the bandwidth, set-up.
inline constexpr double band = 0.6, band_setup = 0.15;
/// What flexible CG does around the cycle, for each unknown of the finest grid.
inline constexpr double krylov_constant = 14, krylov_variable = 18;

inline double sweeps(int pre, int post) { return 0.15 + 0.85 * (pre + post) / 4.0; }

}  // namespace multigrid::cost
