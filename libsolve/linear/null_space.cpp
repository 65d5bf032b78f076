#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/null_space.hpp>

namespace libsolve {

namespace {

struct SumBody {
  const double* v;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const { s += v[i]; }
};

struct ShiftBody {
  double mean;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const { v[i] -= mean; }
};

struct ShiftByLabelBody {
  const Index* label;
  const double* mean;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const {
    if (label[i] >= 0) v[i] -= mean[label[i]];
  }
};

/// One share of the rows on the host: share s adds its rows to its own num_components sums, so that
/// the result does not depend on who runs first.
struct ShareOfSums {
  const Index* label;
  const double* v;
  Index num_rows;
  Index num_shares;
  Index num_components;
  double* sums;
  void operator()(Index s) const {
    const auto bound = [&](GlobalIndex share) {
      return static_cast<Index>(GlobalIndex{num_rows} * share / num_shares);
    };
    double* own = sums + GlobalIndex{s} * num_components;
    for (Index i = bound(s); i < bound(s + 1); ++i)
      if (label[i] >= 0) own[label[i]] += v[i];
  }
};

/// On a device, by atomic additions: the only sum of the library whose rounding may differ from run
/// to run, in the last digits of the means of a domain that falls into several parts.
struct AtomicSum {
  const Index* label;
  const double* v;
  double* sums;
  KOKKOS_FUNCTION void operator()(Index i) const {
    if (label[i] >= 0) Kokkos::atomic_add(&sums[label[i]], v[i]);
  }
};

using HostSums = Kokkos::View<double*, Kokkos::HostSpace>;

/// sums[k] = sum of v over the rows of component k, this rank's part.
template <class Exec>
std::vector<double> sums_by_label(const Exec& exec, const NullSpace::Labels& labels, Index K,
                                  const VectorView& v) {
  const Index n = static_cast<Index>(v.extent(0));
  std::vector<double> total(static_cast<size_t>(K), 0.0);
  if constexpr (runs_on_host<Exec>) {
    const Index shares = std::max<Index>(1, std::min<Index>(exec.concurrency(), n / 4096));
    std::vector<double> sums(static_cast<size_t>(shares) * total.size(), 0.0);
    using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
    Kokkos::parallel_for("libsolve::NullSpace::sums", Policy(exec, 0, shares, Kokkos::ChunkSize(1)),
                         ShareOfSums{labels.data(), v.data(), n, shares, K, sums.data()});
    exec.fence("libsolve::NullSpace::sums");
    for (Index s = 0; s < shares; ++s)
      for (Index k = 0; k < K; ++k)
        total[static_cast<size_t>(k)] += sums[static_cast<size_t>(s) * total.size() + k];
  } else {
    const VectorView sums("libsolve::NullSpace::sums", total.size());
    Kokkos::parallel_for("libsolve::NullSpace::sums",
                         Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>(exec, 0, n),
                         AtomicSum{labels.data(), v.data(), sums.data()});
    exec.fence("libsolve::NullSpace::sums");
    Kokkos::deep_copy(HostSums(total.data(), total.size()), sums);
  }
  return total;
}

}  // namespace

NullSpace NullSpace::constants(const Partition& partition) {
  NullSpace result;
  result.partition_ = partition;
  result.counts_.assign(1, static_cast<double>(partition.global_size()));
  return result;
}

NullSpace::NullSpace(Labels labels, Index num_components, Partition partition)
    : labels_(std::move(labels)),
      num_components_(num_components),
      partition_(std::move(partition)) {
  if (num_components_ < 0)
    throw DataError("a null space was given " + std::to_string(num_components_) +
                    " components; it must be 0 or more");
  if (labels_.extent(0) != static_cast<size_t>(partition_.local_size()))
    throw ShapeError(
        "a null space needs one label per row: " + std::to_string(partition_.local_size()) +
        " rows, got " + std::to_string(labels_.extent(0)) + " labels");
  counts_.assign(static_cast<size_t>(num_components_), 0.0);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), labels_);
  Index wrong_row = -1;
  for (Index i = 0; i < partition_.local_size(); ++i) {
    if (host(i) >= 0 && host(i) < num_components_)
      counts_[static_cast<size_t>(host(i))] += 1.0;
    else if (host(i) != -1 && wrong_row < 0)
      wrong_row = i;
  }
  if (partition_.communicator().any(wrong_row >= 0))
    throw DataError(
        "labels of a null space must lie in [-1, " + std::to_string(num_components_) + "); " +
        (wrong_row < 0
             ? std::string("another rank has one that does not")
             : "row " + std::to_string(wrong_row) + " has " + std::to_string(host(wrong_row))));
  partition_.communicator().sum(counts_);
}

double NullSpace::project_out(const Vector& v) const {
  if (!(v.partition() == partition_))
    throw ShapeError("a null space of " + std::to_string(partition_.global_size()) +
                     " rows cannot be taken out of a vector of " + std::to_string(v.global_size()));
  const ExecSpace exec;
  if (labels_.data() == nullptr && num_components_ == 1) {
    if (counts_[0] == 0.0) return 0.0;
    // mean = (1/n) sum_i v_i; the removed part is constant: its norm is |mean| sqrt(n)
    const auto local =
        reduce_rows<Sums<1>>(exec, "libsolve::NullSpace::mean", v.local_size(), SumBody{v.data()});
    const double mean = v.communicator().sum(local.value[0]) / counts_[0];
    for_rows(exec, "libsolve::NullSpace::shift", v.local_size(), ShiftBody{mean, v.data()});
    return std::abs(mean) * std::sqrt(counts_[0]);
  }
  if (num_components_ == 0) return 0.0;
  std::vector<double> means = sums_by_label(exec, labels_, num_components_, v.view());
  v.communicator().sum(means);
  double removed_squared = 0.0;
  for (size_t k = 0; k < means.size(); ++k) {
    means[k] = counts_[k] > 0.0 ? means[k] / counts_[k] : 0.0;
    removed_squared += counts_[k] * means[k] * means[k];
  }
  const auto on_device =
      Kokkos::create_mirror_view_and_copy(MemSpace(), HostSums(means.data(), means.size()));
  for_rows(exec, "libsolve::NullSpace::shift", v.local_size(),
           ShiftByLabelBody{labels_.data(), on_device.data(), v.data()});
  exec.fence("libsolve::NullSpace::shift");  // on_device goes away
  return std::sqrt(removed_squared);
}

}  // namespace libsolve
