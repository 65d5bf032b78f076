#pragma once

#include <array>
#include <libsolve/core/types.hpp>
#include <libsolve/pde/cell_layers.hpp>
#include <vector>

namespace log_conductivity {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Q: values at points by (bi- or tri-)linear interpolation between cell centres, the nearest ones'
/// where a point is closer to a wall than they; without points the values of all cells. Blocks of
/// functions at once. Over ranks a point lies on every rank that has one of its cells, so that Q^T
/// needs no messages, and counts on one of them.
class Observation {
 public:
  using Point = std::array<double, 3>;
  Observation(const GridPartition& parts, const std::vector<Point>& points);
  /// Data that this rank sees, of one function; which of all points or cells of the grid they are,
  /// and whether they count here.
  Index num_data() const { return num_data_; }
  GlobalIndex number(Index k) const { return numbers_[static_cast<std::size_t>(k)]; }
  bool counts(Index k) const { return counted_[static_cast<std::size_t>(k)] != 0.0; }
  Index num_cells() const { return layers_.num_cells(); }
  /// r = w (Q y - d); d may be null. Collective.
  void residual(double w, const ConstVectorView& y, const double* d, const VectorView& r) const;
  /// sum over this rank's functions and data that count of r^2.
  double squares(const ConstVectorView& r) const;
  /// out = Q^T r.
  void apply_transpose(int functions, const double* r, double* out) const;
  /// Row k of Q on the host, columns in padded arrays.
  struct Entry {
    Index column;
    double value;
  };
  const std::vector<Entry>& row(Index k) const { return rows_[static_cast<std::size_t>(k)]; }

 private:
  struct Sparse {
    Kokkos::View<Index*, MemSpace> first, column;
    Kokkos::View<double*, MemSpace> value;
  };
  static Sparse on_device(const std::vector<std::vector<Entry>>& rows);
  void add_point(const Grid& grid, const Point& point, GlobalIndex number);
  void add_all_cells(const Grid& grid);
  CellLayers layers_;
  Index num_data_ = 0;
  std::vector<std::vector<Entry>> rows_;
  std::vector<GlobalIndex> numbers_;
  std::vector<double> counted_;  ///< 1 or 0
  Sparse Q_, Qt_;
  Kokkos::View<double*, MemSpace> is_counted_;
  mutable VectorView room_;
};

}  // namespace log_conductivity
