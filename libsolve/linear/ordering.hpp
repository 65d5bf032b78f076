#pragma once

#include <libsolve/linear/assembled.hpp>
#include <vector>

/// Orders of the rows of a square matrix, as lists of row numbers: order[k] is the row that comes
/// at place k. All work on the graph of A + A^T, serially on the host, in O(nonzeros).
namespace libsolve {

/// 0, 1, 2, ...
LIBSOLVE_EXPORT std::vector<Index> natural_order(Index num_rows);

/// Places from an order: place[order[k]] = k.
LIBSOLVE_EXPORT std::vector<Index> places(const std::vector<Index>& order);

/// Greedy colouring in natural order: rows of one colour do not couple, and stand together.
struct Colouring {
  std::vector<Index> order;
  Index num_colours = 0;
};
LIBSOLVE_EXPORT Colouring multicolour_order(const HostCsr& A);

/// Reverse Cuthill-McKee (Cuthill, McKee, "Reducing the bandwidth of sparse symmetric matrices",
/// ACM 1969; George, Liu 1981 for the start from a pseudo-peripheral row): a small bandwidth, which
/// makes incomplete factors of badly numbered matrices better.
LIBSOLVE_EXPORT std::vector<Index> reverse_cuthill_mckee(const HostCsr& A);

}  // namespace libsolve
