#include "shifted_sequence.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>

#include "beta.hpp"

namespace sequences {

void ShiftedOptions::describe(Fields<ShiftedOptions>& f) {
  using O = ShiftedOptions;
  f.add("size", &O::size, Range::closed(1, 1 << 16), "inner nodes along each axis, 1 to 3 numbers");
  f.add("systems", &O::systems, Range::at_least(1), "systems in the sequence");
  f.add("distribution", &O::distribution, Choices{{"high-variance", "low-variance"}},
        "of the shift: Beta(1/2, 3/2) or Beta(2, 6)");
  f.add("shift_low", &O::shift_low, "smallest shift of the diagonal");
  f.add("shift_width", &O::shift_width, Range::above(0.0), "largest shift less the smallest");
}

void ShiftedOptions::check(const ShiftedOptions& o, const std::string& prefix,
                           const SourceLocation& where, Diagnostics& problems) {
  if (o.size.empty() || o.size.size() > 3)
    return problems.add(where, prefix + "size", "must have 1 to 3 numbers");
  // Smallest eigenvalue of the Laplacian: sum of 4 sin^2(pi / (2 (n + 1))).
  double smallest = 0.0;
  for (const int n : o.size) smallest += 4.0 * std::pow(std::sin(0.5 * M_PI / (n + 1.0)), 2);
  if (o.shift_low <= -smallest)
    problems.add(where, prefix + "shift_low",
                 "must be above " + format_number(-smallest) + " for this size, is " +
                     format_number(o.shift_low) + ": the matrix would not be positive definite");
}

/// A Gaussian number not beyond 2 in size: the first of a few trials that is not.
struct TruncatedGaussian {
  RandomStream stream;
  std::uint64_t first;
  double* b;
  KOKKOS_FUNCTION void operator()(Index i) const {
    constexpr std::uint64_t trials = 16;  // all refused: probability 1e-21
    double z = 0.0;
    for (std::uint64_t k = 0; k < trials; ++k) {
      z = stream.normal((first + i) * trials + k);
      if (Kokkos::abs(z) <= 2.0) break;
    }
    b[i] = z;
  }
};

/// values[diagonal entry of row i] += shift.
struct ShiftDiagonal {
  CsrMatrix::RowPointers row_pointers;
  CsrMatrix::Columns columns;
  double shift;
  double* values;
  KOKKOS_FUNCTION void operator()(Index i) const {
    for (GlobalIndex e = row_pointers(i); e < row_pointers(i + 1); ++e)
      if (columns(e) == i) values[e] += shift;
  }
};

ShiftedSequence::ShiftedSequence(const ShiftedOptions& options, const Context& context)
    : LinearSystemSequence(options.systems), options_(options), context_(context) {
  if (context.communicator.size() > 1)
    throw Unsupported("the problem source 'shifted-sequence' puts the whole problem on one rank, "
                      "and this job has " + std::to_string(context.communicator.size()) +
                      " ranks; use 'heat-sequence', or one rank");
  StencilOperator::Constant c;
  grid_.dimension = static_cast<int>(options.size.size());
  for (int a = 0; a < grid_.dimension; ++a) {
    grid_.cells[a] = options.size[static_cast<size_t>(a)];
    c.coupling[a] = 1.0;
    c.wall[a] = {1.0, 1.0};
  }
  laplacian_ = StencilOperator(grid_, c).assemble();
  b_ = Vector("shifted_sequence::b", laplacian_->row_partition());
  x_ = b_.like("shifted_sequence::x");
  start();
}

std::string ShiftedSequence::description() const {
  return "shifted Laplacian, " + std::to_string(grid_.num_cells()) + " unknowns, " +
         options_.distribution + " shifts, " + std::to_string(size()) + " systems";
}

LinearSystemSequence::System ShiftedSequence::make(std::int64_t t, const Vector*) {
  const auto place = static_cast<std::uint64_t>(t);
  const bool high = options_.distribution == "high-variance";
  const double beta = beta_variate(RandomStream(context_.seed, "shifted_sequence::shift"), place,
                                   high ? 0.5 : 2.0, high ? 1.5 : 6.0);
  const double shift = options_.shift_low + options_.shift_width * beta;
  const VectorView values(Kokkos::view_alloc("shifted_sequence::values", Kokkos::WithoutInitializing),
                          laplacian_->values().extent(0));
  Kokkos::deep_copy(values, laplacian_->values());
  const Index n = b_.local_size();
  for_rows(ExecSpace(), "shifted_sequence::shift", n,
           ShiftDiagonal{laplacian_->row_pointers(), laplacian_->columns(), shift, values.data()});
  for_rows(ExecSpace(), "shifted_sequence::right_hand_side", n,
           TruncatedGaussian{RandomStream(context_.seed, "shifted_sequence::b"),
                             place * static_cast<std::uint64_t>(n), b_.data()});
  const auto A = std::make_shared<CsrMatrix>(n, n, laplacian_->row_pointers(),
                                             laplacian_->columns(), values);
  // Its own x: the solution before stays as it is.
  x_ = b_.like("shifted_sequence::x");
  System made{.system = std::make_unique<LinearSystem>(A, b_, x_), .context = shift};
  made.system->grid = grid_;
  made.system->text = description();
  return made;
}

}  // namespace sequences
