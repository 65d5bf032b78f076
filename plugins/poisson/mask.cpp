#include "mask.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/linear/grid_halo.hpp>
#include <numbers>
#include <numeric>
#include <vector>

#include "fields.hpp"

namespace poisson {

using libsolve::RandomStream;

/// A solid body in relative coordinates (the grid is the unit cube), and the channels through it.
struct Body {
  static constexpr int channels_per_axis = 4;
  int dimension = 3;
  bool sphere = false;
  double centre[3] = {0.5, 0.5, 0.5};
  double radius[3] = {0.0, 0.0, 0.0};  ///< half-widths of a box
  Index begin[3] = {0, 0, 0};          ///< cells that the body may touch
  Index end[3] = {1, 1, 1};
  /// Channel q along axis a: cells [low[a][q][b], low[a][q][b] + width[a][q]) along both other axes
  /// b.
  int num_channels = 0;
  Index low[3][channels_per_axis][3] = {};
  Index width[3][channels_per_axis] = {};
};

/// One team a body. Bodies overlap: a cell may be written more than once, always with 1.
struct PaintBodies {
  using Team = Kokkos::TeamPolicy<libsolve::ExecSpace>::member_type;
  Geometry g;
  Kokkos::View<const Body*, MemSpace> bodies;
  unsigned char* solid;

  KOKKOS_INLINE_FUNCTION void operator()(const Team& team) const {
    const Body& body = bodies(team.league_rank());
    // of the body's cells those in the box
    Index begin[3], extent[3];
    Index cells = 1;
    for (int a = 0; a < 3; ++a) {
      const Index end = body.end[a] < g.begin[a] + g.cells[a] ? body.end[a] : g.begin[a] + g.cells[a];
      begin[a] = body.begin[a] > g.begin[a] ? body.begin[a] : g.begin[a];
      extent[a] = end > begin[a] ? end - begin[a] : 0;
      cells *= extent[a];
    }
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, cells),
                         [&](Index i) { paint(body, begin, extent, i); });
  }

  KOKKOS_INLINE_FUNCTION void paint(const Body& body, const Index* begin, const Index* extent,
                                    Index local) const {
    Index at[3];
    double distance = 0.0;
    for (int a = 0; a < 3; ++a) {
      at[a] = begin[a] + local % extent[a];
      local /= extent[a];
      if (a >= body.dimension) continue;
      const double d = ((at[a] + 0.5) / g.n[a] - body.centre[a]) / body.radius[a];
      distance = body.sphere ? distance + d * d : (d * d > distance ? d * d : distance);
    }
    if (distance > 1.0) return;
    for (int a = 0; a < body.dimension; ++a)
      for (int q = 0; q < body.num_channels; ++q) {
        bool inside = true;
        for (int b = 0; b < body.dimension; ++b)
          if (b != a)
            inside = inside && at[b] >= body.low[a][q][b] &&
                     at[b] < body.low[a][q][b] + body.width[a][q];
        if (inside) return;
      }
    solid[g.cell(at)] = 1;
  }
};

struct CopyMask {
  const double* field;
  unsigned char* solid;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const { solid[c] = field[c] != 0.0 ? 1 : 0; }
};

namespace {

/// Random bodies of half-widths [r / 2, r]: as many as cover `fraction` of the volume on average,
/// 1 - exp(-count volume), if thrown independently.
std::vector<Body> random_bodies(const PoissonOptions& options, const Geometry& g,
                                std::uint64_t seed) {
  const bool sphere = options.mask == "spheres";
  const bool channels = options.mask == "channels";
  const double r = channels ? 0.16 : 0.1;
  const int d = g.dimension;
  // Mean volume: spheres pi^(d/2) / Gamma(d/2 + 1) E[rho^d]; boxes 2^d E[rho]^d.
  double volume = std::pow(2.0 * 0.75 * r, d);
  if (sphere) {
    const double unit = d == 1 ? 2.0 : (d == 2 ? std::numbers::pi : 4.0 * std::numbers::pi / 3.0);
    volume = unit * std::pow(r, d) * (1.0 - std::pow(0.5, d + 1)) / (0.5 * (d + 1));
  }
  const auto count = static_cast<int>(std::lround(-std::log(1.0 - options.mask_fraction) / volume));
  const RandomStream stream(seed, "poisson::mask");
  std::uint64_t next = 0;
  std::vector<Body> bodies(static_cast<size_t>(std::max(0, count)));
  for (Body& body : bodies) {
    body.dimension = d;
    body.sphere = sphere;
    const double rho = stream.uniform(next++, 0.5 * r, r);
    for (int a = 0; a < d; ++a) {
      body.centre[a] = stream.uniform(next++);
      body.radius[a] = sphere ? rho : stream.uniform(next++, 0.5 * r, r);
      const double low = (body.centre[a] - body.radius[a]) * g.n[a];
      const double high = (body.centre[a] + body.radius[a]) * g.n[a];
      body.begin[a] = std::clamp<Index>(static_cast<Index>(std::floor(low)), 0, g.n[a]);
      body.end[a] = std::clamp<Index>(static_cast<Index>(std::ceil(high)) + 1, 0, g.n[a]);
    }
    if (!channels) continue;
    body.num_channels = Body::channels_per_axis;
    for (int a = 0; a < d; ++a)
      for (int q = 0; q < Body::channels_per_axis; ++q) {
        body.width[a][q] = stream.uniform(next++) < 0.5 ? 1 : 2;
        for (int b = 0; b < d; ++b)
          body.low[a][q][b] = static_cast<Index>(
              stream.uniform(next++, body.begin[b], std::max(body.begin[b] + 1, body.end[b])));
      }
  }
  return bodies;
}

}  // namespace

Solid make_mask(const PoissonOptions& options, const Geometry& g,
                const libsolve::Context& context) {
  if (options.mask == "none") return {};
  Solid solid("poisson::mask", static_cast<size_t>(g.num_cells()));
  if (options.mask == "file") {
    const libsolve::Vector field = read_field(options.mask_file, options.mask_dataset, g, context);
    Kokkos::parallel_for("poisson::mask_from_file", Policy(0, g.num_cells()),
                         CopyMask{field.data(), solid.data()});
    Kokkos::fence("poisson::mask_from_file");
    return solid;
  }
  const std::vector<Body> list = random_bodies(options, g, context.seed);
  Kokkos::View<Body*, MemSpace> bodies("poisson::bodies", list.size());
  Kokkos::deep_copy(bodies, Kokkos::View<const Body*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>(
                                list.data(), list.size()));
  Kokkos::parallel_for(
      "poisson::paint_bodies",
      Kokkos::TeamPolicy<libsolve::ExecSpace>(static_cast<int>(list.size()), Kokkos::AUTO),
      PaintBodies{g, bodies, solid.data()});
  return solid;
}

/// Makes a cell solid that has no link to anything: its row would be 0. Two such cells are never
/// neighbours, so the order of cells does not matter.
struct CloseLoneCells {
  Geometry g;
  unsigned char* solid;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    if (solid[c] != 0) return;
    Index at[3];
    g.locate(c, at);
    Index stride = 1;
    for (int a = 0; a < g.dimension; ++a) {
      // what lies beyond a box that ends inside the grid is not known, and taken as fluid
      if (g.holds_before(a, at[a]) ? solid[c - stride] == 0 : at[a] > 0 || g.dirichlet[a][0])
        return;
      if (g.holds_after(a, at[a]) ? solid[c + stride] == 0
                                  : at[a] + 1 < g.n[a] || g.dirichlet[a][1])
        return;
      stride *= g.cells[a];
    }
    solid[c] = 1;
  }
};

void close_lone_cells(const Geometry& g, const Solid& solid) {
  Kokkos::parallel_for("poisson::close_lone_cells", Policy(0, g.num_cells()),
                       CloseLoneCells{g, solid.data()});
}

struct CopyPart {
  Geometry around, own;
  const unsigned char* from;
  unsigned char* to;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    Index at[3];
    own.locate(c, at);
    to[c] = from[around.cell(at)];
  }
};

Solid own_mask(const Geometry& around, const Geometry& own, const Solid& solid) {
  if (solid.extent(0) == 0 || around.box() == own.box()) return solid;
  const Solid part("poisson::mask", static_cast<size_t>(own.num_cells()));
  Kokkos::parallel_for("poisson::own_mask", Policy(0, own.num_cells()),
                       CopyPart{around, own, solid.data(), part.data()});
  return part;
}

namespace {

/// Sets of cells that know their smallest member.
class DisjointSets {
 public:
  explicit DisjointSets(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  Index find(Index c) {
    while (parent_[c] != c) {
      parent_[c] = parent_[parent_[c]];
      c = parent_[c];
    }
    return c;
  }
  void join(Index a, Index b) {
    a = find(a);
    b = find(b);
    if (a < b)
      parent_[b] = a;
    else
      parent_[a] = b;
  }

 private:
  std::vector<Index> parent_;
};

}  // namespace

namespace {

using libsolve::GridPartition;

/// The same numbers for all cells of a component that several ranks share: each takes the smallest
/// of what the ranks beside it have, until nothing changes.
/// value[c] belongs to the component of which c is the root; cells of others are not looked at.
void spread_smallest(const Geometry& g, const GridPartition& parts,
                     const std::array<VectorView, 3>& face, DisjointSets& sets,
                     std::vector<std::int64_t>& value) {
  const Index n = g.num_cells();
  const libsolve::GridHalo halo(parts, 1);
  const Geometry around = g.with_box(halo.box());
  const Kokkos::HostSpace host;
  // Faces of all cells around, for the links from the rank before.
  std::array<VectorView::HostMirror, 3> links;
  for (int a = 0; a < 3; ++a) {
    if (g.n[a] == 1) continue;
    const VectorView all("poisson::faces", static_cast<size_t>(around.num_cells()));
    halo.fetch<double>(face[a], all);
    links[a] = Kokkos::create_mirror_view_and_copy(host, all);
  }
  // Pairs of a cell here and one beyond a cut that a face links.
  std::vector<std::pair<Index, Index>> pairs;
  for (Index c = 0; c < n; ++c) {
    Index at[3];
    g.locate(c, at);
    for (int a = 0; a < 3; ++a) {
      if (g.n[a] == 1) continue;
      Index beside[3] = {at[0], at[1], at[2]};
      if (!g.holds_after(a, at[a]) && at[a] + 1 < g.n[a]) {
        ++beside[a];
        if (links[a](around.cell(at)) > 0.0) pairs.emplace_back(c, around.cell(beside));
        --beside[a];
      }
      if (!g.holds_before(a, at[a]) && at[a] > 0) {
        --beside[a];
        if (links[a](around.cell(beside)) > 0.0) pairs.emplace_back(c, around.cell(beside));
      }
    }
  }
  const VectorView own("poisson::labels", static_cast<size_t>(n));
  const VectorView all("poisson::labels", static_cast<size_t>(around.num_cells()));
  const auto own_host = Kokkos::create_mirror_view(own);
  for (bool changed = true; changed;) {
    changed = false;
    for (Index c = 0; c < n; ++c)
      own_host(c) = static_cast<double>(value[static_cast<size_t>(sets.find(c))]);
    Kokkos::deep_copy(own, own_host);
    halo.fetch<double>(own, all);
    const auto theirs = Kokkos::create_mirror_view_and_copy(host, all);
    for (const auto& [here, there] : pairs) {
      auto& mine = value[static_cast<size_t>(sets.find(here))];
      const auto other = static_cast<std::int64_t>(theirs(there));
      if (other < mine) {
        mine = other;
        changed = true;
      }
    }
    changed = parts.communicator().any(changed);
  }
}

}  // namespace

std::optional<libsolve::NullSpace> find_null_space(const Geometry& g, const GridPartition& parts,
                                                   const std::array<VectorView, 3>& face,
                                                   const VectorView& excess, const Solid& solid) {
  const Index n = g.num_cells();
  const auto e = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), excess);
  const auto is_solid = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), solid);
  DisjointSets sets(static_cast<size_t>(n));
  Index stride = 1;
  for (int a = 0; a < 3; ++a) {
    if (g.n[a] > 1) {
      const auto f = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), face[a]);
      for (Index c = 0; c < n; ++c)
        if (f(c) > 0.0 && c / stride % g.cells[a] + 1 < g.cells[a]) sets.join(c, c + stride);
    }
    stride *= g.cells[a];
  }
  // Each component's smallest row, and 0 where some cell of it has an excess (it is not singular
  // then) or is solid, else 1.
  const GlobalIndex first_row = parts.partition().first_row();
  std::vector<std::int64_t> smallest(static_cast<size_t>(n)), free(static_cast<size_t>(n), 1);
  for (Index c = 0; c < n; ++c) {
    const auto root = static_cast<size_t>(sets.find(c));
    if (root == static_cast<size_t>(c)) smallest[root] = first_row + c;
    if (e(c) > 0.0 || (is_solid.extent(0) != 0 && is_solid(c) != 0)) free[root] = 0;
  }
  const bool is_cut = parts.communicator().size() > 1;
  if (is_cut) {
    spread_smallest(g, parts, face, sets, smallest);
    spread_smallest(g, parts, face, sets, free);
  }
  // Numbers for the components, given by the ranks that have their smallest rows.
  std::vector<std::int64_t> number(static_cast<size_t>(n), -1);
  std::int64_t count = 0;
  for (Index c = 0; c < n; ++c) {
    const auto root = static_cast<size_t>(sets.find(c));
    if (free[root] != 0 && smallest[root] == first_row + c)
      number[static_cast<size_t>(c)] = count++;
  }
  const std::int64_t before = parts.communicator().exclusive_scan(count);
  const std::int64_t total = parts.communicator().sum(count);
  if (total == 0) return std::nullopt;
  Kokkos::View<std::int64_t*, MemSpace> numbers("poisson::numbers", static_cast<size_t>(n));
  const auto numbers_host = Kokkos::create_mirror_view(numbers);
  for (Index c = 0; c < n; ++c) {
    const std::int64_t k = number[static_cast<size_t>(c)];
    numbers_host(c) = k < 0 ? -1 : before + k;
  }
  Kokkos::deep_copy(numbers, numbers_host);
  std::vector<GlobalIndex> wanted;
  for (Index c = 0; c < n; ++c) {
    const auto root = static_cast<size_t>(sets.find(c));
    if (root == static_cast<size_t>(c) && free[root] != 0) wanted.push_back(smallest[root]);
  }
  const libsolve::Halo of_numbers(parts.partition(), wanted);
  const Kokkos::View<std::int64_t*, MemSpace> got("poisson::numbers", wanted.size());
  of_numbers.fetch<std::int64_t>(numbers, got);
  const auto got_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), got);

  Kokkos::View<Index*, MemSpace> labels("poisson::components", static_cast<size_t>(n));
  const auto host = Kokkos::create_mirror_view(labels);
  size_t next = 0;
  for (Index c = 0; c < n; ++c) {
    const Index root = sets.find(c);
    if (free[static_cast<size_t>(root)] == 0)
      host(c) = -1;
    else
      host(c) = root == c ? static_cast<Index>(got_host(next++)) : host(root);
  }
  Kokkos::deep_copy(labels, host);
  return libsolve::NullSpace(labels, static_cast<Index>(total), parts.partition());
}

}  // namespace poisson
