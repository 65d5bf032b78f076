#include "pieces.hpp"

#include <algorithm>
#include <cstdint>

namespace multigrid {
namespace {

std::array<bool, 3> strong_axes(const PieceGraph& g, double threshold) {
  double strength[3] = {0, 0, 0};
  for (int p = 0; p < g.size(); ++p) {
    double along[3] = {0, 0, 0};
    double diagonal = g.wall[p] + g.mass[p];
    for (int q = g.begin[p]; q < g.begin[p + 1]; ++q) {
      if (g.axis[q] < 3) along[g.axis[q]] += g.coupling[q];
      diagonal += g.coupling[q];
    }
    if (diagonal > 0)
      for (int d = 0; d < 3; ++d) strength[d] += along[d] / diagonal;
  }
  const double largest = std::max({strength[0], strength[1], strength[2]});
  std::array<bool, 3> halved{};
  for (int d = 0; d < 3; ++d)
    halved[d] = g.boxes[d] > 1 && strength[d] > 0 && strength[d] >= threshold * largest;
  return halved;
}

/// Unknowns sorted by the box of the next level they lie in.
struct Boxes {
  std::array<int, 3> n;
  std::vector<int> key;    // box of each unknown
  std::vector<int> begin;  // of the members of each box
  std::vector<int> member;

  Boxes(const PieceGraph& g, const std::array<bool, 3>& halved) : n(g.boxes), key(g.size()) {
    for (int d = 0; d < 3; ++d)
      if (halved[d]) n[d] = (n[d] + 1) / 2;
    begin.assign(std::size_t(n[0]) * n[1] * n[2] + 1, 0);
    for (int p = 0; p < g.size(); ++p) {
      const auto at = above(g.box[p], halved);
      key[p] = at[0] + n[0] * (at[1] + n[1] * at[2]);
      ++begin[key[p] + 1];
    }
    for (std::size_t b = 1; b < begin.size(); ++b) begin[b] += begin[b - 1];
    member.resize(g.size());
    std::vector<int> next(begin.begin(), begin.end() - 1);
    for (int p = 0; p < g.size(); ++p) member[next[key[p]]++] = p;
  }
  static std::array<int, 3> above(std::array<int, 3> at, const std::array<bool, 3>& halved) {
    for (int d = 0; d < 3; ++d)
      if (halved[d]) at[d] /= 2;
    return at;
  }
};

/// Connected pieces of every box, in the order of boxes; colours: parity of the box, and which
/// piece of its box it is.
struct Pieces {
  std::vector<int> of;  // piece of each unknown, -1 where it is coupled to nothing
  std::vector<int> colour;
  std::vector<std::array<int, 3>> box;
};

Pieces connected_pieces(const PieceGraph& g, const Boxes& boxes, const std::array<bool, 3>& halved,
                        const std::vector<double>& largest, double threshold) {
  Pieces out;
  out.of.assign(g.size(), -1);
  std::vector<int> stack;
  for (std::size_t b = 0; b + 1 < boxes.begin.size(); ++b) {
    int rank = 0;
    for (int m = boxes.begin[b]; m < boxes.begin[b + 1]; ++m) {
      const int first = boxes.member[m];
      if (out.of[first] >= 0 || g.begin[first] == g.begin[first + 1]) continue;
      const int piece = int(out.box.size());
      const auto at = Boxes::above(g.box[first], halved);
      out.box.push_back(at);
      out.colour.push_back(2 * rank++ + ((at[0] + at[1] + at[2]) & 1));
      out.of[first] = piece;
      stack.assign(1, first);
      while (!stack.empty()) {
        const int p = stack.back();
        stack.pop_back();
        for (int q = g.begin[p]; q < g.begin[p + 1]; ++q) {
          const int to = g.neighbour[q];
          if (out.of[to] >= 0 || boxes.key[to] != int(b)) continue;
          if (g.coupling[q] < threshold * std::max(largest[p], largest[to])) continue;
          out.of[to] = piece;
          stack.push_back(to);
        }
      }
    }
  }
  return out;
}

/// Renumbers the pieces by colour, keeping the order of boxes within one.
void sort_by_colour(Pieces& pieces, std::vector<int>& colour_begin) {
  int colours = 0;
  for (const int c : pieces.colour) colours = std::max(colours, c + 1);
  colour_begin.assign(colours + 1, 0);
  for (const int c : pieces.colour) ++colour_begin[c + 1];
  for (int c = 0; c < colours; ++c) colour_begin[c + 1] += colour_begin[c];
  std::vector<int> next(colour_begin.begin(), colour_begin.end() - 1);
  std::vector<int> number(pieces.colour.size());
  std::vector<std::array<int, 3>> box(pieces.box.size());
  for (std::size_t p = 0; p < number.size(); ++p) {
    number[p] = next[pieces.colour[p]]++;
    box[number[p]] = pieces.box[p];
  }
  for (int& p : pieces.of)
    if (p >= 0) p = number[p];
  pieces.box = std::move(box);
}

struct Link {
  int to;
  signed char axis;
  double sum;
};

void add_link(std::vector<Link>& links, int to, signed char axis, double value) {
  for (Link& l : links)
    if (l.to == to && l.axis == axis) {
      l.sum += value;
      return;
    }
  links.push_back({to, axis, value});
}

PieceGraph quotient(const PieceGraph& g, const Pieces& pieces, const Boxes& boxes,
                    const std::array<bool, 3>& halved) {
  PieceGraph c;
  c.boxes = boxes.n;
  c.box = pieces.box;
  const int n = c.size();
  c.wall.assign(n, 0.0);
  c.mass.assign(n, 0.0);
  const double wall_part = halved[0] || halved[1] || halved[2] ? 0.5 : 1.0;
  std::vector<std::array<double, 3>> inside(n, {0.0, 0.0, 0.0});
  std::vector<int> child_begin(n + 1, 0);
  for (int p = 0; p < g.size(); ++p) {
    const int to = pieces.of[p];
    if (to < 0) continue;
    ++child_begin[to + 1];
    c.wall[to] += wall_part * g.wall[p];
    c.mass[to] += g.mass[p];
    for (int q = g.begin[p]; q < g.begin[p + 1]; ++q)
      if (g.neighbour[q] > p && pieces.of[g.neighbour[q]] == to && g.axis[q] < 3)
        inside[to][g.axis[q]] += g.coupling[q];
  }
  for (int p = 0; p < n; ++p) child_begin[p + 1] += child_begin[p];
  std::vector<int> child(child_begin[n]);
  std::vector<int> next(child_begin.begin(), child_begin.end() - 1);
  for (int p = 0; p < g.size(); ++p)
    if (pieces.of[p] >= 0) child[next[pieces.of[p]]++] = p;

  c.begin.assign(1, 0);
  std::vector<Link> links;
  for (int p = 0; p < n; ++p) {
    links.clear();
    for (int m = child_begin[p]; m < child_begin[p + 1]; ++m)
      for (int q = g.begin[child[m]]; q < g.begin[child[m] + 1]; ++q) {
        const int to = pieces.of[g.neighbour[q]];
        if (to < 0 || to == p) continue;
        add_link(links, to, c.box[to] == c.box[p] ? 3 : g.axis[q], g.coupling[q]);
      }
    for (const Link& l : links) {
      double part = 1.0;
      if (l.axis < 3 && halved[l.axis]) {
        double resistance = 1.0;
        for (const int piece : {p, l.to})
          if (inside[piece][l.axis] > 0) resistance += l.sum / (2.0 * inside[piece][l.axis]);
        part = std::max(0.5, 1.0 / resistance);
      }
      c.neighbour.push_back(l.to);
      c.axis.push_back(l.axis);
      c.coupling.push_back(part * l.sum);
    }
    c.begin.push_back(int(c.neighbour.size()));
  }
  return c;
}

}  // namespace

template <class Real>
PieceGraph graph_of(const LevelOperator<Real>& op) {
  const auto& n = op.shape.n;
  PieceGraph g;
  g.boxes = n;
  Kokkos::View<Real*, Kokkos::HostSpace> face[3];
  for (int d = 0; d < 3; ++d)
    face[d] = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.face[d]);
  const auto wall = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.wall);
  const auto mass = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), op.mass);
  const auto cells = std::size_t(op.shape.size());
  g.box.reserve(cells);
  g.begin.reserve(cells + 1);
  g.neighbour.reserve(6 * cells);
  g.axis.reserve(6 * cells);
  g.coupling.reserve(6 * cells);
  g.wall.reserve(cells);
  g.mass.reserve(cells);
  g.begin.push_back(0);
  const int step[3] = {1, n[0], n[0] * n[1]};
  for (int k = 0; k < n[2]; ++k)
    for (int j = 0; j < n[1]; ++j)
      for (int i = 0; i < n[0]; ++i) {
        const int at[3] = {i, j, k};
        const int cell = i + n[0] * (j + n[1] * k);
        for (int d = 0; d < 3; ++d) {
          if (n[d] == 1) continue;
          for (int back = 1; back >= 0; --back) {
            if (back ? at[d] == 0 : at[d] + 1 == n[d]) continue;
            const double t = face[d](back ? cell - step[d] : cell);
            if (t == 0) continue;
            g.neighbour.push_back(back ? cell - step[d] : cell + step[d]);
            g.axis.push_back(static_cast<signed char>(d));
            g.coupling.push_back(t);
          }
        }
        g.box.push_back({i, j, k});
        g.wall.push_back(wall(cell));
        g.mass.push_back(mass.size() ? double(mass(cell)) : 0.0);
        g.begin.push_back(int(g.neighbour.size()));
      }
  return g;
}

PieceStep coarsen_pieces(const PieceGraph& fine, const PieceOptions& options) {
  PieceStep step;
  step.halved = strong_axes(fine, options.semi_coarsening);
  const Boxes boxes(fine, step.halved);
  std::vector<double> largest(fine.size(), 0.0);
  int coupled = 0;
  for (int p = 0; p < fine.size(); ++p) {
    for (int q = fine.begin[p]; q < fine.begin[p + 1]; ++q)
      largest[p] = std::max(largest[p], fine.coupling[q]);
    if (largest[p] > 0) ++coupled;
  }
  Pieces pieces;
  for (double threshold = options.threshold;; threshold *= 0.01) {
    if (threshold < 1e-12) threshold = 0.0;
    pieces = connected_pieces(fine, boxes, step.halved, largest, threshold);
    const auto n = double(pieces.box.size());
    if (threshold == 0.0 || n <= 0.6 * coupled || n <= options.direct_size) break;
  }
  std::vector<int> colour_begin{0, int(pieces.box.size())};
  if (int(pieces.box.size()) > options.direct_size) sort_by_colour(pieces, colour_begin);
  step.coarse = quotient(fine, pieces, boxes, step.halved);
  step.coarse.colour_begin = std::move(colour_begin);
  step.parent = std::move(pieces.of);
  return step;
}

BandMatrix band_matrix(const PieceGraph& g) {
  BandMatrix matrix;
  matrix.shape = {{g.size(), 1, 1}};
  matrix.size = g.size();
  for (int p = 0; p < g.size(); ++p) {
    double diagonal = g.wall[p] + g.mass[p];
    for (int q = g.begin[p]; q < g.begin[p + 1]; ++q) {
      diagonal += g.coupling[q];
      if (g.neighbour[q] < p) matrix.entries.push_back({p, g.neighbour[q], -g.coupling[q]});
    }
    matrix.entries.push_back({p, p, diagonal});
  }
  return matrix;
}

template PieceGraph graph_of(const LevelOperator<float>&);
template PieceGraph graph_of(const LevelOperator<double>&);

}  // namespace multigrid
