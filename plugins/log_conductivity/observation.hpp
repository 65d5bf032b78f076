#pragma once

#include <libsolve/core/types.hpp>
#include <libsolve/core/component.hpp>
#include <array>
#include <vector>

namespace log_conductivity {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Q: values at points by (bi- or tri-)linear interpolation between cell centres, the nearest ones'
/// where a point is closer to a wall than they; without points the values of all cells. Blocks of
/// functions at once.
class Observation {
 public:
  using Point = std::array<double, 3>;
  Observation(const Grid& grid, const std::vector<Point>& points);
  Index num_data() const { return num_data_; }
  Index num_cells() const { return num_cells_; }
  /// r = w (Q y - d); d may be null.
  void residual(int functions, double w, const double* y, const double* d, double* r) const;
  /// out = Q^T r.
  void apply_transpose(int functions, const double* r, double* out) const;
  /// Row k of Q on the host.
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
  Index num_cells_, num_data_;
  std::vector<std::vector<Entry>> rows_;
  Sparse Q_, Qt_;
};

}  // namespace log_conductivity
