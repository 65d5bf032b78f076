#include <algorithm>
#include <libsolve/linear/ordering.hpp>
#include <numeric>

namespace libsolve {
namespace {

/// Neighbours of each row in A + A^T, without the row itself; an entry that stands on both sides is
/// listed twice, which does no harm here.
struct Graph {
  std::vector<GlobalIndex> begin;
  std::vector<Index> neighbour;

  explicit Graph(const HostCsr& A) : begin(static_cast<size_t>(A.num_rows) + 1, 0) {
    const auto for_each_edge = [&](const auto& use) {
      for (Index i = 0; i < A.num_rows; ++i)
        for (GlobalIndex k = A.begin(i); k < A.end(i); ++k)
          if (A.columns(k) != i) use(i, A.columns(k));
    };
    for_each_edge([&](Index i, Index j) {
      ++begin[i + 1];
      ++begin[j + 1];
    });
    for (Index i = 0; i < A.num_rows; ++i) begin[i + 1] += begin[i];
    neighbour.resize(static_cast<size_t>(begin.back()));
    std::vector<GlobalIndex> next(begin.begin(), begin.end() - 1);
    for_each_edge([&](Index i, Index j) {
      neighbour[next[i]++] = j;
      neighbour[next[j]++] = i;
    });
  }
  GlobalIndex degree(Index i) const { return begin[i + 1] - begin[i]; }
};

/// Breadth-first from `start` over rows not yet in `done`; returns the rows met, those of the last
/// level from `last_level` on. Neighbours are taken by increasing degree.
std::vector<Index> breadth_first(const Graph& G, Index start, std::vector<unsigned char>& done,
                                 size_t& last_level, Index& num_levels) {
  std::vector<Index> met = {start};
  done[start] = 1;
  last_level = 0;
  num_levels = 0;
  std::vector<Index> found;
  for (size_t level_begin = 0; level_begin < met.size();) {
    const size_t level_end = met.size();
    last_level = level_begin;
    ++num_levels;
    for (size_t k = level_begin; k < level_end; ++k) {
      found.clear();
      for (GlobalIndex e = G.begin[met[k]]; e < G.begin[met[k] + 1]; ++e)
        if (done[G.neighbour[e]] == 0) {
          done[G.neighbour[e]] = 1;
          found.push_back(G.neighbour[e]);
        }
      std::sort(found.begin(), found.end(), [&](Index a, Index b) {
        return G.degree(a) != G.degree(b) ? G.degree(a) < G.degree(b) : a < b;
      });
      met.insert(met.end(), found.begin(), found.end());
    }
    level_begin = level_end;
  }
  return met;
}

}  // namespace

std::vector<Index> natural_order(Index num_rows) {
  std::vector<Index> order(static_cast<size_t>(num_rows));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<Index> places(const std::vector<Index>& order) {
  std::vector<Index> place(order.size());
  for (size_t k = 0; k < order.size(); ++k) place[order[k]] = static_cast<Index>(k);
  return place;
}

Colouring multicolour_order(const HostCsr& A) {
  const Graph G(A);
  std::vector<Index> colour(static_cast<size_t>(A.num_rows), -1);
  std::vector<Index> taken_by;  // taken_by[c] == i: a neighbour of row i has colour c
  for (Index i = 0; i < A.num_rows; ++i) {
    for (GlobalIndex e = G.begin[i]; e < G.begin[i + 1]; ++e)
      if (const Index c = colour[G.neighbour[e]]; c >= 0) taken_by[c] = i;
    Index own = 0;
    while (own < static_cast<Index>(taken_by.size()) && taken_by[own] == i) ++own;
    if (own == static_cast<Index>(taken_by.size())) taken_by.push_back(-1);
    colour[i] = own;
  }
  Colouring result{natural_order(A.num_rows), static_cast<Index>(taken_by.size())};
  std::stable_sort(result.order.begin(), result.order.end(),
                   [&](Index a, Index b) { return colour[a] < colour[b]; });
  return result;
}

std::vector<Index> reverse_cuthill_mckee(const HostCsr& A) {
  const Graph G(A);
  std::vector<unsigned char> done(static_cast<size_t>(A.num_rows), 0);
  std::vector<Index> order;
  order.reserve(done.size());
  for (Index first = 0; first < A.num_rows; ++first) {
    if (done[first] != 0) continue;
    // Walk to an end of the component: the last level's row of least degree, while levels increase.
    Index start = first;
    Index most_levels = 0;
    std::vector<Index> met;
    for (;;) {
      size_t last_level = 0;
      Index num_levels = 0;
      met = breadth_first(G, start, done, last_level, num_levels);
      if (num_levels <= most_levels) break;
      most_levels = num_levels;
      start = *std::min_element(met.begin() + static_cast<std::ptrdiff_t>(last_level), met.end(),
                                [&](Index a, Index b) { return G.degree(a) < G.degree(b); });
      for (const Index i : met) done[i] = 0;
    }
    order.insert(order.end(), met.begin(), met.end());
  }
  std::reverse(order.begin(), order.end());
  return order;
}

}  // namespace libsolve
