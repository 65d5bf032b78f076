#pragma once

#include <libsolve/transport/detail/device_passes.hpp>
#include <libsolve/transport/detail/host_passes.hpp>
#include <libsolve/transport/transport_cost.hpp>
#include <string>
#include <utility>

namespace libsolve {

namespace detail {

/// Entries of C by their places.
template <class F>
struct EvaluateRow {
  F cost;
  const GlobalIndex* first;
  const Index* columns;
  double* values;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    for (GlobalIndex k = first[i]; k < first[i + 1]; ++k) values[k] = cost(i, columns[k]);
  }
};

/// A functor with its arguments exchanged, and back.
template <class F>
struct Exchanged {
  F cost;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const { return cost(j, i); }
};
template <class F>
Exchanged<F> exchange(const F& cost) {
  return {cost};
}
template <class F>
F exchange(const Exchanged<F>& cost) {
  return cost.cost;
}

template <class F>
struct CopyEntries {
  F cost;
  Index first;
  Index m;
  double* block;  ///< rows of `stride`
  std::size_t stride;
  KOKKOS_FUNCTION void operator()(const GlobalIndex k) const {
    const Index i = static_cast<Index>(k / m);
    const Index j = static_cast<Index>(k % m);
    block[i * stride + static_cast<std::size_t>(j)] = cost(first + i, j);
  }
};

template <class F>
struct RowMaximum {
  F cost;
  Index m;
  KOKKOS_FUNCTION void operator()(const Index i, double& largest) const {
    for (Index j = 0; j < m; ++j) {
      const double c = cost(i, j);
      // What is no cost (negative, NaN) is larger than everything, so that it is not missed.
      if (!(c >= 0.0)) largest = Kokkos::Experimental::infinity_v<double>;
      if (c > largest) largest = c;
    }
  }
};

}  // namespace detail

/// The cost that a functor computes: `double operator()(Index i, Index j) const`, i local, usable in
/// kernels (KOKKOS_FUNCTION, trivially copyable). For speed on the host it may have
/// `detail::Pack<double> pack(Index i, Index j) const`, the columns j to j + lanes - 1 at once.
///
///   struct Hops { KOKKOS_FUNCTION double operator()(Index i, Index j) const { ... } };
///   auto cost = std::make_shared<FunctorCost<Hops>>(Hops{}, Partition(1000), 800, "hops");
template <class F>
class FunctorCost : public TransportCost {
 public:
  FunctorCost(F functor, Partition rows, Index num_columns, std::string text)
      : TransportCost(std::move(rows), num_columns), cost_(functor), text_(std::move(text)) {}

  const F& functor() const noexcept { return cost_; }
  std::string description() const override { return text_; }

  void sums(const ConstVectorView& f, const ConstVectorView& g, double eps, const VectorView& r,
            const VectorView& c) const override {
    if constexpr (runs_on_host<ExecSpace>)
      detail::host_sums(cost_, n(), m(), f.data(), g.data(), eps, r.data(), c.data());
    else
      detail::device_sums(ExecSpace(), cost_, n(), m(), f.data(), g.data(), eps, r.data(),
                          c.data());
  }
  void scale_rows(const ConstVectorView& a, const VectorView& f, const ConstVectorView& g,
                  double eps, const VectorView& r, const VectorView& c,
                  const RowScaling& how) const override {
    if constexpr (runs_on_host<ExecSpace>) {
      const detail::ScaledRows rows{a.data(), f.data(), r.data(), c.data(), eps, how.damping};
      if (how.single_precision)
        detail::host_scale_rows<float>(cost_, n(), m(), g.data(), rows);
      else
        detail::host_scale_rows<double>(cost_, n(), m(), g.data(), rows);
    } else {
      detail::device_scale_rows(ExecSpace(), cost_, n(), m(), a.data(), f.data(), g.data(), eps,
                                how.damping, r.data(), c.data());
    }
  }
  void row_minima(const ConstVectorView& g, const VectorView& u,
                  const Kokkos::View<Index*, MemSpace>& arg) const override {
    if constexpr (runs_on_host<ExecSpace>)
      detail::host_row_minima(cost_, n(), m(), g.data(), u.data(), arg.data());
    else
      detail::device_row_minima(ExecSpace(), cost_, n(), m(), g.data(), u.data(), arg.data());
  }
  void column_minima(const ConstVectorView& f, const VectorView& v) const override {
    if constexpr (runs_on_host<ExecSpace>)
      detail::host_column_minima(cost_, n(), m(), f.data(), v.data());
    else
      detail::device_column_minima(ExecSpace(), cost_, n(), m(), f.data(), v.data());
  }
  SparseEntries entries_above(const ConstVectorView& f, const ConstVectorView& g,
                              const ConstVectorView& threshold) const override {
    SparseEntries entries;
    entries.row_pointers = {"transport::row_pointers", static_cast<std::size_t>(n()) + 1};
    if constexpr (runs_on_host<ExecSpace>) {
      const auto found =
          detail::host_entries_above(cost_, n(), m(), f.data(), g.data(), threshold.data(),
                                     entries.row_pointers.data());
      allocate(entries, entries.row_pointers(n()));
      std::size_t at = 0;
      for (const detail::FoundEntries& share : found) {
        std::copy(share.columns.begin(), share.columns.end(), entries.columns.data() + at);
        std::copy(share.slacks.begin(), share.slacks.end(), entries.values.data() + at);
        at += share.columns.size();
      }
    } else {
      detail::EntriesAbove<ExecSpace, F> pass{cost_,   m(), f.data(), g.data(), threshold.data(),
                                              entries.row_pointers.data(), nullptr, nullptr};
      Kokkos::parallel_for("transport::count_entries", detail::one_team_each<ExecSpace>(n()), pass);
      GlobalIndex count = 0;
      Kokkos::parallel_scan("transport::row_pointers",
                            Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, n()),
                            detail::RowPointers{entries.row_pointers.data()}, count);
      allocate(entries, count);
      pass.columns = entries.columns.data();
      pass.slacks = entries.values.data();
      Kokkos::parallel_for("transport::entries_above", detail::one_team_each<ExecSpace>(n()), pass);
    }
    return entries;
  }
  double weighted_sum(const ConstVectorView& f, const ConstVectorView& g,
                      double eps) const override {
    if constexpr (runs_on_host<ExecSpace>)
      return detail::host_weighted_sum(cost_, n(), m(), f.data(), g.data(), eps);
    else
      return detail::device_weighted_sum(ExecSpace(), cost_, n(), m(), f.data(), g.data(), eps);
  }
  void evaluate(const SparseEntries& entries) const override {
    Kokkos::parallel_for("transport::evaluate",
                         Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, n()),
                         detail::EvaluateRow<F>{cost_, entries.row_pointers.data(),
                                                entries.columns.data(), entries.values.data()});
    ExecSpace().fence();
  }
  void rows_of(Index first, const DenseBlock& block) const override {
    const auto count = static_cast<GlobalIndex>(block.extent(0)) * m();
    Kokkos::parallel_for(
        "transport::rows_of", Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<GlobalIndex>>(0, count),
        detail::CopyEntries<F>{cost_, first, m(), block.data(), block.stride(0)});
    ExecSpace().fence();
  }
  /// Exchanges the functor's arguments: no `pack`, so slower than the cost itself.
  std::shared_ptr<const TransportCost> transposed() const override {
    refuse_several_ranks();
    const auto exchanged = detail::exchange(cost_);
    return std::make_shared<FunctorCost<std::decay_t<decltype(exchanged)>>>(
        exchanged, Partition(num_columns()), n(), text_);
  }
  double memory_bytes() const override { return 0.0; }

 protected:
  double local_maximum() const override {
    double largest = 0.0;
    Kokkos::parallel_reduce("transport::maximum",
                            Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, n()),
                            detail::RowMaximum<F>{cost_, m()}, Kokkos::Max<double>(largest));
    return largest;
  }

 private:
  static void allocate(SparseEntries& entries, GlobalIndex count) {
    entries.columns = Kokkos::View<Index*, MemSpace>(
        Kokkos::view_alloc("transport::columns", Kokkos::WithoutInitializing),
        static_cast<std::size_t>(count));
    entries.values = VectorView(Kokkos::view_alloc("transport::values", Kokkos::WithoutInitializing),
                                static_cast<std::size_t>(count));
  }
  Index n() const { return rows().local_size(); }
  Index m() const { return num_columns(); }
  F cost_;
  std::string text_;
};

}  // namespace libsolve
