#pragma once

#include <array>
#include <libsolve/core/export.hpp>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/report.hpp>
#include <libsolve/core/vector.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// Anything a plugin provides by name. The abstract classes below it carry
/// `static constexpr std::string_view kind` ("linear-solver", "preconditioner", "problem-source"),
/// under which the registry files what derives from them, and `problem_class` ("linear", ...).
class LIBSOLVE_EXPORT Component {
 public:
  virtual ~Component();
};

/// Uniform structured grid of cells: x fastest, cell (i, j, k) has index i + nx (j + ny k). Unused
/// axes have one cell. Lengths in the problem's own units.
struct Grid {
  int dimension = 3;
  std::array<Index, 3> cells = {1, 1, 1};
  std::array<double, 3> spacing = {1.0, 1.0, 1.0};
  std::array<double, 3> origin = {0.0, 0.0, 0.0};  ///< lower corner of cell (0, 0, 0)
  GlobalIndex num_cells() const { return GlobalIndex{cells[0]} * cells[1] * cells[2]; }
};

/// Cells (i, j, k) of a grid with begin[a] <= index < end[a] along each axis.
struct Box {
  std::array<Index, 3> begin = {0, 0, 0};
  std::array<Index, 3> end = {1, 1, 1};
  Index cells(int axis) const { return end[axis] - begin[axis]; }
  GlobalIndex num_cells() const { return GlobalIndex{cells(0)} * cells(1) * cells(2); }
  bool operator==(const Box&) const = default;
};

/// A field of a problem to be stored: `values` is distributed or plain; `grid` where it is one
/// value per cell.
struct Field {
  std::string name = {};
  Vector values = {};
  std::vector<GlobalIndex> shape = {};  ///< empty = one-dimensional; slowest axis first, as HDF5 wants
  std::string units = {};
  std::string description = {};
  std::optional<Grid> grid = {};
  /// The grid's axes, the fastest first, one letter each: "xt" where rows are times.
  std::string axis_names = "xyz";
  /// Where the grid is cut into a box for each rank (GridPartition): the cells that `values` holds
  /// here, x fastest.
  std::optional<Box> box = {};
  /// The values are whole numbers (indices), to be stored as 64-bit integers.
  bool whole_numbers = false;
};

/// A problem on the device, with its data and its (current) solution.
class LIBSOLVE_EXPORT Problem {
 public:
  virtual ~Problem();
  virtual std::string_view problem_class() const = 0;
  /// One line for progress output and results: "3D Poisson, 128 x 128 x 128, Dirichlet".
  virtual std::string description() const = 0;
  /// What the results file stores under /solution; the current values.
  virtual std::vector<Field> solution() const = 0;
  /// Input fields worth storing beside the solution (coefficient, mask, right-hand side).
  virtual std::vector<Field> data() const;
  /// The measures that decide, recomputed from the problem and its current solution.
  virtual std::vector<Measure> verify() const = 0;
  /// Unknowns over all ranks, for speed per unknown.
  virtual GlobalIndex num_unknowns() const = 0;
};

/// Solves problems of one class.
class LIBSOLVE_EXPORT Method : public Component {
 public:
  ~Method() override;
  /// Solves in place: the solution ends up in the problem. Throws Unsupported for a problem of
  /// another class; not converging is in the report, never an exception.
  virtual Report solve(Problem& problem, Monitor& monitor) = 0;
};

/// Builds a problem from options (a generator or a reader of files).
class LIBSOLVE_EXPORT ProblemSource : public Component {
 public:
  static constexpr std::string_view kind = "problem-source";
  ~ProblemSource() override;
  virtual std::unique_ptr<Problem> create() = 0;
};

}  // namespace libsolve
