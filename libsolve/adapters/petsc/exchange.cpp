#include <petscsf.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <libsolve/adapters/narrow.hpp>
#include <libsolve/adapters/petsc/detail/exchange.hpp>
#include <libsolve/adapters/petsc/detail/session.hpp>

namespace libsolve::petsc::detail {
namespace {

MPI_Datatype unit_of(EntryType type) {
  switch (type) {
    case EntryType::float32:
      return MPI_FLOAT;
    case EntryType::float64:
      return MPI_DOUBLE;
    default:
      return MPI_INT64_T;
  }
}

/// A PetscSF that goes with its scope, if PETSc is still up then.
struct Forest {
  PetscSF sf = nullptr;
  Forest() = default;
  ~Forest() {
    if (sf != nullptr && is_up()) (void)PetscSFDestroy(&sf);
  }
  Forest(const Forest&) = delete;
  Forest& operator=(const Forest&) = delete;
};

/// Roots are the entries that somebody wants, packed; leaves are what this rank wants.
class SfExchange final : public Exchange {
 public:
  SfExchange(const Partition& owner, std::span<const GlobalIndex> wanted) {
    const MPI_Comm comm = *static_cast<const MPI_Comm*>(owner.communicator().mpi_comm());
    const ErrorScope scope("preparing an exchange between ranks");
    const auto num_leaves =
        narrowed<PetscInt>(static_cast<GlobalIndex>(wanted.size()), "wanted entries", "PETSc");
    // Where rows are: PETSc's indices need only count what one rank has.
    std::vector<std::int64_t> first_rows(static_cast<size_t>(owner.communicator().size()), 0);
    first_rows[static_cast<size_t>(owner.communicator().rank())] = owner.first_row();
    owner.communicator().sum(first_rows);
    const auto nodes = std::make_unique<PetscSFNode[]>(wanted.size());
    for (size_t l = 0; l < wanted.size(); ++l) {
      // ranks without rows begin where the next one does
      const auto above = std::upper_bound(first_rows.begin(), first_rows.end(), wanted[l]);
      nodes[l] = {static_cast<PetscInt>(above - first_rows.begin() - 1),
                  static_cast<PetscInt>(wanted[l] - *(above - 1))};
    }

    // Over all rows first, to learn which of them are wanted at all.
    Forest all;
    scope.check(PetscSFCreate(comm, &all.sf));
    scope.check(PetscSFSetGraph(all.sf, owner.local_size(), num_leaves, nullptr, PETSC_COPY_VALUES,
                                nodes.get(), PETSC_COPY_VALUES));
    scope.check(PetscSFSetUp(all.sf));
    PetscMPIInt num_ranks = 0;
    const PetscMPIInt* ranks = nullptr;
    const PetscInt* offset = nullptr;
    const PetscInt* asked = nullptr;
    scope.check(PetscSFGetLeafRanks(all.sf, &num_ranks, &ranks, &offset, &asked));
    for (PetscMPIInt r = 0; r < num_ranks; ++r) {
      for (PetscInt e = offset[r]; e < offset[r + 1]; ++e)
        sent_rows_.push_back(static_cast<Index>(asked[e]));
      if (ranks[r] == owner.communicator().rank()) continue;
      ++messages_;
      entries_ += offset[r + 1] - offset[r];
    }
    std::sort(sent_rows_.begin(), sent_rows_.end());
    sent_rows_.erase(std::unique(sent_rows_.begin(), sent_rows_.end()), sent_rows_.end());
    // One number for each row, of which only those of sent rows are touched: calloc takes no memory
    // for the others.
    const auto rows = static_cast<size_t>(std::max<Index>(1, owner.local_size()));
    const std::unique_ptr<PetscInt, void (*)(void*)> packed(
        static_cast<PetscInt*>(std::calloc(rows, sizeof(PetscInt))), std::free);
    if (!packed) throw std::bad_alloc();
    for (size_t s = 0; s < sent_rows_.size(); ++s)
      packed.get()[sent_rows_[s]] = static_cast<PetscInt>(s);
    std::vector<PetscInt> place(wanted.size());
    scope.check(
        PetscSFBcastBegin(all.sf, MPIU_INT, packed.get(), place.data(), MPI_REPLACE));
    scope.check(PetscSFBcastEnd(all.sf, MPIU_INT, packed.get(), place.data(), MPI_REPLACE));

    for (size_t l = 0; l < wanted.size(); ++l) nodes[l].index = place[l];
    scope.check(PetscSFCreate(comm, &forest_.sf));
    scope.check(PetscSFSetGraph(forest_.sf, static_cast<PetscInt>(sent_rows_.size()), num_leaves,
                                nullptr, PETSC_COPY_VALUES, nodes.get(), PETSC_COPY_VALUES));
    scope.check(PetscSFSetUp(forest_.sf));
  }

  void begin(EntryType type, const void* sent, void* wanted) override {
    const ErrorScope scope("exchanging entries between ranks");
    scope.check(PetscSFBcastBegin(forest_.sf, unit_of(type), sent, wanted, MPI_REPLACE));
  }
  void end(EntryType type, const void* sent, void* wanted) override {
    const ErrorScope scope("exchanging entries between ranks");
    scope.check(PetscSFBcastEnd(forest_.sf, unit_of(type), sent, wanted, MPI_REPLACE));
  }
  void add(const double* wanted, double* sent) override {
    const ErrorScope scope("adding entries over ranks");
    scope.check(PetscSFReduceBegin(forest_.sf, MPI_DOUBLE, wanted, sent, MPI_SUM));
    scope.check(PetscSFReduceEnd(forest_.sf, MPI_DOUBLE, wanted, sent, MPI_SUM));
  }

 private:
  Forest forest_;
};

}  // namespace

std::unique_ptr<Exchange> make_sf_exchange(const Partition& owner,
                                           std::span<const GlobalIndex> wanted) {
  // Bringing PETSc up takes all ranks of MPI.
  int world = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  if (!is_up() && owner.communicator().size() != world)
    throw BackendError("an exchange between " + std::to_string(owner.communicator().size()) + " of " +
                       std::to_string(world) +
                       " ranks needs PETSc, and it is not up: call PetscInitialize on all ranks first");
  bring_up();
  return std::make_unique<SfExchange>(owner, wanted);
}

}  // namespace libsolve::petsc::detail
