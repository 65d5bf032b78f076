#pragma once

#include <libsolve/adapters/petsc/detail/session.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector.hpp>

/// What a program of PETSc's hands to methods of ours (apps/petsc): its Vec, Mat and PC, in place.
/// Not installed: these headers include PETSc's.
namespace libsolve::petsc {

/// PETSc failed below us and has said why by its own error handler; the code goes back to it.
class PetscFailure final : public Error {
 public:
  explicit PetscFailure(PetscErrorCode code_);
  ~PetscFailure() override;
  PetscErrorCode code;
};

/// Throws PetscFailure for a code that is none of success.
inline void check(PetscErrorCode code) {
  if (code != PETSC_SUCCESS) throw PetscFailure(code);
}

/// How rows lie over the ranks of `object`'s communicator; collective.
Partition partition_over(PetscObject object, PetscInt local_size);

/// A Vec of the program as a Vector, in place: its entries belong to us from open() to close(). On
/// a device, entries that lie on the host go through a copy.
class OpenVec {
 public:
  enum class Access { read, write, read_write };
  OpenVec() = default;
  OpenVec(Vec v, const Partition& partition, Access access) { open(v, partition, access); }
  ~OpenVec();  ///< closes; errors of PETSc are lost then
  OpenVec(const OpenVec&) = delete;
  OpenVec& operator=(const OpenVec&) = delete;

  void open(Vec v, const Partition& partition, Access access);
  void close();
  const Vector& vector() const { return vector_; }

 private:
  PetscErrorCode restore();

  Vec v_ = nullptr;
  Access access_ = Access::read;
  PetscScalar* data_ = nullptr;
  bool on_device_ = false;
  Vector vector_;
  detail::BorrowedVector staging_;
};

/// A Vec that holds a Vector of ours: over its entries where PETSc's kind of vector lives on the
/// host as ours do, else through a copy. One for each role, reused.
class LentVec {
 public:
  LentVec() = default;
  ~LentVec() { clear(); }
  LentVec(const LentVec&) = delete;
  LentVec& operator=(const LentVec&) = delete;

  /// Of the kind, sizes and DM of `like`, without its entries.
  void create(Vec like);
  void clear();
  bool is_made() const { return v_ != nullptr; }
  /// The DM that a program's own product may ask its vectors for.
  void set_dm(DM dm);

  /// For reading, until take_back().
  Vec lend(const Vector& v);
  /// For writing; take_back() brings what was written to `v`.
  Vec lend_for_result(const Vector& v);
  void take_back();

 private:
  Vec place(const Vector& v, bool copy_in);

  Vec v_ = nullptr;
  bool in_place_ = false;
  Vector lent_;
  bool is_lent_ = false;
  bool is_result_ = false;
};

}  // namespace libsolve::petsc
