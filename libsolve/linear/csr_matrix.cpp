// Storage. The plain arrays are kept for methods that need entries (factorisations, other
// libraries). On the host the product runs on a second copy in the layout of
// detail/sliced_rows.hpp, 9 to 13 bytes an entry, because row loops over the plain arrays reach
// only a third to a half of the memory bus; rows too uneven for it are multiplied from the plain
// arrays. On a device the plain arrays serve, a few lanes of a team sharing a row.
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/detail/csr_arrays.hpp>
#include <libsolve/linear/detail/csr_product.hpp>
#include <libsolve/linear/detail/ghost_columns.hpp>
#include <libsolve/linear/detail/sliced_rows.hpp>
#include <mutex>

namespace libsolve {

struct CsrMatrix::Impl {
  // What the host's product runs on; unused on a device.
  detail::CsrArrays arrays = {};
  detail::RowLayout layout = detail::RowLayout::compressed;
  detail::SlicedRows slices = {};
  Kokkos::View<Index*, Kokkos::HostSpace> row_blocks = {};

  // Made at the first call that needs them.
  std::once_flag asymmetry_once = {};
  double asymmetry = 0.0;
  std::mutex transpose_mutex = {};
  std::unique_ptr<CsrMatrix> transpose = {};

  std::unique_ptr<const detail::GhostColumns> ghosts = {};  ///< null on one rank
};

namespace {

/// The arrays where the host can read them: themselves, or a copy.
detail::CsrArrays on_host(Index num_rows, Index num_columns,
                          const CsrMatrix::RowPointers& row_pointers,
                          const CsrMatrix::Columns& columns, const ConstVectorView& values) {
  using Kokkos::create_mirror_view_and_copy;
  const Kokkos::HostSpace host;
  return {num_rows, num_columns, create_mirror_view_and_copy(host, row_pointers),
          create_mirror_view_and_copy(host, columns), create_mirror_view_and_copy(host, values)};
}

template <class Use>
double product(const detail::CsrArrays& arrays, detail::RowLayout layout,
               const detail::SlicedRows& slices,
               const Kokkos::View<Index*, Kokkos::HostSpace>& row_blocks, const CsrMatrix& A,
               const double* x, const Use& use) {
  const ExecSpace exec;
  double sum = 0.0;
  if constexpr (runs_on_host<ExecSpace>) {
    if (layout == detail::RowLayout::compressed)
      sum = detail::run_blocks(exec, static_cast<Index>(row_blocks.extent(0)) - 1,
                               detail::RowProduct<Use>{arrays, row_blocks, x, use});
    else
      sum =
          detail::run_blocks(exec, slices.num_blocks(), detail::SlicedProduct<Use>{slices, x, use});
  } else {
    sum = detail::run_teams(exec, A.row_pointers(), A.columns(), A.values(), x, use);
  }
  return sum;
}

}  // namespace

CsrMatrix::CsrMatrix(GlobalIndex num_rows, GlobalIndex num_columns, RowPointers row_pointers,
                     Columns columns, ConstVectorView values)
    : rows_(num_rows),
      cols_(num_columns),
      row_pointers_(std::move(row_pointers)),
      columns_(std::move(columns)),
      values_(std::move(values)),
      impl_(std::make_unique<Impl>()) {
  prepare();
}

CsrMatrix::CsrMatrix(const Partition& rows, const Partition& columns,
                     const RowPointers& row_pointers, const GlobalColumns& global_columns,
                     const ConstVectorView& values)
    : rows_(rows), cols_(columns), impl_(std::make_unique<Impl>()) {
  const Communicator& comm = rows_.communicator();
  detail::SplitRows split;
  together(comm, [&] {
    split = detail::split_columns(rows_, cols_, row_pointers, global_columns, values);
    const MemSpace memory;
    row_pointers_ = Kokkos::create_mirror_view_and_copy(memory, split.own.row_pointers);
    columns_ = Kokkos::create_mirror_view_and_copy(memory, split.own.columns);
    values_ = Kokkos::create_mirror_view_and_copy(memory, split.own.values);
    prepare();
  });
  num_nonzeros_ = comm.sum(static_cast<GlobalIndex>(values_.extent(0) + split.values.size()));
  if (comm.size() > 1) impl_->ghosts = std::make_unique<detail::GhostColumns>(cols_, split);
}

void CsrMatrix::prepare() {
  detail::CsrArrays arrays =
      on_host(rows_.local_size(), cols_.local_size(), row_pointers_, columns_, values_);
  const detail::CsrCheck check = detail::check_csr(arrays);
  if (!check.fault.empty()) {
    const std::string message = "matrix in compressed rows, " + std::to_string(num_rows()) +
                                " x " + std::to_string(num_columns()) + ": " + check.fault;
    if (check.shape_fault) throw ShapeError(message);
    throw DataError(message);
  }
  if (!check.rows_are_sorted) {
    arrays = detail::sort_rows(arrays);
    const MemSpace memory;
    row_pointers_ = Kokkos::create_mirror_view_and_copy(memory, arrays.row_pointers);
    columns_ = Kokkos::create_mirror_view_and_copy(memory, arrays.columns);
    values_ = Kokkos::create_mirror_view_and_copy(memory, arrays.values);
  }
  num_nonzeros_ = static_cast<GlobalIndex>(values_.extent(0));
  if constexpr (runs_on_host<ExecSpace>) {
    impl_->arrays = arrays;
    impl_->layout = detail::choose_layout(arrays.num_rows, arrays.num_nonzeros(), [&](Index i) {
      return arrays.row_pointers(i + 1) - arrays.row_pointers(i);
    });
    if (impl_->layout == detail::RowLayout::compressed)
      impl_->row_blocks = detail::make_row_blocks(arrays);
    else
      impl_->slices = detail::make_sliced_rows(arrays, impl_->layout);
  }
}

CsrMatrix::~CsrMatrix() = default;

CsrMatrix::OffRankEntries CsrMatrix::off_rank_entries() const {
  if (!impl_->ghosts) return {};
  const detail::SplitRows& split = impl_->ghosts->split();
  return {split.rows, split.first, split.columns, split.values};
}

double CsrMatrix::asymmetry() const {
  std::call_once(impl_->asymmetry_once, [this] {
    const detail::CsrArrays own =
        on_host(rows_.local_size(), cols_.local_size(), row_pointers_, columns_, values_);
    impl_->asymmetry = impl_->ghosts ? detail::asymmetry(rows_, own, *impl_->ghosts)
                                     : detail::asymmetry(own);
  });
  return impl_->asymmetry;
}

bool CsrMatrix::is_symmetric() const {
  return asymmetry() <= 1e-14;
}

namespace {
void check_length(const CsrMatrix& A, const Vector& v, const Partition& wanted, const char* name) {
  if (v.local_size() != wanted.local_size())
    throw ShapeError(std::string(name) + " has " + std::to_string(v.local_size()) + " entries, the " +
                     A.description() + " needs " + std::to_string(wanted.local_size()));
}
}  // namespace

void CsrMatrix::apply(const Vector& x, const Vector& y) const {
  check_length(*this, x, cols_, "x");
  check_length(*this, y, rows_, "y");
  if (impl_->ghosts) impl_->ghosts->begin(x);
  product(impl_->arrays, impl_->layout, impl_->slices, impl_->row_blocks, *this, x.data(),
          detail::StoreProduct{y.data()});
  if (impl_->ghosts) impl_->ghosts->finish(nullptr, y.data());
}

double CsrMatrix::apply_dot(const Vector& x, const Vector& y) const {
  check_length(*this, x, cols_, "x");
  check_length(*this, y, rows_, "y");
  if (impl_->ghosts) impl_->ghosts->begin(x);
  double dot = product(impl_->arrays, impl_->layout, impl_->slices, impl_->row_blocks, *this,
                       x.data(), detail::StoreProductAndDot{x.data(), y.data()});
  if (impl_->ghosts) dot += impl_->ghosts->finish(x.data(), y.data());
  return rows_.communicator().sum(dot);
}

double CsrMatrix::residual(const Vector& b, const Vector& x, const Vector& r) const {
  // A sum formed before the other ranks' part is subtracted would lose the digits of a small one.
  if (impl_->ghosts) return LinearOperator::residual(b, x, r);
  check_length(*this, b, rows_, "b");
  check_length(*this, x, cols_, "x");
  check_length(*this, r, rows_, "r");
  return product(impl_->arrays, impl_->layout, impl_->slices, impl_->row_blocks, *this, x.data(),
                 detail::StoreResidual{b.data(), r.data()});
}

void CsrMatrix::apply_adjoint(const Vector& x, const Vector& y) const {
  check_length(*this, x, rows_, "x");
  check_length(*this, y, cols_, "y");
  if (asymmetry() == 0.0) return apply(x, y);
  const CsrMatrix* transpose = nullptr;
  {
    const std::lock_guard lock(impl_->transpose_mutex);
    if (!impl_->transpose) {
      const detail::CsrArrays t = detail::transpose(
          on_host(rows_.local_size(), cols_.local_size(), row_pointers_, columns_, values_));
      const MemSpace memory;
      impl_->transpose = std::make_unique<CsrMatrix>(
          cols_.local_size(), rows_.local_size(), Kokkos::create_mirror_view_and_copy(memory, t.row_pointers),
          Kokkos::create_mirror_view_and_copy(memory, t.columns),
          Kokkos::create_mirror_view_and_copy(memory, t.values));
    }
    transpose = impl_->transpose.get();
  }
  if (!impl_->ghosts) return transpose->apply(x, y);
  const Partition own_rows(rows_.local_size());
  const Partition own_columns(cols_.local_size());
  transpose->apply(Vector(x.view(), own_rows), Vector(y.view(), own_columns));
  impl_->ghosts->add_adjoint(x, y);
}

namespace detail {

struct CopyDiagonal {
  CsrMatrix::RowPointers row_pointers;
  CsrMatrix::Columns columns;
  ConstVectorView values;
  VectorView d;
  KOKKOS_INLINE_FUNCTION void operator()(Index i) const {
    d(i) = 0.0;
    for (GlobalIndex k = row_pointers(i); k < row_pointers(i + 1); ++k)
      if (columns(k) == i) d(i) = values(k);
  }
};

}  // namespace detail

bool CsrMatrix::diagonal(const Vector& d) const {
  if (num_rows() != num_columns()) return false;
  if (rows_.communicator().any(!(rows_ == cols_))) return false;  // it is not in the own blocks
  check_length(*this, d, rows_, "d");
  Kokkos::parallel_for("csr_matrix::diagonal",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, d.local_size()),
                       detail::CopyDiagonal{row_pointers_, columns_, values_, d.view()});
  return true;
}

std::string CsrMatrix::description() const {
  return "sparse matrix, " + std::to_string(num_rows()) + " x " + std::to_string(num_columns()) +
         ", " + std::to_string(num_nonzeros()) + " nonzeros";
}

double CsrMatrix::bytes_per_apply() const {
  const double entry = sizeof(double) + sizeof(Index);
  return entry * static_cast<double>(num_nonzeros()) +
         static_cast<double>(sizeof(GlobalIndex)) * static_cast<double>(num_rows()) +
         sizeof(double) * static_cast<double>(num_rows() + num_columns());
}

double CsrMatrix::memory_bytes() const {
  double bytes =
      static_cast<double>(row_pointers_.span() * sizeof(GlobalIndex) +
                          columns_.span() * sizeof(Index) + values_.span() * sizeof(double));
  if (impl_->ghosts) bytes += impl_->ghosts->memory_bytes();
  bytes += impl_->slices.memory_bytes();
  const std::lock_guard lock(impl_->transpose_mutex);
  if (impl_->transpose) bytes += impl_->transpose->memory_bytes();
  return bytes;
}

}  // namespace libsolve
