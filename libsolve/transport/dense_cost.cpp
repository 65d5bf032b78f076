#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/transport/cost_functions.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/functor_cost.hpp>

namespace libsolve {

namespace {

class DenseCost final : public FunctorCost<StoredEntries> {
 public:
  DenseCost(const DenseBlock& stored, const Partition& rows, Index num_columns,
            const std::string& text)
      : FunctorCost({stored.data(), stored.stride(0)}, rows, num_columns, text), stored_(stored) {}
  std::shared_ptr<const TransportCost> transposed() const override;
  double memory_bytes() const override { return 8.0 * static_cast<double>(stored_.span()); }

 private:
  DenseBlock stored_;
};

struct Transpose {
  DenseBlock from, to;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    for (std::size_t j = 0; j < to.extent(1); ++j) to(i, j) = j < from.extent(0) ? from(j, i) : 0.0;
  }
};

DenseBlock padded_block(Index n, Index m) {
  return DenseBlock(Kokkos::view_alloc("transport::cost", Kokkos::WithoutInitializing),
                    static_cast<std::size_t>(n), static_cast<std::size_t>(detail::padded(m)));
}

std::shared_ptr<const TransportCost> DenseCost::transposed() const {
  refuse_several_ranks();
  const DenseBlock to = padded_block(num_columns(), rows().local_size());
  Kokkos::parallel_for("transport::transpose",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, num_columns()),
                       Transpose{stored_, to});
  ExecSpace().fence();
  return std::make_shared<DenseCost>(to, Partition(num_columns()), rows().local_size(),
                                     description());
}

/// Copies a row and finds its first entry that is no cost (m where all are).
struct CopyRow {
  DenseBlock from, to;
  KOKKOS_FUNCTION void operator()(const Index i, GlobalIndex& first_bad) const {
    const std::size_t m = from.extent(1);
    for (std::size_t j = 0; j < to.extent(1); ++j) {
      const double c = j < m ? from(i, j) : 0.0;
      to(i, j) = c;
      const GlobalIndex place =
          GlobalIndex{i} * static_cast<GlobalIndex>(m) + static_cast<GlobalIndex>(j);
      if (!(c >= 0.0 && c <= largest_double) && place < first_bad) first_bad = place;
    }
  }
};

}  // namespace

std::shared_ptr<const TransportCost> make_dense_cost(const DenseBlock& C, const Partition& rows,
                                                     const std::string& text) {
  const auto m = static_cast<Index>(C.extent(1));
  DenseBlock stored;
  together(rows.communicator(), [&] {
    if (static_cast<GlobalIndex>(C.extent(0)) != rows.local_size())
      throw ShapeError("a cost of " + std::to_string(C.extent(0)) + " rows was given for " +
                       std::to_string(rows.local_size()) + " points of this rank");
    stored = padded_block(rows.local_size(), m);
    GlobalIndex first_bad = 0;
    Kokkos::parallel_reduce(
        "transport::copy_cost",
        Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, rows.local_size()),
        CopyRow{C, stored}, Kokkos::Min<GlobalIndex>(first_bad));
    const bool bad = first_bad < rows.local_size() * GlobalIndex{m};
    if (bad)
      throw DataError("the cost of row " + std::to_string(rows.first_row() + first_bad / m) +
                      ", column " + std::to_string(first_bad % m) +
                      " is negative or not finite; a forbidden pair needs a large finite cost, and a "
                      "constant added to all costs does not change the balanced plan");
  });
  return std::make_shared<DenseCost>(stored, rows, m, text);
}

}  // namespace libsolve
