#include <petscdm.h>
#include <libsolve/adapters/petsc/program/vectors.hpp>

namespace libsolve::petsc {

namespace {
constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

using HostView = Kokkos::View<double*, Kokkos::HostSpace>;
}  // namespace

PetscFailure::PetscFailure(PetscErrorCode code_)
    : Error("PETSc error " + std::to_string(static_cast<int>(code_))), code(code_) {}
PetscFailure::~PetscFailure() = default;

Partition partition_over(PetscObject object, PetscInt local_size) {
  const MPI_Comm comm = PetscObjectComm(object);
  return Partition(Communicator::from_mpi(&comm), local_size);
}

// ---- OpenVec ------------------------------------------------------------------------------------

OpenVec::~OpenVec() {
  if (v_ != nullptr) (void)restore();
}

void OpenVec::open(Vec v, const Partition& partition, Access access) {
  close();
  PetscInt n = 0;
  check(VecGetLocalSize(v, &n));
  if (n != partition.local_size())
    throw ShapeError("a Vec of " + std::to_string(n) + " local rows was given where " +
                     std::to_string(partition.local_size()) + " are needed");
  PetscScalar* data = nullptr;
  if constexpr (on_host) {
    if (access == Access::read) {
      const PetscScalar* read = nullptr;
      check(VecGetArrayRead(v, &read));
      data = const_cast<PetscScalar*>(read);
    } else if (access == Access::write) {
      check(VecGetArrayWrite(v, &data));
    } else {
      check(VecGetArray(v, &data));
    }
    vector_ = Vector(VectorView(data, static_cast<size_t>(n)), partition);
  } else {
    PetscMemType where = PETSC_MEMTYPE_HOST;
    if (access == Access::read) {
      const PetscScalar* read = nullptr;
      check(VecGetArrayReadAndMemType(v, &read, &where));
      data = const_cast<PetscScalar*>(read);
    } else if (access == Access::write) {
      check(VecGetArrayWriteAndMemType(v, &data, &where));
    } else {
      check(VecGetArrayAndMemType(v, &data, &where));
    }
    on_device_ = PetscMemTypeDevice(where);
    if (on_device_) {
      vector_ = Vector(VectorView(data, static_cast<size_t>(n)), partition);
    } else {
      staging_ = detail::BorrowedVector(partition);
      vector_ = access == Access::write ? staging_.write(data) : staging_.read(data);
    }
  }
  v_ = v;
  data_ = data;
  access_ = access;
}

PetscErrorCode OpenVec::restore() {
  Vec v = std::exchange(v_, nullptr);
  vector_ = Vector();
  if (access_ != Access::read) {
    Kokkos::fence("petsc::close_vec");
    if (!on_host && !on_device_) staging_.publish(data_);
  }
  if constexpr (on_host) {
    const PetscScalar* read = data_;
    if (access_ == Access::read) return VecRestoreArrayRead(v, &read);
    if (access_ == Access::write) return VecRestoreArrayWrite(v, &data_);
    return VecRestoreArray(v, &data_);
  } else {
    const PetscScalar* read = data_;
    if (access_ == Access::read) return VecRestoreArrayReadAndMemType(v, &read);
    if (access_ == Access::write) return VecRestoreArrayWriteAndMemType(v, &data_);
    return VecRestoreArrayAndMemType(v, &data_);
  }
}

void OpenVec::close() {
  if (v_ != nullptr) check(restore());
}

// ---- LentVec ------------------------------------------------------------------------------------

void LentVec::create(Vec like) {
  clear();
  PetscBool is_plain = PETSC_FALSE;
  check(PetscObjectTypeCompareAny(reinterpret_cast<PetscObject>(like), &is_plain, VECSEQ, VECMPI,
                                  ""));
  in_place_ = on_host && is_plain == PETSC_TRUE;
  if (!in_place_) {
    check(VecDuplicate(like, &v_));
    return;
  }
  const MPI_Comm comm = PetscObjectComm(reinterpret_cast<PetscObject>(like));
  PetscInt n = 0, N = 0, block_size = 1;
  PetscMPIInt size = 1;
  check(VecGetLocalSize(like, &n));
  check(VecGetSize(like, &N));
  check(VecGetBlockSize(like, &block_size));
  if (MPI_Comm_size(comm, &size) != MPI_SUCCESS) throw BackendError("MPI_Comm_size failed");
  if (size == 1)
    check(VecCreateSeqWithArray(comm, block_size, n, nullptr, &v_));
  else
    check(VecCreateMPIWithArray(comm, block_size, n, N, nullptr, &v_));
  DM dm = nullptr;
  check(VecGetDM(like, &dm));
  if (dm != nullptr) set_dm(dm);
}

void LentVec::clear() {
  if (v_ != nullptr && detail::is_up()) (void)VecDestroy(&v_);
  v_ = nullptr;
  is_lent_ = false;
}

void LentVec::set_dm(DM dm) {
  check(VecSetDM(v_, dm));
}

Vec LentVec::place(const Vector& v, bool copy_in) {
  Kokkos::fence("petsc::lend");
  if (is_lent_ && in_place_) check(VecResetArray(v_));  // an error kept it from coming back
  if (in_place_) {
    check(VecPlaceArray(v_, v.data()));
  } else if (copy_in) {
    PetscScalar* data = nullptr;
    check(VecGetArrayWrite(v_, &data));
    Kokkos::deep_copy(HostView(data, static_cast<size_t>(v.local_size())), v.view());
    check(VecRestoreArrayWrite(v_, &data));
  }
  lent_ = v;
  is_lent_ = true;
  return v_;
}

Vec LentVec::lend(const Vector& v) {
  is_result_ = false;
  return place(v, true);
}

Vec LentVec::lend_for_result(const Vector& v) {
  is_result_ = true;
  return place(v, false);
}

void LentVec::take_back() {
  if (in_place_) {
    check(VecResetArray(v_));
  } else if (is_result_) {
    const PetscScalar* data = nullptr;
    check(VecGetArrayRead(v_, &data));
    Kokkos::deep_copy(lent_.view(), HostView(const_cast<PetscScalar*>(data),
                                             static_cast<size_t>(lent_.local_size())));
    check(VecRestoreArrayRead(v_, &data));
  }
  lent_ = Vector();
  is_lent_ = false;
}

}  // namespace libsolve::petsc
